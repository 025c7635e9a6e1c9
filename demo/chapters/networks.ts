/** Chapter 2: a network created on one host is there on the other, and in the store. */
import type { Cast } from '../cast.ts';
import { type Expectation, type Stage, StepFailed } from '../stage.ts';

/** Returns the 64 hex digits of the network's id. */
export async function showNetworks(stage: Stage, cast: Cast): Promise<string> {
  const { minion0, etcdmaster } = cast;
  stage.chapter('An overlay network');
  stage.say('No overlay yet, on either host.');
  for (const place of [minion0, etcdmaster]) {
    await stage.look(place, 'weft', ['network', 'ls'], {
      expect: [{ pattern: /^NETWORK ID/, what: 'the list of networks' }],
    });
  }
  stage.say('It is created on one host...');
  const create = ['network', 'create', '--driver=overlay', '--subnet=10.0.1.0/24', 'overlayred'];
  const id = idIn(await stage.act(minion0, 'weft', create));
  const listed: Expectation = {
    pattern: new RegExp(`^${id.slice(0, 12)}\\s+overlayred\\s+overlay\\b`, 'm'),
    what: 'overlayred with its id and driver',
  };
  await stage.look(minion0, 'weft', ['network', 'ls'], { expect: [listed] });
  stage.say('...and is on the other, which nobody told:');
  await stage.look(etcdmaster, 'weft', ['network', 'ls'], { expect: [listed] });
  await stage.look(etcdmaster, 'weft', ['network', 'inspect', 'overlayred'], {
    expect: [
      { pattern: new RegExp(`"Id": "${id}"`), what: 'the id' },
      { pattern: /"Scope": "global"/, what: 'the scope' },
      { pattern: /"Subnet": "10\.0\.1\.0\/24"/, what: 'the subnet' },
      { pattern: /"Containers": \{\}/, what: 'that nothing is attached' },
    ],
  });
  await showStore(stage, cast);
  return id;
}

/** What the log holds: by weft on every store, and as its server has it. */
async function showStore(stage: Stage, cast: Cast): Promise<void> {
  stage.say(
    'How did it get there? Each request is one record of the log; every host reads them in the same order.',
  );
  await stage.look(cast.etcdmaster, 'weft', ['log'], {
    expect: [
      { pattern: /minion0\s.*network-create overlayred overlay 10\.0\.1\.0\/24/, what: 'the request' },
    ],
  });
  if (cast.server === undefined) return;
  stage.say('And so it stands in the store, as JSON:');
  const { command, args } = await cast.server.look();
  await stage.look(cast.etcdmaster, command, args, {
    expect: [{ pattern: /overlayred/, what: 'the network' }],
  });
}

/** @throws StepFailed when the output is no id */
export function idIn(output: string): string {
  const id = output.trim();
  if (!/^[0-9a-f]{64}$/.test(id)) throw new StepFailed(`\`weft network create\` printed no id but ${id}`);
  return id;
}
