/**
 * P10: what a validator accepts can go wherever its kind of text goes, and two texts that are accepted are told apart
 * there. Where they go: names of interfaces and namespaces, netlink attributes (the alias), lines of hosts files, paths
 * below `/proc/sys`, and the commands that are shown for people to repeat.
 *
 * Ids are no texts of users: names that are cut from them (`weft-` and 10 digits, `veth` and 11) are as distinct as
 * their digits.
 */
import assert from 'node:assert/strict';
import { isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { keyOf } from '../../core/dataplane/key.ts';
import { ownedNamespace, parseNamespace, sandboxNamespace } from '../../core/dataplane/namespace.ts';
import type { HostsEntry, KernelObject, Link } from '../../core/dataplane/object.ts';
import { linkOfSysctl } from '../../core/dataplane/sysctl.ts';
import { toCommands, toDeletion } from '../../core/dataplane/text.ts';
import {
  addressFromBigInt,
  addressToBigInt,
  boundsOf,
  contains,
  familyOf,
  type IpAddress,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
  prefixOf,
} from '../../core/model/address.ts';
import { parseMac } from '../../core/model/mac.ts';
import { isInterfaceName, isName, nameKey } from '../../core/model/names.ts';
import { parseSandboxRef } from '../../core/model/sandbox.ts';
import { entriesOf, withBlock, withoutBlock } from '../../kernel/hosts-block.ts';
import { aliasOf, parseAlias } from '../../kernel/objects/alias.ts';
import { runs } from '../support/property-settings.ts';

/** Characters with a meaning somewhere, among plain ones. */
const special = [...'aZ09_.-@:+/ \t\n\r\0#%$`"\'\\;&|<>()[]{}*?!~^=,', '..', 'é', '\u202e', '$(x)', '\x7f'];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...special), fc.constantFrom('web', 'a', '7')), { maxLength: 20 })
  .map((parts) => parts.join(''));
/** Mostly what a validator takes, so that it is not the generator that keeps the rest out. */
const likely = fc.oneof(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/), hostile);
const names = likely.filter(isName);
const interfaceNames = fc
  .oneof(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,14}$/), hostile)
  .filter(isInterfaceName);
