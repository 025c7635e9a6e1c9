/** The MTU that a user asks for. */
import { mtuOption } from '../core/fold/driver-traits.ts';
import type { Network } from '../core/model/network.ts';

/** Bytes; undefined for the one that the kernel gives, as Docker has it for 0. */
export function askedMtu(network: Network): number | undefined {
  const asked = Number(network.options[mtuOption] ?? '0');
  return asked === 0 ? undefined : asked;
}
