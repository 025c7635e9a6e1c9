/** Two hosts with networks and endpoints on a store that is about to be swapped under them. */
import assert from 'node:assert/strict';
import { StoreHost } from '../support/store-host.ts';
import type { Trial } from './trial.ts';

const endpoints = 3;

export class FrozenHosts {
  readonly #hosts: readonly StoreHost[];
  #kernels: readonly string[] = [];

  /** @param url as both are told it */
  static async start(trial: Trial, url: string): Promise<FrozenHosts> {
    const hosts: StoreHost[] = [];
    for (const number of [1, 2]) {
      const host = await StoreHost.start(url, { name: `h${number}`, number });
      trial.atEnd(() => host.stop());
      hosts.push(host);
    }
    return new FrozenHosts(hosts);
  }

  private constructor(hosts: readonly StoreHost[]) {
    this.#hosts = hosts;
  }

  /** Attaches endpoints on each host, and waits until both know all of them and have in their kernels what is theirs. */
  async populate(network: string): Promise<void> {
    for (const [index, host] of this.#hosts.entries())
      await host.populate(`${network}-${index + 1}`, endpoints);
    const ordinal = Math.max(...this.#hosts.map((host) => host.controller.state.ordinal));
    for (const host of this.#hosts) {
      await host.until(() => host.controller.state.ordinal >= ordinal);
      await host.until(async () => (await host.client.call('status')).dataplane.pending === 0);
      assert.ok(host.kernel.objects().length >= endpoints, 'there is something to lose');
    }
    this.#kernels = this.#hosts.map(kernelOf);
  }

  /** Waits until each has found the swap out, and has stopped where it stood; nothing was deleted or changed. */
  async assertFrozen(): Promise<void> {
    for (const host of this.#hosts) await host.until(async () => (await host.phase()) === 'halted');
    for (const [index, host] of this.#hosts.entries()) {
      const { phaseReason = '' } = await host.client.call('status');
      assert.match(phaseReason, /log-(ahead|mismatch)|log/, phaseReason);
      assert.equal(kernelOf(host), this.#kernels[index], `the kernel of h${index + 1} is as it was`);
    }
  }
}

function kernelOf(host: StoreHost): string {
  return JSON.stringify(host.kernel.inventory());
}
