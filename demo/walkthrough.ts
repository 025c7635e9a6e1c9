/**
 * The demo: the walk-through of Docker's multi-host networking, made by weft alone and on one machine.
 *
 * `npm run demo` does the set-up and runs `runDemo`. Two hosts made of network namespaces, one daemon on each, one log
 * between them; every step prints a command and its real output, and fails when that does not show what the step is
 * about. Everything that it makes it removes, also on Ctrl-C.
 *
 * `stage.ts` shows and checks, `cast.ts` has the hosts and containers, `chapters/` the steps in the order of their telling.
 */
import { parseArgs } from 'node:util';
import { labHindrance } from '../lab/hosts.ts';
import { type Cast, gather } from './cast.ts';
import { showContainers } from './chapters/containers.ts';
import { checkNothingLeft, showFarewell } from './chapters/farewell.ts';
import { showHosts } from './chapters/hosts.ts';
import { showNetworks } from './chapters/networks.ts';
import { showRepair } from './chapters/repair.ts';
import { showTenants } from './chapters/tenants.ts';
import { showTraffic } from './chapters/traffic.ts';
import { Stage } from './stage.ts';
import { type StoreKind, storeKinds, storeUnavailable } from './store-server.ts';

const usage = `usage: npm run demo [-- --store ${storeKinds.join('|')}]\n`;

/** Runs the demo with the arguments after its name. Resolves with the exit status. */
export async function runDemo(args: readonly string[]): Promise<number> {
  const store = storeIn(args);
  if (store === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const hindrance = (await labHindrance()) ?? storeUnavailable(store);
  if (hindrance !== undefined) {
    process.stderr.write(`demo: cannot run here: ${hindrance}\n`);
    return 1;
  }
  const stage = new Stage((text) => process.stdout.write(text), process.stdout.isTTY);
  try {
    await perform(stage, store);
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\ndemo: FAILED: ${reason}\n`);
    return 1;
  }
}

async function perform(stage: Stage, store: StoreKind): Promise<void> {
  const startedAt = performance.now();
  const cast = await gather(store);
  try {
    await tell(stage, cast);
  } finally {
    await cast.leave();
  }
  checkNothingLeft(stage, cast.lab.prefix);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  stage.say(`The demo is complete: every step showed what it must (store: ${store}, ${seconds} s).`);
}

async function tell(stage: Stage, cast: Cast): Promise<void> {
  await showHosts(stage, cast);
  const redId = await showNetworks(stage, cast);
  const red = await showContainers(stage, cast, redId);
  await showTraffic(stage, cast, red);
  const blue = await showTenants(stage, cast, redId);
  await showRepair(stage, cast, red);
  await showFarewell(stage, cast, { ...red, ...blue });
}

function storeIn(args: readonly string[]): StoreKind | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { store: { type: 'string', default: 'file' } },
    });
    return storeKinds.find((kind) => kind === values.store);
  } catch {
    return undefined;
  }
}
