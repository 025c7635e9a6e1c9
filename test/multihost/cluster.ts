/**
 * A running cluster for scenario specs: a lab's hosts, each with its daemon and a client of its API, on one store.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'mocha';
import { Client } from '../../api/client.ts';
import type { EndpointView } from '../../api/schemas/endpoint.ts';
import { run } from '../../lab/command.ts';
import type { LabDaemon } from '../../lab/daemon.ts';
import type { LabHost } from '../../lab/host.ts';
import { createLab, type Lab, type LabOptions, labHindrance } from '../../lab/hosts.ts';
import { skipBecause } from '../support/requirements.ts';

export interface Member {
  readonly host: LabHost;
  readonly daemon: LabDaemon;
  readonly api: Client;
}

export class Cluster {
  readonly lab: Lab;
  readonly members: readonly Member[];
  readonly store: string;

  constructor(lab: Lab, members: readonly Member[], store: string) {
    this.lab = lab;
    this.members = members;
    this.store = store;
  }

  /** @throws Error when there are not that many */
  member(index: number): Member {
    const member = this.members[index];
    if (member === undefined) throw new Error(`The cluster has no host number ${index}`);
    return member;
  }

  /** Makes a sandbox on a host and attaches it. Returns both. */
  async attach(
    index: number,
    network: string,
    name: string,
  ): Promise<{ sandbox: string; endpoint: EndpointView }> {
    const { host, api } = this.member(index);
    const sandbox = await host.addSandbox(name);
    const endpoint = await api.call('connect', { params: { ref: network }, body: { sandbox, name } });
    return { sandbox, endpoint };
  }

  /** Every endpoint that the first host knows. */
  async endpoints(): Promise<readonly EndpointView[]> {
    return (await this.member(0).api.call('listEndpoints')).items;
  }

  /** Waits until every host stands at one ordinal with one hash. */
  async converged(): Promise<void> {
    await eventually('all hosts stand at one ordinal with one hash', async () => {
      const states = await Promise.all(this.members.map(({ api }) => api.call('status')));
      const stands = new Set(
        states.map(({ ordinal, stateHash, recordHash }) => `${ordinal} ${stateHash} ${recordHash}`),
      );
      const settled = states.every(({ dataplane }) => dataplane.pending === 0);
      return stands.size === 1 && settled;
    });
  }

  dispose(): void {
    this.lab.dispose();
  }
}

/**
 * A cluster on the embedded log, or skips the running test with the reason why there can be none.
 *
 * @param args further arguments of every `weft daemon`
 */
export async function startCluster(
  context: Context,
  { args = [], ...options }: LabOptions & { readonly args?: readonly string[] },
  store?: string,
): Promise<Cluster> {
  const hindrance = await labHindrance();
  if (hindrance !== undefined) skipBecause(context, hindrance);
  const lab = await createLab(options);
  try {
    const url = store ?? `file:${join(lab.folder, 'log')}`;
    const members: Member[] = [];
    for (const host of lab.hosts) {
      const daemon = await host.startDaemon({ store: url, args });
      members.push({ host, daemon, api: new Client({ socket: host.socket }) });
    }
    return new Cluster(lab, members, url);
  } catch (error) {
    lab.dispose();
    throw error;
  }
}

/**
 * Waits for a condition that must come true. The bound is generous: it tells "never" from "not yet", and measures
 * nothing.
 */
export async function eventually(
  what: string,
  condition: () => Promise<boolean> | boolean,
  waitMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new Error(`It did not come about within ${waitMs} ms that ${what}`);
    await sleep(20);
  }
}

/** `mac dst vtep` lines of a network's VXLAN table on a host, sorted. */
export async function fdbOf(netns: string): Promise<readonly string[]> {
  const { stdout } = await run('bridge', ['-n', netns, 'fdb', 'show', 'dev', 'vxlan0']);
  const entries = stdout.split('\n').map((line) => /^([0-9a-f:]{17}) dst (\S+) .*self permanent/.exec(line));
  return entries.flatMap((match) => (match === null ? [] : [`${match[1]} ${match[2]}`])).sort();
}

/** `address mac` lines of a network's permanent neighbours on a host, sorted. */
export async function neighboursOf(netns: string): Promise<readonly string[]> {
  const { stdout } = await run('ip', ['-n', netns, 'neigh', 'show', 'dev', 'vxlan0', 'nud', 'permanent']);
  const entries = stdout.split('\n').map((line) => /^(\S+) .*lladdr (\S+)/.exec(line));
  return entries.flatMap((match) => (match === null ? [] : [`${match[1]} ${match[2]}`])).sort();
}

/** One echo request that must be answered. */
export async function pings(netns: string, target: string): Promise<boolean> {
  const result = await run('ip', ['netns', 'exec', netns, 'ping', '-c1', '-W2', target], {
    allowFailure: true,
  });
  return result.code === 0;
}
