/** The replay itself: reads a bundle through once to know that it is whole, then folds its entries one by one. */
import { entryBytes } from '../core/bundle/entry-text.ts';
import type { BundleLineOf } from '../core/bundle/lines.ts';
import { badBundle, readBundle } from '../core/bundle/read.ts';
import { isWeftError, WeftError } from '../core/errors.ts';
import { apply } from '../core/fold/apply.ts';
import { changesBetween } from '../core/fold/difference.ts';
import { initialState } from '../core/fold/predefined.ts';
import type { State } from '../core/fold/state.ts';
import { decodeEntry } from '../core/log/entry.ts';
import type { Manifest } from '../core/snapshot/manifest.ts';
import { SnapshotReader } from '../core/snapshot/read-snapshot.ts';
import { differencesOf } from './difference.ts';
import { type Dossier, readDossier } from './dossier.ts';
import type { Opened, ReplayedEntry, ReplayedRecord, ReplayedSnapshot } from './events.ts';
import { HashWatch } from './hash-watch.ts';
import { type FoldedStep, HostReplay } from './host-replay.ts';
import type { HashVerdict, KernelVerdict, Verdict } from './verdict.ts';

export interface ReplayOptions {
  /** Whose kernel is lived again; the bundle's own host by default. */
  readonly host?: string;
  /** The last ordinal to fold; by default that of the bundle. */
  readonly to?: number;
}

/** Where namespaces' names begin where the bundle does not say. */
const netnsPrefixDefault = 'weft-';

/**
 * Told in this order: what was opened, each entry, the verdict. Whoever stops listening ends it.
 *
 * @param open gives the bytes of the bundle after decompression, anew each time; called twice
 * @throws WeftError `bad-bundle`, `newer-bundle`; `malformed` where `to` lies before the bundle's snapshot; `unknown-version` at a record of a newer schema
 */
export async function* replayBundle(
  open: () => AsyncIterable<Uint8Array>,
  options: ReplayOptions = {},
): AsyncGenerator<Opened | ReplayedSnapshot | ReplayedEntry | Verdict, void, void> {
  const dossier = await readDossier(open());
  const { header, entries, snapshot, brokenOff } = dossier;
  const host = options.host ?? header.host;
  yield {
    type: 'opened',
    header,
    entries,
    host,
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(brokenOff === undefined ? {} : { brokenOff }),
  };
  const replay = new Replay(dossier, host, options.to);
  for await (const line of readBundle(open())) {
    if (replay.isDone) break;
    if (line.type === 'snapshot-line') {
      const begun = await replay.begin(line.text);
      if (begun !== undefined) yield begun;
    }
    if (line.type === 'entry') yield await replay.follow(line);
  }
  yield replay.verdict();
}

class Replay {
  readonly #dossier: Dossier;
  readonly #host: HostReplay;
  readonly #isOwnHost: boolean;
  readonly #hashes: HashWatch;
  readonly #to: number;
  /** While the lines of the snapshot come in. */
  #reader: SnapshotReader | undefined;
  #state: State = initialState();

