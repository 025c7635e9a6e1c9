/** Published ports as Docker shows them: `0.0.0.0:8080->80/tcp`, and ports that follow each other as one range. */
import type { EndpointView } from '../../api/index.ts';

type Port = EndpointView['ports'][number];

/** One text for each stretch of ports, in the order of protocols, addresses and ports. */
export function portTexts(ports: readonly Port[]): string[] {
  const stretches: { readonly first: Port; last: Port }[] = [];
  for (const port of [...ports].sort(compare)) {
    const stretch = stretches.at(-1);
    if (stretch !== undefined && follows(stretch.last, port)) stretch.last = port;
    else stretches.push({ first: port, last: port });
  }
  return stretches.map(({ first, last }) => {
    const address = first.address.includes(':') ? `[${first.address}]` : first.address;
    const host = rangeText(first.hostPort, last.hostPort);
    return `${address}:${host}->${rangeText(first.port, last.port)}/${first.protocol}`;
  });
}

/** All of them in one field. */
export function portsText(ports: readonly Port[]): string {
  return portTexts(ports).join(',');
}

function follows(last: Port, port: Port): boolean {
  return (
    port.protocol === last.protocol &&
    port.address === last.address &&
    port.hostPort === last.hostPort + 1 &&
    port.port === last.port + 1
  );
}

function compare(a: Port, b: Port): number {
  return byText(a.protocol, b.protocol) || byText(a.address, b.address) || a.hostPort - b.hostPort;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rangeText(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}
