/** The underlay address where none is given: that of the link with the default route, if there is no doubt which. */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { WeftError } from '../../core/errors.ts';
import { type IpAddress, parseAddress } from '../../core/model/address.ts';

/** What the machine says of itself; replaced in specs. */
export interface AddressSources {
  /** The text of /proc/net/route. */
  routes(): Promise<string>;
  /** IPv4 addresses of a link. */
  addresses(link: string): readonly string[];
}

const machine: AddressSources = {
  routes: () => readFile('/proc/net/route', 'utf8').catch(() => ''),
  addresses: (link) => {
    return (networkInterfaces()[link] ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address }) => address);
  },
};

/** @throws WeftError `bad-configuration` when there is no default route, or more than one candidate */
export async function defaultAddress(sources: AddressSources = machine): Promise<IpAddress> {
  const links = new Set(defaultLinks(await sources.routes()));
  const candidates = [...links].flatMap((link) => sources.addresses(link));
  const [only] = candidates;
  const address = candidates.length === 1 && only !== undefined ? parseAddress(only) : undefined;
  if (address !== undefined) return address;
  const why =
    candidates.length === 0 ? 'no link has a default route' : `it could be ${candidates.join(' or ')}`;
  const message = `Cannot tell the underlay address of this host: ${why}: give it with --advertise`;
  throw new WeftError('bad-configuration', message);
}

/** Links of the routes whose destination and mask are zero (proc(5): hexadecimal columns, the link first). */
function defaultLinks(routes: string): string[] {
  return routes
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t').map((column) => column.trim()))
    .filter((columns) => columns[1] === '00000000' && columns[7] === '00000000')
    .flatMap((columns) => columns[0] ?? []);
}
