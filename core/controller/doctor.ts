/** What `weft doctor` tells of: collected anew at each call. Reads only. */
import type { Archivist } from '../archive/archivist.ts';
import type { Kernel } from '../dataplane/kernel.ts';
import { nftTableKey } from '../dataplane/key.ts';
import { hostNamespace } from '../dataplane/namespace.ts';
import type { DesiredView } from '../reconcile/desired.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import type { DoctorReport } from './control.ts';

export interface DoctorSources {
  readonly kernel: Kernel;
  readonly desired: DesiredView;
  readonly reconciler: Reconciler;
  readonly archivist: Archivist;
}

export async function examine(sources: DoctorSources): Promise<DoctorReport> {
  const { reconciler, archivist } = sources;
  return {
    repairs: reconciler.repairs(),
    failing: reconciler.failing(),
    archive: archivist.report,
    ...(await lookAtFirewalls(sources)),
  };
}

/** Other firewalls concern a host only while something of weft's is forwarded there. */
async function lookAtFirewalls({
  kernel,
  desired,
}: DoctorSources): Promise<Pick<DoctorReport, 'droppingChains' | 'firewallsFault'>> {
  if (desired.get(nftTableKey(hostNamespace)) === undefined) return { droppingChains: [] };
  try {
    return { droppingChains: await kernel.droppingChains() };
  } catch (error) {
    const firewallsFault = error instanceof Error ? error.message : String(error);
    return { droppingChains: [], firewallsFault };
  }
}