  constructor(dossier: Dossier, host: string, to = Number.POSITIVE_INFINITY) {
    const { header, daemon, checkpoints, snapshot } = dossier;
    if (snapshot !== undefined && to < snapshot.ordinal) throw tooEarly(snapshot.ordinal, to);
    this.#dossier = dossier;
    this.#isOwnHost = host === header.host;
    const configuration = daemon?.configuration ?? {};
    const prefix = configuration['netns-prefix'] ?? netnsPrefixDefault;
    // Of another host it is not known what its operator allows.
    this.#host = new HostReplay(host, prefix, {
      acceptInForeignChains: this.#isOwnHost && configuration['accept-in-foreign-chains'] === 'true',
      acceptForeignVteps: this.#isOwnHost && configuration['accept-foreign-vteps'] === 'true',
    });
    this.#hashes = new HashWatch([...checkpoints, header]);
    this.#to = Math.min(to, header.ordinal);
    if (snapshot === undefined) this.#hashes.observe(this.#state);
    else {
      this.#reader = new SnapshotReader();
      this.#hashes.forgetBefore();
    }
  }

  get isDone(): boolean {
    return this.#reader === undefined && this.#state.ordinal >= this.#to;
  }

  /** Takes a line of the snapshot; with the last one, the replay stands at its ordinal. */
  async begin(text: string): Promise<ReplayedSnapshot | undefined> {
    const reader = this.#reader;
    if (reader === undefined) throw badBundle('it has lines of a snapshot where none is');
    const state = sound(() => {
      reader.take(text);
      return reader.isWhole ? reader.finish() : undefined;
    });
    if (state === undefined) return undefined;
    requireClaimed(state, this.#dossier.snapshot);
    const changes = changesBetween(this.#state, state);
    this.#state = state;
    this.#reader = undefined;
    this.#hashes.observe(state);
    const operations = await this.#host.follow([{ state, changes }]);
    return { type: 'snapshot', ordinal: state.ordinal, operations };
  }

  async follow(entry: BundleLineOf<'entry'>): Promise<ReplayedEntry> {
    if (this.#reader !== undefined) throw badBundle('its snapshot ends before its end');
    const bytes = entryBytes(entry);
    if (bytes === undefined) throw badBundle(`the entry at position ${entry.position} is no base64`);
    const records: ReplayedRecord[] = [];
    const steps: FoldedStep[] = [];
    for (const line of decodeEntry(bytes)) {
      if (this.isDone) break;
      const applied = apply(this.#state, line);
      if (applied.halted) throw tooNew(applied.version, this.#state.ordinal + 1);
      const { state, outcome, record, changes } = applied;
      this.#state = state;
      this.#hashes.observe(state);
      steps.push({ state, changes });
      records.push({ outcome, ...(record === undefined ? {} : { record }) });
    }
    return { type: 'entry', position: entry.position, records, operations: await this.#host.follow(steps) };
  }

  verdict(): Verdict {
    if (this.#reader !== undefined && this.#dossier.brokenOff === undefined)
      throw badBundle('its snapshot ends before its end');
    const { ordinal, recordHash, stateHash } = this.#state;
    const hashes = this.#hashVerdict();
    const kernel = this.#kernelVerdict();
    const planner = this.#host.differences();
    const isShort = ordinal < this.#to;
    const isUnasked =
      isShort ||
      (kernel.result === 'not-compared' && this.#isOwnHost && this.#to >= this.#dossier.header.ordinal);
    const agrees =
      !isUnasked && hashes.result !== 'differs' && kernel.result !== 'differs' && planner.length === 0;
    const notes = this.#notes();
    return { type: 'verdict', ordinal, recordHash, stateHash, hashes, kernel, planner, notes, agrees };
  }

  #hashVerdict(): HashVerdict {
    const { difference, compared } = this.#hashes;
    if (difference !== undefined) return { result: 'differs', ...difference };
    if (this.#state.ordinal < this.#to) return { result: 'not-compared', reason: this.#shortReason() };
    if (compared > 0) return { result: 'same', compared };
    return { result: 'not-compared', reason: `no hash was recorded up to ordinal ${this.#state.ordinal}` };
  }

  #kernelVerdict(): KernelVerdict {
    const { header, kernel, objects, failing } = this.#dossier;
    const not = (reason: string): KernelVerdict => ({ result: 'not-compared', reason });
    if (!this.#isOwnHost) return not(`the bundle has the kernel of host ${header.host} alone`);
    if (this.#state.ordinal < header.ordinal) {
      return not(
        this.#to < header.ordinal
          ? `the kernel was recorded at ordinal ${header.ordinal}`
          : this.#shortReason(),
      );
    }
    if (kernel === undefined) return not('the bundle has no kernel objects');
    if (kernel.fault !== undefined) return not(`the daemon could not look at all of it: ${kernel.fault}`);
    const differences = differencesOf(this.#host.desired, objects);
    if (differences.length === 0) return { result: 'same', objects: this.#host.desired.size };
    const reasons = new Map(failing.map(({ text, reason }) => [text, reason]));
    return {
      result: 'differs',
      differences: differences.map((difference) => {
        const reason = reasons.get(difference.text);
        return reason === undefined ? difference : { ...difference, failing: reason };
      }),
    };
  }

  #shortReason(): string {
    const { header, brokenOff } = this.#dossier;
    const why = brokenOff === undefined ? 'the entries end before' : `the entries break off: ${brokenOff}`;
    return `the bundle is of ordinal ${header.ordinal}, and ${why}`;
  }

  #notes(): readonly string[] {
    const { daemon, kernel, repairs } = this.#dossier;
    const { phase, phaseReason } = daemon?.status ?? { phase: 'running' };
    return [
      ...(phase === 'running'
        ? []
        : [`the daemon was not at work: ${phase}${phaseReason === undefined ? '' : ` (${phaseReason})`}`]),
      ...(kernel?.steady === false
        ? ['the data plane was in motion when it was looked at: a difference may be work under way']
        : []),
      ...(repairs > 0
        ? [`the daemon had repaired drift lately: the bundle tells of ${repairs} repairs`]
        : []),
    ];
  }
}

/** What a reader of snapshots refuses, as what is wrong with the bundle. */
function sound<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isWeftError(error, 'bad-snapshot')) throw error;
    throw badBundle(`it begins with a snapshot that is none: ${error.message}`, error);
  }
}

/** The lines say of themselves what they add up to, and so does the manifest. */
function requireClaimed(state: State, claimed: Manifest | undefined): void {
  const isSame =
    state.ordinal === claimed?.ordinal &&
    state.recordHash === claimed.recordHash &&
    state.stateHash === claimed.stateHash;
  if (!isSame) throw badBundle(`its snapshot stands at ordinal ${state.ordinal} and is not what it claims`);
}

function tooEarly(begins: number, to: number): WeftError {
  return new WeftError(
    'malformed',
    `Cannot replay up to record ${to}: the bundle begins with a snapshot at record ${begins}, and has none of the ` +
      `records before it: give ${begins} or more`,
  );
}

function tooNew(version: number, ordinal: number): WeftError {
  return new WeftError(
    'unknown-version',
    `Record ${ordinal} has schema version ${version}, which this version of weft does not know: replay it with a newer one`,
    { details: { version, ordinal } },
  );
}
