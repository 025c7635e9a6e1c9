/**
 * Requests for links that are stacked on others, beside those of iproute2 6.1 for the same command, as `strace` shows
 * them. Not every kernel has these links, and what the two say must be one thing to a kernel that has.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { hostNamespace } from '../../core/dataplane/namespace.ts';
import type { Link, StackedType } from '../../core/dataplane/object.ts';
import { littleEndian } from '../native/byte-order.ts';
import { type Message, messagesOf, type Request } from '../netlink/message.ts';
import { MessageWriter } from '../netlink/writer.ts';
import { readLink } from './link.ts';
import { createDummy, createStacked } from './link-requests.ts';

/** The parent's number, as the namespace of the recording had it. */
const parent = { ns: hostNamespace, name: 'lan0' };
const parentIndex = 3;

const recorded: readonly (readonly [string, string, StackedType, string])[] = [
  [
    'link add link lan0 name mv0 type macvlan mode private',
    'mv0',
    { type: 'macvlan', parent, mode: 'private' },
    '0800050003000000 080003006d763000 1c001200 0b0001006d6163766c616e00 0c000200 0800010001000000',
  ],
  [
    'link add link lan0 name iv0 type ipvlan mode l3 private',
    'iv0',
    { type: 'ipvlan', parent, mode: 'l3', flag: 'private' },
    '0800050003000000 0800030069763000 24001200 0a0001006970766c616e0000 14000200 0600010001000000 0600020001000000',
  ],
  [
    'link add link lan0 name iv0 type ipvlan mode l3s vepa',
    'iv0',
    { type: 'ipvlan', parent, mode: 'l3s', flag: 'vepa' },
    '0800050003000000 0800030069763000 24001200 0a0001006970766c616e0000 14000200 0600010002000000 0600020002000000',
  ],
  [
    'link add link lan0 name lan0.50 type vlan id 50',
    'lan0.50',
    { type: 'vlan', parent, id: 50 },
    '0800050003000000 0c0003006c616e302e353000 18001200 08000100766c616e 0c000200 0600010032000000',
  ],
];

describe('requests for stacked links', () => {
  for (const [command, name, type, attributes] of recorded) {
    it(`say what \`ip ${command}\` says`, function () {
      if (!littleEndian) this.skip();
      const link: Link = { kind: 'link', ns: hostNamespace, name, owner: 'network:a', up: false, type };
      const ours = readLink(
        messageOf(createStacked(link, type, { parent: parentIndex, netnsFd: undefined })),
      );
      assert.deepEqual(ours, readLink(recording(attributes)));
      const { parent: _parent, ...stacking } = type;
      assert.deepEqual([ours.stacked, ours.lower.index], [stacking, parentIndex]);
    });
  }

  it('say what `ip link add name dm0 type dummy` says', function () {
    if (!littleEndian) this.skip();
    const link: Link = {
      kind: 'link',
      ns: hostNamespace,
      name: 'dm0',
      owner: 'network:a',
      up: false,
      type: { type: 'dummy' },
    };
    const ours = readLink(messageOf(createDummy(link)));
    assert.deepEqual(ours, readLink(recording('08000300646d3000 10001200 0900010064756d6d79000000')));
    assert.equal(ours.type, 'dummy');
  });
});

function messageOf(one: Request): Message {
  const writer = new MessageWriter(4096);
  const start = writer.begin(one.type, one.flags, 1);
  one.write(writer);
  writer.end(start);
  return only(writer.buffer.slice(0, writer.length));
}

/** An RTM_NEWLINK with an empty header and these attributes. */
function recording(attributes: string): Message {
  const body = Buffer.from(`${'00'.repeat(16)}${attributes.replaceAll(' ', '')}`, 'hex');
  const header = Buffer.alloc(16);
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeUInt16LE(16, 4);
  return only(Uint8Array.from(Buffer.concat([header, body])));
}

function only(bytes: Uint8Array): Message {
  const [message] = messagesOf(bytes);
  assert.ok(message !== undefined);
  return message;
}