const path = fc
  .array(fc.stringMatching(/^[\x21-\x2e\x30-\x7e]{1,6}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`);
const refs = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.@:+-]{0,9}$/),
    fc.nat().map((pid) => `pid:${pid}`),
    path,
    hostile,
    hostile.map((text) => `/${text}`),
  )
  .filter((text) => parseSandboxRef(text) !== undefined);

const v4 = fc.oneof(fc.ipV4(), fc.ipV4Extended());
const v6 = fc.ipV6();
const addressTexts = fc.oneof(
  v4,
  v6,
  hostile,
  fc
    .tuple(fc.constantFrom('::', '::ffff:', 'fd00::', '64:ff9b::', '1:2:3:4:5:6:'), v4)
    .map(([a, b]) => a + b),
  fc
    .tuple(fc.oneof(v4, v6), fc.constantFrom('', '%eth0', ' ', '\n', '/24', '.0', ':'))
    .map((parts) => parts.join('')),
);

describe('validators (P10)', () => {
  it('P10: a name is one word of a hosts line, and one label of DNS without case', () => {
    fc.assert(
      fc.property(names, names, (a, b) => {
        assert.match(a, /^[!-~]{1,63}$/);
        assert.doesNotMatch(a, /[#\s/\\]/);
        assert.equal(nameKey(a) === nameKey(b), a.toLowerCase() === b.toLowerCase());
      }),
    );
  });

  it('P10: a hosts block says what it was given, and nothing else, whatever the names', () => {
    const address = fc
      .oneof(fc.ipV4(), fc.ipV6())
      .map((text) => parseAddress(text) ?? ('10.0.0.1' as IpAddress));
    const name = fc.oneof(
      names,
      fc.tuple(names, names).map(([a, b]) => `${a}.${b}`),
    );
    const entry = fc
      .tuple(address, fc.array(name, { minLength: 1, maxLength: 4 }))
      .map(([to, of]): HostsEntry => ({ address: to, names: of }));
    const entries = fc.array(entry, { maxLength: 5 });
    const before = '127.0.0.1\tlocalhost\n';
    fc.assert(
      fc.property(entries, refs, (list, ref) => {
        const owner = { prefix: 'weft-', ...(ref.startsWith('/') ? { path: ref } : {}) };
        const text = withBlock(before, owner, list);
        assert.deepEqual(entriesOf(text, owner), list);
        assert.equal(withoutBlock(text, owner), before);
        assert.deepEqual(resolverLines(text), [
          '127.0.0.1 localhost',
          ...list.map(({ address, names: of }) => [address, ...of].join(' ')),
        ]);
      }),
    );
  });

  it('P10: an interface name is what the kernel takes, and one part of a path and of a key', () => {
    fc.assert(
      fc.property(interfaceNames, interfaceNames, (a, b) => {
        assert.ok(Buffer.byteLength(a) <= 15 && !/[/:%\s]/.test(a) && a !== '.' && a !== '..');
        assert.doesNotMatch(a, /^-/);
        assert.equal(linkOfSysctl(`net/ipv4/conf/${a}/rp_filter`), a);
        assert.equal(keyOf(vethOf(a, 'red')) === keyOf(vethOf(b, 'red')), a === b);
      }),
    );
  });

  it('P10: a sandbox reference is told from every other, and comes back from keys and aliases', () => {
    fc.assert(
      fc.property(refs, refs, (a, b) => {
        const [ns, other] = [sandboxNamespace(a), sandboxNamespace(b)];
        assert.deepEqual(parseNamespace(ns), { type: 'sandbox', ref: a });
        assert.equal(ns === other, a === b);
        assert.equal(keyOf(vethOf('eth0', a)) === keyOf(vethOf('eth0', b)), a === b);
        const outer: Link = {
          ...vethOf('veth1', a),
          ns: ownedNamespace('weft-1'),
          type: { type: 'veth', peer: { ns, name: 'eth0' } },
        };
        const alias = aliasOf(outer);
        assert.match(alias, /^weft:endpoint:1( sandbox:[\x21-\x7e]+)?$/);
        const named = parseSandboxRef(a)?.type === 'name';
        assert.deepEqual(parseAlias(alias), { owner: 'endpoint:1', ...(named ? {} : { peer: ns }) });
      }),
    );
  });

  it('P10: a path is absolute and leads where it says', () => {
    fc.assert(
      fc.property(refs, (ref) => {
        const parsed = parseSandboxRef(ref);
        if (parsed?.type === 'path')
          assert.equal(
            new URL(`file://${encodeURI(ref).replaceAll(/[?#]/g, '_')}`).pathname.split('/').length,
            ref.split('/').length,
          );
        if (parsed?.type === 'name') assert.ok(!ref.includes('/') && ref !== '.' && ref !== '..');
        assert.doesNotMatch(ref, /[\0\s]/);
      }),
    );
  });

  it('P10: a command that is shown is for a shell the words that it is for people', () => {
    fc.assert(
      fc.property(refs, interfaceNames, names, (ref, name, host) => {
        const objects = objectsIn(ref, name, host);
        const commands = objects.flatMap((object) => [...toCommands(object), toDeletion(object)]);
        const words = commands.filter((command) => !command.startsWith('#')).flatMap(shellWords);
        for (const command of commands) assert.match(command, /^[ -~]+$/);
        assert.ok(words.includes(placeOf(ref)) && words.includes(name), commands.join('\n'));
      }),
      { numRuns: runs(1000) },
    );
  });

  it('P10: an address is what the machine takes for one, in its canonical form, and two forms of one are one', () => {
    let accepted = 0;
    fc.assert(
      fc.property(addressTexts, (text) => {
        const address = parseAddress(text);
        const isPlain = isIP(text) !== 0 && !text.includes('%');
        if (address === undefined) {
          if (isPlain) assert.ok(isInOldForm(text), `${text} is an address`);
          return;
        }
        accepted += 1;
        assert.ok(isPlain, `${text} is none`);
        assert.equal(parseAddress(address), address);
        assert.equal(addressFromBigInt(addressToBigInt(address), familyOf(address)), address);
        assert.equal(machineForm(address), machineForm(text));
      }),
      { numRuns: runs(1000) },
    );
    assert.ok(accepted > runs(300), `${accepted} are addresses`);
  });

  it('P10: a prefix is its own network, and holds exactly the addresses between its bounds', () => {
    const length = fc.oneof(fc.nat(130).map(String), fc.constantFrom('', '024', '+8', '8 ', '1e1', '-1'));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), length, (text, bits) => {
        const parsed = parseInterfaceAddress(`${text}/${bits}`);
        const isLength = /^(0|[1-9]\d*)$/.test(bits) && Number(bits) <= (text.includes(':') ? 128 : 32);
        assert.equal(parsed !== undefined, isLength && parseAddress(text) !== undefined);
        if (parsed === undefined) return;
        const prefix = prefixOf(parsed);
        assert.deepEqual(parsePrefix(prefix), { prefix });
        const { first, last } = boundsOf(prefix);
        const family = familyOf(prefix);
        for (const [value, isIn] of [
          [first, true],
          [last, true],
          [first - 1n, false],
          [last + 1n, false],
        ] as const) {
          const isAddress = value >= 0n && value < 2n ** (family === 4 ? 32n : 128n);
          if (isAddress) assert.equal(contains(prefix, addressFromBigInt(value, family)), isIn);
        }
      }),
      { numRuns: runs(300) },
    );
  });

  it('P10: a MAC address is six bytes, in whatever form it was written', () => {
    const bytes = fc.uint8Array({ minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(
        bytes,
        bytes,
        fc.constantFrom(':', '-'),
        fc.boolean(),
        hostile,
        (a, b, separator, upper, tail) => {
          const written = (mac: Uint8Array) => {
            const text = [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(separator);
            return upper ? text.toUpperCase() : text;
          };
          const mac = parseMac(written(a));
          assert.equal(
            mac,
            Buffer.from(a)
              .toString('hex')
              .replaceAll(/..(?!$)/g, '$&:'),
          );
          assert.equal(mac === parseMac(written(b)), Buffer.compare(a, b) === 0);
          if (tail !== '') assert.equal(parseMac(written(a) + tail), undefined);
        },
      ),
    );
  });
});

