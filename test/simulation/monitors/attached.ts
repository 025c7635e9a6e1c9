/** Whether an endpoint whose coming or going was answered with success is, or is not, in its host's kernel. */
import { sandboxNamespace } from '../../../core/dataplane/namespace.ts';
import { toText } from '../../../core/dataplane/text.ts';
import type { State } from '../../../core/fold/state.ts';
import type { Endpoint } from '../../../core/model/endpoint.ts';
import type { SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';
import { Violation } from './violation.ts';

/** To be asked where nobody else has touched the machine since the request began. */
export function attachedAt(world: World, host: SimHost, state: State, endpoint: Endpoint): void {
  // It may have been removed again before the answer was out.
  if (!state.endpoints.has(endpoint.id) || endpoint.ifname === undefined) return;
  const ns = sandboxNamespace(endpoint.sandbox.ref);
  const objects = host.machine.objects().filter((object) => object.ns === ns);
  const link = objects.find((object) => object.kind === 'link' && object.name === endpoint.ifname);
  const isUp = link?.kind === 'link' && link.up && link.owner === `endpoint:${endpoint.id}`;
  const missing = endpoint.addresses.filter(
    (address) => !objects.some((object) => object.kind === 'address' && object.address === address),
  );
  if (!isUp || missing.length > 0) {
    const seen = `${link === undefined ? 'no link' : toText(link)}; without ${missing.join(', ') || 'no address'}`;
    world.fail(
      new Violation('I27', `${host.name} answered for ${endpoint.id.slice(0, 12)}, and has ${seen}`),
    );
  }
  world.checked('I27 in the kernel');
}

/** To be asked under the same conditions. @param id of an endpoint whose removal was answered with success */
export function detachedFrom(world: World, host: SimHost, id: string): void {
  const link = host.machine
    .objects()
    .find((object) => object.kind === 'link' && object.owner === `endpoint:${id}`);
  if (link !== undefined) {
    const seen = `answered that ${id.slice(0, 12)} is gone, and has ${toText(link)}`;
    world.fail(new Violation('I27', `${host.name} ${seen}`));
  }
  world.checked('I27 out of the kernel');
}
