/**
 * A program that listens at ports by TCP and UDP, of both families, and answers whatever comes with its name and with
 * whom it sees: `node answering-process.js NAME PORT…`. Says `ready` when all of it listens.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const [name = '', ...ports] = process.argv.slice(2);

for (const port of ports.map(Number)) {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(answerTo(socket.remoteAddress));
  });
  server.listen(port, '::');
  await once(server, 'listening');
  const datagrams = createSocket({ type: 'udp6', ipv6Only: false });
  datagrams.on('message', (_message, peer) =>
    datagrams.send(answerTo(peer.address), peer.port, peer.address),
  );
  datagrams.bind(port, '::');
  await once(datagrams, 'listening');
}
process.stdout.write('ready\n');

function answerTo(peer: string | undefined): string {
  return `${name} ${(peer ?? '').replace('::ffff:', '')}\n`;
}
