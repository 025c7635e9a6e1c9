/** The route that comes with an address. */
import { addressOf, familyOf, lengthOf, prefixOf } from '../model/address.ts';
import type { Address, Route } from './object.ts';

/**
 * The connected route that the kernel makes with an address as soon as its link is up. Undefined for an IPv4 address
 * that is alone in its prefix (`fib_add_ifaddr` of `net/ipv4/fib_frontend.c` makes none for a /32, while IPv6 makes one
 * for a /128 too), and for link-local addresses, whose routes are the kernel's business on every link and no object of
 * weft's. IPv4 routes name their source address, IPv6 ones do not.
 *
 * It can be deleted by hand without its address, so it is an object of its own. Whoever desires an address desires
 * this route as well: otherwise making the address would make a stray.
 */
export function connectedRouteOf(address: Address): Route | undefined {
  const family = familyOf(address.address);
  if (family === 4 && lengthOf(address.address) === 32) return undefined;
  if (family === 6 && /^fe[89ab]/.test(address.address)) return undefined;
  return {
    kind: 'route',
    ns: address.ns,
    link: address.link,
    destination: prefixOf(address.address),
    ...(family === 4 ? { source: addressOf(address.address) } : {}),
    protocol: 'kernel',
  };
}
