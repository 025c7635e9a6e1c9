/** What every network needs of the host's firewall whose packets the host forwards. */
import { hostNamespace } from '../core/dataplane/namespace.ts';
import type { KernelObject } from '../core/dataplane/object.ts';
import type { HostView } from '../core/driver/driver.ts';

const ns = hostNamespace;

export function hostFirewall(view: HostView): KernelObject[] {
  const table: KernelObject = { kind: 'nft-table', ns, intact: true };
  if (!view.acceptsInForeignChains) return [table];
  return [
    table,
    ...['ipv4', 'ipv6'].map(
      (family): KernelObject => ({
        kind: 'nft-element',
        ns,
        set: 'marked',
        key: [family],
      }),
    ),
    { kind: 'nft-accepts', ns, complete: true },
  ];
}
