/** The codec: what is written is what is read, known bytes, and malformed messages of every kind. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import type { IpAddress } from '../../core/model/address.ts';
import { type Mac, macFromBytes } from '../../core/model/mac.ts';
import { readAddress } from '../objects/address.ts';
import { readFdbEntry } from '../objects/fdb-entry.ts';
import { readLink } from '../objects/link.ts';
import { readNeighbour } from '../objects/neighbour.ts';
import { readRoute } from '../objects/route.ts';
import { MalformedMessage } from './attribute.ts';
import { errorOf, KernelError } from './kernel-error.ts';
import { decode, type Message, messagesOf, type Request, request } from './message.ts';
import { address, addressMessage } from './tables/address.ts';
import { family } from './tables/common.ts';
import { vethLink, vxlanLink } from './tables/link.ts';
import { neighbour, neighbourMessage } from './tables/neighbour.ts';
import { MessageWriter } from './writer.ts';

function bytesOf(...requests: readonly Request[]): Uint8Array {
  const writer = new MessageWriter(4096);
  requests.forEach((one, at) => {
    const start = writer.begin(one.type, one.flags, at + 1);
    one.write(writer);
    writer.end(start);
  });
  return writer.buffer.slice(0, writer.length);
}

const entry = request(
  neighbour,
  neighbourMessage.new,
  0x500,
  { family: family.bridge, index: 7, state: 0x80, flags: 2 },
  { mac: '02:42:0a:00:01:02' as Mac, destination: '192.0.2.200' as IpAddress },
);

describe('netlink messages', () => {
  it('has the bytes that the kernel headers say', function () {
    if (new Uint8Array(new Uint16Array([1]).buffer)[0] !== 1) this.skip();
    const hex = Buffer.from(bytesOf(entry)).toString('hex');
    assert.equal(
      hex,
      // nlmsghdr: 48 bytes, RTM_NEWNEIGH, CREATE|REPLACE, sequence 1; ndmsg; NDA_LLADDR padded to 12; NDA_DST.
      `${'30000000'}${'1c00'}${'0005'}${'01000000'}${'00000000'}` +
        `${'07000000'}${'07000000'}${'8000'}${'0200'}` +
        `${'0a00'}${'0200'}${'02420a000102'}${'0000'}` +
        `${'0800'}${'0100'}${'c00002c8'}`,
    );
  });

  it('reads what it wrote, nested and with headers inside', () => {
    const attributes = {
      name: 'vxlan0',
      mtu: 1450,
      info: {
        kind: 'vxlan',
        data: { vni: 256, local: '192.0.2.1' as IpAddress, port: 4789, learning: 0, proxy: 1 },
      },
    } as const;
    const [vxlan] = messagesOf(bytesOf(request(vxlanLink, 16, 0, { index: 3 }, attributes)));
    assert.ok(vxlan !== undefined);
    assert.deepEqual(decode(vxlanLink, vxlan).attributes, attributes);
    const peer = {
      header: { family: 0, type: 0, index: 0, flags: 1, change: 1 },
      attributes: { name: 'eth0', mac: '02:42:0a:00:01:02' as Mac },
    } as const;
    const [veth] = messagesOf(
      bytesOf(request(vethLink, 16, 0, {}, { info: { kind: 'veth', data: { peer } } })),
    );
    assert.ok(veth !== undefined);
    assert.deepEqual(decode(vethLink, veth).attributes.info?.data?.peer, peer);
  });

  it('reads what it wrote, for any neighbour', () => {
    const mac = fc.uint8Array({ minLength: 6, maxLength: 6 }).map((bytes) => macFromBytes([...bytes]));
    const ip = fc.ipV4().map((text) => text as IpAddress);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7fff_ffff }), mac, ip, (index, lladdr, destination) => {
        const one = request(
          neighbour,
          28,
          0,
          { family: family.ipv4, index, state: 0x80 },
          { mac: lladdr, destination },
        );
        const [message] = messagesOf(bytesOf(one));
        assert.ok(message !== undefined);
        assert.deepEqual(readNeighbour(message), {
          index,
          address: destination,
          mac: lladdr,
          permanent: true,
          weft: false,
        });
      }),
    );
  });

  it('cuts many messages out of one datagram', () => {
    const messages = messagesOf(bytesOf(entry, entry, entry));
    assert.deepEqual(
      messages.map(({ sequence, type }) => [sequence, type]),
      [1, 2, 3].map((at) => [at, neighbourMessage.new]),
    );
  });

  it('tells a refusal with the kernel’s words', () => {
    const words = Buffer.from('Unknown device type\0');
    const payload = Buffer.alloc(20 + 4 + words.length);
    payload.writeInt32LE(-95, 0);
    payload.writeUInt32LE(16, 4);
    payload.writeUInt16LE(4 + words.length, 20);
    payload.writeUInt16LE(1, 22);
    words.copy(payload, 24);
    const error = errorOf(messageOf(2, 0x300, payload));
    assert.ok(error instanceof KernelError);
    assert.equal(error.message, 'EOPNOTSUPP: Operation not supported (RTNETLINK: Unknown device type)');
    assert.equal(errorOf(messageOf(2, 0, Buffer.alloc(20))), undefined);
  });

  it('refuses lengths that do not add up', () => {
    const good = bytesOf(entry);
    for (const [at, value] of [
      [0, 15],
      [0, 255],
      [28, 3],
      [28, 200],
    ] as const) {
      const bad = good.slice();
      bad[at] = value;
      assert.throws(
        () => messagesOf(bad).map((message) => decode(neighbour, message)),
        MalformedMessage,
        `${value} at ${at}`,
      );
    }
    assert.throws(() => messagesOf(good.subarray(0, 10)), MalformedMessage);
    assert.throws(() => errorOf(messageOf(2, 0, Buffer.alloc(3))), MalformedMessage);
  });

  it('survives any bytes: a value or MalformedMessage, nothing else', () => {
    const readers = [readLink, readAddress, readRoute, readNeighbour, readFdbEntry, errorOf];
    const tryAll = (message: Message): void => {
      for (const read of readers) {
        try {
          read(message);
        } catch (error) {
          assert.ok(error instanceof MalformedMessage, String(error));
        }
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(0xffff), (bytes, flags) => {
        tryAll(messageOf(2, flags, Buffer.from(bytes)));
        try {
          messagesOf(bytes).forEach(tryAll);
        } catch (error) {
          assert.ok(error instanceof MalformedMessage, String(error));
        }
      }),
    );
    // Near misses: real messages with one byte changed, and cut anywhere.
    const real = bytesOf(
      request(
        address,
        addressMessage.new,
        0,
        { family: family.ipv6, prefixLength: 64, index: 2 },
        { local: 'fd00::1' as IpAddress, flags: 2, protocol: 87 },
      ),
      request(vxlanLink, 16, 0, { index: 3 }, { name: 'v', info: { kind: 'vxlan', data: { vni: 1 } } }),
    );
    fc.assert(
      fc.property(fc.nat(real.length - 1), fc.nat(255), fc.nat(real.length), (at, value, end) => {
        const bent = real.slice(0, Math.max(end, at + 1));
        bent[at] = value;
        try {
          messagesOf(bent).forEach(tryAll);
        } catch (error) {
          assert.ok(error instanceof MalformedMessage, String(error));
        }
      }),
    );
  });
});

function messageOf(type: number, flags: number, payload: Uint8Array): Message {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return { type, flags, sequence: 1, payload: view };
}
