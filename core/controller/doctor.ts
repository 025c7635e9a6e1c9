/** What `weft doctor` tells of: collected anew at each call. Reads only. */
import type { Archivist } from '../archive/archivist.ts';
import type { Kernel } from '../dataplane/kernel.ts';
import { hostNamespace } from '../dataplane/namespace.ts';
import { hasPublishedPorts, publishersOf } from '../fold/lookup.ts';
import type { State } from '../fold/state.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { addressesMeet, type Listener } from '../model/published-port.ts';
import type { DesiredView } from '../reconcile/desired.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { DoctorReport } from './control.ts';

export interface DoctorSources {
  readonly kernel: Kernel;
  readonly desired: DesiredView;
  readonly reconciler: Reconciler;
  readonly archivist: Archivist;
  readonly state: State;
  /** Name of this host. */
  readonly host: string;
}

export async function examine(sources: DoctorSources): Promise<DoctorReport> {
  const { reconciler, archivist } = sources;
  return {
    repairs: reconciler.repairs(),
    failing: reconciler.failing(),
    archive: archivist.report,
    ...(await lookAtFirewalls(sources)),
    ...(await lookAtListeners(sources)),
  };
}

/** Other firewalls concern a host only while something of weft's is forwarded there. */
async function lookAtFirewalls({
  kernel,
  desired,
}: DoctorSources): Promise<Pick<DoctorReport, 'droppingChains' | 'firewallsFault'>> {
  if (!hasBridges(desired)) return { droppingChains: [] };
  try {
    return { droppingChains: await kernel.droppingChains() };
  } catch (error) {
    const firewallsFault = error instanceof Error ? error.message : String(error);
    return { droppingChains: [], firewallsFault };
  }
}

/** What is forwarded goes from or to a bridge of weft's; overlays alone have rules for what comes to the host itself. */
function hasBridges(desired: DesiredView): boolean {
  for (const object of desired.inNamespace(hostNamespace).values()) {
    if (object.kind === 'nft-element' && object.set === 'bridges') return true;
  }
  return false;
}

/** Nothing keeps a process from listening at a port that is published: it is told instead. */
async function lookAtListeners({
  kernel,
  state,
  host,
}: DoctorSources): Promise<Pick<DoctorReport, 'shadowed' | 'listenersFault'>> {
  if (!hasPublishedPorts(state, host)) return { shadowed: [] };
  const publisherOf = ({ protocol, address, port }: Listener): Endpoint | undefined => {
    for (const publisher of publishersOf(state, host, protocol, port))
      if (addressesMeet(publisher.address, address)) return state.endpoints.get(publisher.endpoint);
    return undefined;
  };
  try {
    const listeners = await kernel.listeners((listener) => publisherOf(listener) !== undefined);
    const shadowed = listeners.flatMap((listener) => {
      const endpoint = publisherOf(listener);
      return endpoint === undefined ? [] : [{ listener, endpoint }];
    });
    return { shadowed };
  } catch (error) {
    return { shadowed: [], listenersFault: error instanceof Error ? error.message : String(error) };
  }
}
