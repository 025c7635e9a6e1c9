/**
 * Flows of datagrams to ports of the fake machine's host, as the kernel tracks them: where the first one went, all go,
 * until the flow is forgotten. `nft/outdated-flows.ts` says when that is.
 */
import type { NftElement } from '../../core/dataplane/object.ts';
import { contains, familyOf, type IpAddress, prefixOf } from '../../core/model/address.ts';
import { addressesOf, type FakeNamespace } from './state.ts';

export interface FakeFlow {
  /** One that the host has. */
  readonly address: IpAddress;
  readonly port: number;
  /** Address and port of who gets it: where it is not published, those that it was sent to. */
  readonly target: readonly string[];
}

/** The flow that a first datagram makes. */
export function newFlow({ firewall }: FakeNamespace, sent: Pick<FakeFlow, 'address' | 'port'>): FakeFlow {
  const elements = [...(firewall?.elements.values() ?? [])];
  const element =
    elements.find((one) => one.key.length === 3 && leads(one, sent)) ??
    elements.find((one) => one.key.length === 2 && leads(one, sent));
  return { ...sent, target: element?.value ?? [sent.address, String(sent.port)] };
}

/** Forgets what contradicts an element that was set or deleted. */
export function forgetOutdated(namespace: FakeNamespace, element: NftElement, isGone: boolean): void {
  if (element.value === undefined) return;
  const target = element.value.join(' ');
  namespace.flows = namespace.flows.filter(
    (flow) => !leads(element, flow) || (flow.target.join(' ') === target) !== isGone,
  );
}

/** Forgets what leads into a subnet of one of weft's addresses without an element that says so. */
export function forgetUnexplained(namespace: FakeNamespace): void {
  const elements = [...(namespace.firewall?.elements.values() ?? [])];
  const bridged = [...namespace.links.values()]
    .flatMap(addressesOf)
    .flatMap(({ object, ours }) => (ours ? [prefixOf(object.address)] : []));
  namespace.flows = namespace.flows.filter((flow) => {
    const [address = '', port = ''] = flow.target;
    const isLed = address !== flow.address || port !== String(flow.port);
    const isInside = bridged.some((subnet) => contains(subnet, address as IpAddress));
    const isExplained = elements.some(
      (one) => leads(one, flow) && one.value?.join(' ') === flow.target.join(' '),
    );
    return !isLed || !isInside || isExplained;
  });
}

function leads({ set, key, value }: NftElement, sent: Pick<FakeFlow, 'address' | 'port'>): boolean {
  if (value === undefined || !set.endsWith(String(familyOf(sent.address)))) return false;
  const [address, protocol, port] = key.length === 3 ? key : [sent.address, ...key];
  return address === sent.address && protocol === 'udp' && port === String(sent.port);
}