function vethOf(name: string, ref: string): Link {
  const peer = { ns: ownedNamespace('weft-1'), name: 'veth1' };
  return {
    kind: 'link',
    ns: sandboxNamespace(ref),
    name,
    owner: 'endpoint:1',
    up: true,
    type: { type: 'veth', peer },
  };
}

/** Objects whose commands hold a reference, an interface's name or both. */
function objectsIn(ref: string, name: string, host: string): KernelObject[] {
  const link = vethOf(name, ref);
  const { ns } = link;
  const outer: Link = {
    ...link,
    ns: ownedNamespace('weft-1'),
    name: 'veth1',
    type: { type: 'veth', peer: { ns, name } },
  };
  const address = '10.0.1.2' as IpAddress;
  return [
    outer,
    link,
    { kind: 'sysctl', ns, name: `net/ipv4/conf/${name}/rp_filter`, value: '1' },
    { kind: 'hosts', ns, entries: [{ address, names: [host] }] },
  ];
}

/** The words of a line of a hosts file as resolvers read them, comments left out. */
function resolverLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim().split(/\s+/).join(' '));
  return lines.filter((line) => line !== '');
}

/** What a reference is called in a command. */
function placeOf(ref: string): string {
  const parsed = parseSandboxRef(ref);
  return parsed?.type === 'pid' ? `/proc/${parsed.pid}/ns/net` : ref;
}

/** The words of a command as a shell divides it. Nothing is run: what a shell would obey fails here. */
function shellWords(command: string): string[] {
  const words = command.split(' ');
  return words.map((word) => {
    const bare = word.replaceAll(/'[^']*'|\\'/g, '');
    assert.match(bare, /^([A-Za-z0-9_./:@+,=-]*|&&)$/, `${word} in ${command}`);
    return word.replaceAll(/'([^']*)'|\\(')/g, (_, inside?: string, quote?: string) => inside ?? quote ?? '');
  });
}

/** IPv4 inside of IPv6 (RFC 4291 §2.5.5), mapped or, as nobody does any more, compatible: not taken for an address. */
function isInOldForm(text: string): boolean {
  return (
    isIP(text) === 6 &&
    (/^::(ffff:.*|\d+\.\d+\.\d+\.\d+)$/.test(text) || machineForm(text).startsWith('::ffff:'))
  );
}

function machineForm(text: string): string {
  return new SocketAddress({ address: text, family: text.includes(':') ? 'ipv6' : 'ipv4' }).address;
}
