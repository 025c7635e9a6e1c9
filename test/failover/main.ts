/**
 * `npm run test:failover`:
 *
 *   npm run test:failover                                     every fault, five times, on every store
 *   npm run test:failover -- --store etcd --fault half-open   some of them; both may be given more than once
 *   npm run test:failover -- --rounds 20                      more often
 *   npm run test:failover -- --record                         and put the figures into docs/failover.md
 *   npm run test:failover -- --list                           names the faults
 *
 * Servers run in network namespaces of their own where this is root; where it is not, on loopback, and faults that cut a
 * server off from the others are left out, which is said. The status is 0 only when everything was run and was right.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildServerNetwork, ServerNetwork } from '../../lab/server-network.ts';
import { commitOfCheckout } from '../simulation/run/commit.ts';
import { Misuse, runProgram, wholeNumber } from '../support/program.ts';
import { isRoot } from '../support/requirements.ts';
import type { Fault } from './fault.ts';
import { faults } from './faults/list.ts';
import { recordRows } from './record.ts';
import { type Row, runFault } from './run.ts';
import { allStores, clusterSize, type StoreName, storeUnavailable } from './stores.ts';
import { cellsOf, tableOf } from './table.ts';

interface Wanted {
  readonly rounds: number;
  readonly stores: readonly StoreName[];
  readonly faults: readonly Fault[];
  readonly isRecorded: boolean;
  readonly network: ServerNetwork | undefined;
}

type Values = ReturnType<typeof read>;

await runProgram(async () => {
  const values = read();
  if (values.list) {
    say(faults.map(({ name, what }) => `${name}: ${what}`).join('\n'));
    return true;
  }
  const all = wanted(values);
  return values.network === undefined && isRoot() ? await runInNetwork() : await runAll(all);
});

/** Builds the network, runs this program in it, and removes the network. Returns whether all went well. */
async function runInNetwork(): Promise<boolean> {
  const { network, claim } = await buildServerNetwork(clusterSize);
  process.once('exit', () => claim.release());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const { command, args } = network.enter;
  const self = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(command, [...args, ...self, '--network', network.prefix], { stdio: 'inherit' });
  claim.addProcess(child.pid ?? 0);
  const [code] = await once(child, 'exit');
  return code === 0;
}

function read() {
  return parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      store: { type: 'string', multiple: true },
      fault: { type: 'string', multiple: true },
      record: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      // Given by this program to itself, once it is in the network.
      network: { type: 'string' },
    },
  }).values;
}

/** @throws Misuse for what there is none of */
function wanted(values: Values): Wanted {
  const rounds = wholeNumber(values.rounds, 'rounds', 1);
  const stores = values.store ?? allStores;
  const names = values.fault ?? faults.map(({ name }) => name);
  return {
    rounds,
    stores: stores.map((name) => found(name, allStores, (store) => store)),
    faults: names.map((name) => found(name, faults, (fault) => fault.name)),
    isRecorded: values.record,
    network: values.network === undefined ? undefined : new ServerNetwork(values.network, clusterSize),
  };
}

function found<T>(name: string, all: readonly T[], nameOf: (each: T) => string): T {
  const each = all.find((one) => nameOf(one) === name);
  if (each === undefined) throw new Misuse(`There is no ${name}: there are ${all.map(nameOf).join(', ')}`);
  return each;
}

async function runAll({ rounds, stores, faults: chosen, isRecorded, network }: Wanted): Promise<boolean> {
  const rows: Row[] = [];
  let leftOut = 0;
  const commit = shortened(commitOfCheckout());
  for (const store of stores) {
    for (const fault of chosen.filter((each) => each.stores.includes(store))) {
      const reason = storeUnavailable(store) ?? rootMissing(fault, network);
      if (reason !== undefined) {
        leftOut += 1;
        say(`${store} ${fault.name}: left out: ${reason}`);
        continue;
      }
      const row = await runFault(store, fault, { rounds, network, say });
      rows.push(row);
      if (isRecorded) recordRows([cellsOf(row, commit)]);
    }
  }
  say(`\n${tableOf(rows.map((row) => cellsOf(row, commit)))}`);
  const wrong = rows.flatMap(({ store, fault, failures }) =>
    failures.map((text) => `${store} ${fault}, ${text}`),
  );
  for (const line of wrong) say(`WRONG: ${line}`);
  return wrong.length === 0 && leftOut === 0;
}

function rootMissing(fault: Fault, network: ServerNetwork | undefined): string | undefined {
  const isMissing = (fault.needsNetwork && network === undefined) || (fault.needsRoot && !isRoot());
  return isMissing ? 'needs root' : undefined;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** As `git log --oneline` has it. */
function shortened(commit: string): string {
  return commit.replace(/^([0-9a-f]{7})[0-9a-f]*/, '$1');
}
