/**
 * What the hosts of the cluster add by being its members, by the drivers of the networks that are compiled here. A part is
 * compiled again when its host came, went or changed; all of them when other drivers are in use than before.
 */
import type { KernelObject } from '../dataplane/object.ts';
import { compareText } from '../dataplane/order.ts';
import type { Driver, HostView } from '../driver/driver.ts';
import type { State } from '../fold/state.ts';
import { same } from '../lib/same.ts';
import type { Host } from '../model/host.ts';

export class HostParts {
  readonly #stale = new Set<string>();
  /** Hosts that have a part. */
  readonly #compiled = new Set<string>();
  #isAllStale = false;
  #drivers: readonly Driver[] = [];

  get isStale(): boolean {
    return this.#isAllStale || this.#stale.size > 0;
  }

  stale(host: string): void {
    this.#stale.add(host);
  }

  staleAll(): void {
    this.#isAllStale = true;
  }

  /** Brings what is stale up to date. @param used drivers of the networks that are compiled here */
  compile(
    state: State,
    view: HostView | undefined,
    used: ReadonlySet<Driver>,
    into: Map<string, readonly KernelObject[]>,
  ): void {
    const drivers = [...used].filter(({ compileHost }) => compileHost !== undefined).sort(byName);
    const isOther = !same(namesOf(drivers), namesOf(this.#drivers));
    this.#drivers = drivers;
    const hosts =
      isOther || this.#isAllStale
        ? new Set([...this.#stale, ...this.#compiled, ...state.hosts.keys()])
        : this.#stale;
    for (const name of hosts) {
      const host = state.hosts.get(name);
      const objects = view === undefined || host === undefined ? [] : hostObjects(drivers, host, view);
      if (objects.length > 0) this.#compiled.add(name);
      else if (!this.#compiled.delete(name)) continue;
      into.set(`host ${name}`, objects);
    }
    this.#stale.clear();
    this.#isAllStale = false;
  }
}

function hostObjects(drivers: readonly Driver[], host: Host, view: HostView): readonly KernelObject[] {
  return drivers.flatMap((driver) => driver.compileHost?.(host, view) ?? []);
}

function namesOf(drivers: readonly Driver[]): readonly string[] {
  return drivers.map(({ name }) => name);
}

function byName(a: Driver, b: Driver): number {
  return compareText(a.name, b.name);
}
