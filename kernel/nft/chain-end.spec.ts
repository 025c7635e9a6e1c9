/** Rulesets, without their conditions, and what becomes of a packet that none of those holds for. */
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { endOfChain, type Step } from './chain-end.ts';

/** Rules by chain, in the words of nft; a rule that asks for anything begins with what it asks for. */
type Ruleset = Readonly<Record<string, readonly string[]>>;

function stepOf(rule: string): Step {
  const [does = '', chain = '', ...more] = rule.split(' ');
  if (more.length > 0) return undefined;
  if (does === 'drop' || does === 'accept' || does === 'return') return { does };
  return does === 'jump' || does === 'goto' ? { does, chain } : undefined;
}

function endOf(ruleset: Ruleset): string {
  const stepsOf = (chain: string) => (ruleset[chain] ?? []).map(stepOf);
  const { at, verdict, via } = endOfChain(stepsOf('forward'), stepsOf);
  return [verdict ?? 'policy', at ?? 'end', via ?? ''].join(' ').trim();
}

describe('The end of a chain', () => {
  const cases: Readonly<Record<string, readonly [string, Ruleset]>> = {
    'is its policy': ['policy end', { forward: ['ct state established accept'] }],
    'is the first rule that asks for nothing': [
      'drop 1',
      { forward: ['ip daddr 192.0.2.1 accept', 'drop', 'accept'] },
    ],
    'is where a chain that it jumps to drops': [
      'drop 0 deny',
      { forward: ['jump deny', 'accept'], deny: ['drop'] },
    ],
    'is where a chain drops that is several jumps away': [
      'drop 0 a',
      { forward: ['jump a'], a: ['jump b'], b: ['goto c'], c: ['ip daddr 192.0.2.1 accept', 'drop'] },
    ],
    'is where a chain that it goes to drops': [
      'drop 0 deny',
      { forward: ['goto deny', 'accept'], deny: ['drop'] },
    ],
    'is its policy where a chain that it goes to does not decide': [
      'policy 0 a',
      { forward: ['goto a', 'drop'], a: ['tcp dport 22 drop'] },
    ],
    'comes after a chain that it jumps to and that returns': [
      'drop 1',
      { forward: ['jump a', 'drop'], a: ['return', 'drop'] },
    ],
    'comes after a chain that goes to one that does not decide': [
      'drop 1',
      { forward: ['jump a', 'drop'], a: ['goto b', 'accept'], b: [] },
    ],
    'is no drop where a chain before it lets all pass': [
      'accept 0 a',
      { forward: ['jump a', 'drop'], a: ['accept'] },
    ],
    'is no drop in a chain that is entered under a condition': [
      'policy end',
      { forward: ['iifname docker0 jump deny'], deny: ['drop'] },
    ],
    'is its policy where it returns': ['policy 0', { forward: ['return', 'drop'] }],
    'is its policy where it jumps to what is not there': ['policy end', { forward: ['jump none'] }],
    'is not found in loops': [
      'policy 1 a',
      { forward: ['jump a', 'goto a', 'drop'], a: ['jump b', 'jump a'], b: ['jump a'] },
    ],
    "is the policy with Docker's chains": [
      'policy end',
      {
        forward: ['jump DOCKER-USER', 'jump DOCKER-FORWARD'],
        'DOCKER-USER': ['return'],
        'DOCKER-FORWARD': [
          'jump DOCKER-CT',
          'jump DOCKER-ISOLATION-STAGE-1',
          'jump DOCKER-BRIDGE',
          'iifname docker0 accept',
        ],
        'DOCKER-CT': ['oifname docker0 ct state established accept'],
        'DOCKER-ISOLATION-STAGE-1': [
          'iifname docker0 oifname != docker0 jump DOCKER-ISOLATION-STAGE-2',
          'return',
        ],
        'DOCKER-ISOLATION-STAGE-2': ['oifname docker0 drop', 'return'],
        'DOCKER-BRIDGE': ['oifname docker0 jump DOCKER'],
        DOCKER: ['iifname != docker0 oifname docker0 drop'],
      },
    ],
    "is a drop of the operator's in one of Docker's chains": [
      'drop 0 DOCKER-USER',
      {
        forward: ['jump DOCKER-USER', 'jump DOCKER-FORWARD'],
        'DOCKER-USER': ['iifname eth0 accept', 'drop'],
      },
    ],
    "is no drop where firewalld's zone accepts": [
      'accept 1 FORWARD_POLICIES',
      {
        forward: ['ct state established accept', 'jump FORWARD_POLICIES', 'drop'],
        FORWARD_POLICIES: ['iifname eth0 jump FWD_public', 'iifname eth0 drop', 'jump FWD_trusted', 'drop'],
        FWD_public: ['jump FWD_public_pre', 'drop'],
        FWD_trusted: ['jump FWD_trusted_pre', 'accept'],
        FWD_trusted_pre: [],
      },
    ],
  };
  for (const [title, [expected, ruleset]] of Object.entries(cases))
    it(title, () => assert.equal(endOf(ruleset), expected));

  it('takes few steps where every chain jumps to the next one twice, and ends where they never do', () => {
    const asked: string[] = [];
    const twice = (chain: string): readonly Step[] => {
      asked.push(chain);
      const next = `${chain}x`;
      return [
        { does: 'jump', chain: next },
        { does: 'jump', chain: next },
      ];
    };
    assert.deepEqual(endOfChain(twice('x'), twice), {});
    assert.equal(asked.length, 17);
  });
});
