import type { Network } from '../../core/model/network.ts';
import { askedMtu } from '../mtu.ts';

/** What Ethernet carries, bytes, and what Docker takes. A smaller link further on is found by path MTU discovery. */
const ethernetMtu = 1500;

/** Bytes. */
export function bridgeMtu(network: Network): number {
  return askedMtu(network) ?? ethernetMtu;
}
