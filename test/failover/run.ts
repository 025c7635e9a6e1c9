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
  const judgements: Judgement[] = [];
  const failures: string[] = [];
  const { folder, remove } = await makeFolder('failover');
  let cluster: StoreCluster | undefined;
  try {
    for (let round = 1; round <= setting.rounds; round += 1) {
      if (store !== 'file')
        cluster ??= await startCluster(store, fault.servers ?? {}, setting.network?.seats ?? []);
      const trial = new Trial({ store, cluster, network: setting.network, folder }, round);
      await mkdir(join(folder, String(round)));
      const result = await runRound(trial, fault);
      if (result.judgement !== undefined) judgements.push(result.judgement);
      if (result.wrong !== undefined) failures.push(`round ${round}: ${result.wrong}`);
      setting.say(lineOf(store, fault, round, result));
      const isWhole = result.wrong === undefined && (await putRight(cluster));
      // What went wrong in one round shall not be blamed on the next.
      if (!isWhole) cluster = await stopped(cluster);
    }
  } finally {
    await cluster?.stop();
    await remove();
  }
  return { store, fault: fault.name, rounds: setting.rounds, judgements, failures };
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

async function stopped(cluster: StoreCluster | undefined): Promise<undefined> {
  await cluster?.stop();
  return undefined;
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
