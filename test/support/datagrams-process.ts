/**
 * A program that sends a datagram from one and the same port again and again, and prints who answers:
 * `node datagrams-process.js ADDRESS PORT`. To the kernel all of that is one flow.
 */
import { createSocket } from 'node:dgram';

const [address = '', port = ''] = process.argv.slice(2);
const intervalMs = 50;

const socket = createSocket('udp4');
socket.on('message', (message) => process.stdout.write(message));
setInterval(() => socket.send('?', Number(port), address), intervalMs);
