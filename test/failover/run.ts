/** Runs the rounds of a fault on a store, and adds up what came of them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerNetwork } from '../../lab/server-network.ts';
import type { StoreCluster } from '../../lab/store-cluster.ts';
import type { Fault } from './fault.ts';
import type { Judgement } from './judge.ts';
import { makeFolder, type StoreName, startCluster } from './stores.ts';
import { Trial } from './trial.ts';

/** What came of all rounds of one fault on one store. */
export interface Row {
  readonly store: StoreName;
  readonly fault: string;
  readonly rounds: number;
  readonly judgements: readonly Judgement[];
  /** One line for each round in which something was wrong. */
  readonly failures: readonly string[];
}

export interface Setting {
  readonly rounds: number;
  /** Where servers can be cut off from each other; on loopback where there is none. */
  readonly network: ServerNetwork | undefined;
  readonly say: (line: string) => void;
}

const roundMsMax = 180_000;

export async function runFault(store: StoreName, fault: Fault, setting: Setting): Promise<Row> {
  const { folder, remove } = await makeFolder('failover');
  const run: Run = { store, fault, setting, folder, judgements: [], failures: [], cluster: undefined };
  const rounds = Array.from({ length: setting.rounds }, (_, index) => index + 1);
  try {
    if (fault.roundsAtOnce) {
      await haveCluster(run);
      await Promise.all(rounds.map((round) => runOne(run, round)));
    } else for (const round of rounds) await runAlone(run, round);
  } finally {
    await run.cluster?.stop();
    await remove();
  }
  return {
    store,
    fault: fault.name,
    rounds: setting.rounds,
    judgements: run.judgements,
    failures: run.failures,
  };
}

interface Run {
  readonly store: StoreName;
  readonly fault: Fault;
  readonly setting: Setting;
  readonly folder: string;
  readonly judgements: Judgement[];
  readonly failures: string[];
  /** Undefined for the file store, and where the next round shall have another. */
  cluster: StoreCluster | undefined;
}

async function haveCluster(run: Run): Promise<void> {
  const { store, fault, setting, folder } = run;
  if (store === 'file' || run.cluster !== undefined) return;
  const options = (await fault.servers?.(folder)) ?? {};
  run.cluster = await startCluster(store, options, setting.network?.seats ?? []);
}

async function runAlone(run: Run, round: number): Promise<void> {
  await haveCluster(run);
  const isGood = await runOne(run, round);
  // What went wrong in one round shall not be blamed on the next.
  if (isGood && !run.fault.freshServers && (await putRight(run.cluster))) return;
  await run.cluster?.stop();
  run.cluster = undefined;
}

/** True where nothing was wrong. */
async function runOne(run: Run, round: number): Promise<boolean> {
  const { store, fault, setting, folder, cluster } = run;
  const trial = new Trial({ store, cluster, network: setting.network, folder }, round);
  await mkdir(join(folder, String(round)));
  const result = await runRound(trial, fault);
  if (result.judgement !== undefined) run.judgements.push(result.judgement);
  if (result.wrong !== undefined) run.failures.push(`round ${round}: ${result.wrong}`);
  setting.say(lineOf(store, fault, round, result));
  return result.wrong === undefined;
}

interface Result {
  readonly judgement: Judgement | undefined;
  readonly wrong: string | undefined;
}

async function runRound(trial: Trial, fault: Fault): Promise<Result> {
  let judgement: Judgement | undefined;
  let wrong: string | undefined;
  try {
    judgement = await within(fault.limitMs ?? roundMsMax, fault.run(trial));
    if (judgement !== undefined && judgement.complaints.length > 0) wrong = judgement.complaints.join('; ');
  } catch (error) {
    wrong = messageOf(error);
  }
  try {
    await within(roundMsMax, trial.end());
  } catch (error) {
    wrong ??= messageOf(error);
  }
  return { judgement, wrong };
}

/** Thaws and starts what the fault left frozen or dead. False where that does not bring the cluster back. */
async function putRight(cluster: StoreCluster | undefined): Promise<boolean> {
  if (cluster === undefined) return true;
  try {
    for (const server of cluster.servers) {
      await server.kill('SIGCONT');
      if (server.pid === undefined) await server.launch();
    }
    await cluster.ready();
    return true;
  } catch {
    // The caller starts another.
    return false;
  }
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` (${messageOf(error.cause)})`;
  return `${error.message.replaceAll('\n', ' ')}${cause}`;
}

function lineOf(store: StoreName, fault: Fault, round: number, { judgement, wrong }: Result): string {
  const gap = judgement?.gapMs === undefined ? '' : `, gap ${Math.round(judgement.gapMs)} ms`;
  const counts =
    judgement === undefined
      ? ''
      : ` acked ${judgement.acked}, unknown ${judgement.unknown} (applied ${judgement.unknownApplied}), failed ${judgement.failed}${gap}`;
  return `${store} ${fault.name} round ${round}:${counts} ${wrong === undefined ? 'good' : `WRONG: ${wrong}`}`;
}
