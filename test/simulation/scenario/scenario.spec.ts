import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { requestFaults } from '../world/plan.ts';
import { errnos, type Intervention, ownLinks } from './intervention.ts';
import { parse, print, type Scenario, ScenarioError } from './scenario.ts';

const setting = {
  hosts: 2,
  safetyMs: 20_000,
  storeDelayMs: 20,
  kernelDelayMs: 1,
  snapshotOrdinals: 12,
  graceMs: 6_000,
  retentionMs: 30_000,
  drift: 0.05,
  dead: ['h2'],
  ending: 'none',
  kept: 0.4,
  restored: 'shorter',
  store: 'etcd',
  move: 'none',
  to: 'consul',
  traps: { compaction: 0.3 },
} as const;
const text = fc.string({ minLength: 1, unit: 'binary' });
const maybe = fc.option(text, { nil: undefined });
const ms = fc.nat(20_000);
const part = fc.nat(999).map((value) => value / 1_000);
const host = fc.constantFrom('h1', 'h2');
const cancel = fc.option(ms, { nil: undefined });

const doings: fc.Arbitrary<Pick<Intervention, 'who' | 'doing'>> = fc.oneof(
  fc.record({
    who: text,
    doing: fc.record({
      verb: fc.constant('connect' as const),
      host,
      cancel,
      network: text,
      sandbox: text,
      name: maybe,
      alias: maybe,
      ipv4: maybe,
      mac: maybe,
      ifname: maybe,
      ports: maybe,
      route: maybe,
    }),
  }),
  fc.record({
    who: text,
    doing: fc.record({ verb: fc.constant('remove-endpoint' as const), host, cancel, which: part }),
  }),
  fc.record({ who: host, doing: fc.record({ verb: fc.constantFrom('start' as const, 'crash' as const) }) }),
  fc.record({
    who: host,
    doing: fc.record({
      verb: fc.constant('wall-jump' as const),
      ms: fc.integer({ min: -86_400_000, max: 86_400_000 }),
    }),
  }),
  fc.record({
    who: host,
    doing: fc.record({
      verb: fc.constantFrom('append' as const, 'read' as const),
      fate: fc.constantFrom(...requestFaults),
      after: fc.option(fc.nat(), { nil: undefined }),
    }),
  }),
  fc.record({
    who: host,
    doing: fc.record({
      verb: fc.constant('dump' as const),
      fate: fc.constant('call-fails' as const),
      reason: fc.constantFrom(...errnos),
      after: fc.constant(undefined),
    }),
  }),
  fc.record({
    who: host,
    doing: fc.record({
      verb: fc.constant('foreign-link' as const),
      name: fc.constantFrom(...ownLinks),
      sandbox: maybe,
    }),
  }),
);
const scenarios: fc.Arbitrary<Scenario> = fc.record({
  notes: fc.array(fc.constantFrom('found by seed 1', 'I7: c1 was told so')),
  expect: fc.constantFrom('pass', 'I7', 'I29/I33/I34'),
  seed: fc.nat(),
  setting: fc.record({
    ...Object.fromEntries(Object.entries(setting).map(([name, value]) => [name, fc.constant(value)])),
    drift: part,
    kept: part,
    dead: fc.subarray(['h1', 'h2']),
  }) as unknown as fc.Arbitrary<Scenario['setting']>,
  interventions: fc.array(fc.tuple(ms, doings).map(([atMs, each]) => ({ atMs, ...each }))),
});

describe('a scenario', () => {
  it('comes back from its text as it was', () => {
    fc.assert(
      fc.property(scenarios, (drawn) => {
        // Without the prototypes of the library.
        const scenario = structuredClone(drawn);
        assert.deepEqual(parse(print(scenario)), scenario);
      }),
    );
  });

  it('is one line for each intervention', () => {
    const doing = { verb: 'append', fate: 'lose-answer', after: 2 } as const;
    const scenario = {
      notes: [],
      expect: 'I7',
      seed: 7,
      setting,
      interventions: [{ atMs: 3_500, who: 'h1', doing }],
    };
    assert.ok(print(scenario).endsWith('\n\nat 3500 h1 append fate=lose-answer after=2\n'));
  });

  const head = print({ notes: [], expect: 'pass', seed: 7, setting, interventions: [] }).trimEnd();
  const bad: readonly (readonly [string, RegExp])[] = [
    ['at 5 h1 explode', /'explode' is no verb; known are .*crash/],
    ['at 5 h1 pause', /'pause' needs 'ms=\.\.\.'/],
    ['at 5 h1 pause ms=soon', /'soon' is not a whole number/],
    ['at 5 h1 pause ms=1 ms=2', /'ms' is given twice/],
    ['at 5 h1 crash hard=yes', /'hard=yes' is no value of 'crash'; known are none/],
    ['at 5 h9 crash', /'h9' is no host; there are h1, h2/],
    ['at 5 c1 remove-network host=h9 network=red', /'h9' is no host/],
    ['at 20001 h1 crash', /between 0 and 20000 ms/],
    ['at 5.5 h1 crash', /'5\.5' is not a whole number/],
    ['at 5 h1 read fate=burn', /'burn' is not one of refuse, /],
    ['at 5 h1 outage how=silent ms=5', /is of the store/],
    ['at 5 h1 constructor', /is no verb/],
    ['in 5 h1 crash', /a line is a note, an intervention or one of expect, seed, hosts/],
    ['hosts: 3', /there is a 'hosts' before it/],
  ];
  for (const [line, why] of bad) {
    it(`refuses '${line}', with its number and why`, () => {
      assert.throws(
        () => parse(`${head}\n${line}\n`),
        (error) => {
          assert.ok(error instanceof ScenarioError);
          assert.equal(error.line, head.split('\n').length + 1);
          assert.match(error.message, why);
          return error.message.includes(line);
        },
      );
    });
  }

  it('refuses a text without a setting', () => {
    assert.throws(() => parse('expect: pass\nseed: 1\n'), /has no line 'hosts: \.\.\.'/);
  });
});
