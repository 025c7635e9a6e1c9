/** Who plays in the demo: the two hosts of the walk-through, their store, and the containers that come and go. */
import { join } from 'node:path';
import { run } from '../lab/command.ts';
import { execIn, type LabHost } from '../lab/host.ts';
import { createLab, type Lab } from '../lab/hosts.ts';
import type { Place, Stage } from './stage.ts';
import { type StoreKind, type StoreServer, storeServers } from './store-server.ts';

/** A host as a place: `weft` goes to its daemon, other commands run in its namespace. */
export interface HostPlace extends Place {
  readonly host: LabHost;
}

export interface Cast {
  readonly lab: Lab;
  /** Where the walk-through creates its networks; 192.168.2.200. */
  readonly minion0: HostPlace;
  /** The other host, and the one with the store's server where there is one; 192.168.2.15. */
  readonly etcdmaster: HostPlace;
  readonly storeUrl: string;
  /** Absent where the store is a file. */
  readonly server: StoreServer | undefined;
  /** Ends and removes everything. */
  leave(): Promise<void>;
}

/** The hosts' names and addresses are those of the walk-through. */
const hosts = [
  { name: 'etcdmaster', number: 15 },
  { name: 'minion0', number: 200 },
];
/** A second demo at the same time takes the next prefix. */
const prefixes = ['demo-', 'demo2-', 'demo3-', 'demo4-'];

/** Makes the hosts and the store. No daemon runs yet. */
export async function gather(storeKind: StoreKind): Promise<Cast> {
  const lab = await createLab({ hosts, prefixes });
  const etcdmaster = placeOf(lab.host('etcdmaster'));
  const minion0 = placeOf(lab.host('minion0'));
  const server = await startServer(storeKind, lab, etcdmaster.host);
  const storeUrl = server?.url ?? `file:${join(lab.folder, 'log')}`;
  const leave = async (): Promise<void> => {
    await server?.stop();
    lab.dispose();
  };
  return { lab, minion0, etcdmaster, server, storeUrl, leave };
}

/** As in the walk-through, the store's server is on one of the hosts. */
async function startServer(kind: StoreKind, lab: Lab, host: LabHost): Promise<StoreServer | undefined> {
  if (kind === 'file') return undefined;
  try {
    return await storeServers[kind].start(host, lab.folder);
  } catch (error) {
    lab.dispose();
    throw error;
  }
}

function placeOf(host: LabHost): HostPlace {
  return {
    name: host.name,
    host,
    run: (command, args) =>
      command === 'weft'
        ? host.weft(args, { allowFailure: true })
        : host.exec(command, args, { allowFailure: true }),
  };
}

/** A namespace, such as a container or an overlay's own, as a place. */
export function namespacePlace(name: string, netns: string): Place {
  return { name, run: (command, args) => execIn(netns, command, args, { allowFailure: true }) };
}

/** The machine itself, outside every host. */
export const machine: Place = {
  name: 'machine',
  run: (command, args) => run(command, args, { allowFailure: true }),
};

/** Makes a container of a host: a namespace, as `ip netns` makes it. */
export async function addContainer(
  stage: Stage,
  { name: hostName, host }: HostPlace,
  name: string,
): Promise<Place & { readonly netns: string }> {
  const netns = await host.addSandbox(name);
  stage.typed(hostName, `ip netns add ${netns}`);
  return { ...namespacePlace(name, netns), netns };
}
