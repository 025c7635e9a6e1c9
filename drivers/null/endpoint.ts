import { sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import type { HostView } from '../../core/driver/driver.ts';
import type { Endpoint } from '../../core/model/endpoint.ts';
import type { Network } from '../../core/model/network.ts';
import { loopbackUp } from '../loopback.ts';

/** The loopback of a local sandbox; nothing for those of other hosts. */
export function compileEndpoint(
  _network: Network,
  endpoint: Endpoint,
  view: HostView,
): readonly KernelObject[] {
  return endpoint.host === view.self.name ? [loopbackUp(sandboxNamespace(endpoint.sandbox.ref))] : [];
}
