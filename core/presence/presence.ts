/**
 * The presence of hosts: every daemon shows that it lives, and all watch each other.
 *
 * Vocabulary: a *beat* is what a daemon writes of itself beside the log (`beat.ts`); the *watch* says who is silent
 * (`watch.ts`); hosts *take turns* to say so in the log (`turn.ts`); hosts that had other hashes at one ordinal have
 * *parted* (`parting.ts`).
 *
 * Nothing here decides anything: what follows from silence is a record like any other, which the fold accepts or refuses.
 * Beats carry no time, and no clock but the observer's own monotonic one is looked at.
 *
 * Invariants:
 * - Nobody is judged by who could not look, or was not seen himself, for all of the time that is judged.
 * - What is judged is one life of a host: its record names the epoch.
 * - A beat that is gone says as little as one that does not change.
 */
import { isWeftError } from '../errors.ts';
import { downHostsMax } from '../fold/host.ts';
import type { State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import { Wake } from '../lib/wake.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Host } from '../model/host.ts';
import type { BootId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { type Account, type Beat, encodeBeat } from './beat.ts';
import { leaveMs, type PresenceOptions, presenceDefaults, staleGraces } from './defaults.ts';
import type { Lead } from './lead.ts';
import { Marks } from './marks.ts';
import { type Pace, paceOf } from './pace.ts';
import { Parting } from './parting.ts';
import { placeOf } from './turn.ts';
import { Watch } from './watch.ts';

export interface PresencePorts {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Where this host stands. */
export interface Stand {
  readonly state: State;
  /** Of its present life; absent before it has joined, and when it has no life any more. */
  readonly epoch: number | undefined;
  readonly phase: Account['phase'];
}

/** What a watch comes to. */
export interface PresenceActs {
  /** Appends a record on another host. @throws WeftError */
  say(kind: 'host-down' | 'host-expire', host: Host, signal: CancelSignal): Promise<void>;
  /** This host has other hashes than the others. */
  astray(reason: string): void;
}

/** What is known of a host beside what the fold knows. */
export interface Sight {
  /** Milliseconds since its last sign of life was seen; absent where none ever was. */
  readonly seenAgoMs?: number;
  /** It has given no sign for the grace time. */
  readonly isSilent: boolean;
  /** As its last beat has it. */
  readonly account?: Account;
  /** Daemons that write as this host; more than one is one too many. */
  readonly daemons: number;
  /** The first ordinal known at which its hashes were not this host's. */
  readonly partedAt?: number;
}

export class Presence {
  readonly #ports: PresencePorts;
  readonly #self: Pick<Account, 'address' | 'version'> & { readonly host: string };
  readonly #options: PresenceOptions;
  readonly #stand: () => Stand;
  readonly #acts: PresenceActs;
  readonly #boot: BootId;
  readonly #watch: Watch;
  readonly #marks = new Marks();
  readonly #parting: Parting;
  readonly #wake = new Wake();
  #count = 0;
  /** Whether a beat of this boot may lie in the store. */
  #isThere = false;
  readonly #said = new Set<string>();

  constructor(
    ports: PresencePorts,
    self: Pick<Account, 'address' | 'version'> & { readonly host: string },
    options: Partial<PresenceOptions>,
    stand: () => Stand,
    acts: PresenceActs,
  ) {
    this.#ports = ports;
    this.#self = self;
    this.#options = { ...presenceDefaults, ...options };
    this.#stand = stand;
    this.#acts = acts;
    this.#boot = ports.random.hex(16) as BootId;
    this.#watch = new Watch(this.#boot);
    this.#parting = new Parting(this.#marks);
  }

  /** To be told of every state, in order. */
  push(state: State): void {
    this.#marks.push(state);
  }

  /** The next beat is due now: what it says has changed. */
  wake(): void {
    this.#wake.notify();
  }

  /** Lives until `signal` aborts. */
  async run(signal: CancelSignal): Promise<void> {
    await Promise.all([this.#beating(signal), this.#watching(signal)]);
  }

  /**
   * Writes a beat now. False where it did not get through.
   *
   * A beat is evidence of nothing else than that this daemon reaches the store: see `Stand.epoch`.
   */
  async beat(signal: CancelSignal): Promise<boolean> {
    const { state, epoch, phase } = this.#stand();
    if (epoch === undefined || phase === 'removed') return false;
    const { host, address, version } = this.#self;
    this.#count += 1;
    const account = { address, version, phase, ordinal: state.ordinal, marks: this.#marks.newest() };
    const bytes = encodeBeat({ host, epoch, count: this.#count, account });
    this.#isThere = true;
    return await this.#attempt('write a beat', signal, this.#pace().beatMs, (limited) =>
      this.#ports.log.presence.put(this.#boot, bytes, limited),
    );
  }

  /** Takes this boot's beat out of the store, if that is quickly done. It hastens nothing: who is gone is silent. */
  async leave(): Promise<void> {
    if (!this.#isThere) return;
    using scope = cancelScope();
    await this.#attempt('take the last beat away', scope.signal, leaveMs, (limited) =>
      this.#ports.log.presence.drop(this.#boot, limited),
    );
  }

  /** What is known of a host. @param host as the fold has it */
  sightOf(host: Host): Sight {
    const latest = this.#watch.latestOf(host);
    const partedAt = this.#parting.of(host.name)?.partedAt;
    const isSelf = host.name === this.#self.host;
    const now = this.#ports.clock.monotonicMs();
    return {
      ...(latest === undefined ? {} : { seenAgoMs: Math.max(0, now - latest.signAtMs) }),
      isSilent: !isSelf && this.#isSilent(host, this.#pace()),
      ...(latest?.beat.account === undefined ? {} : { account: latest.beat.account }),
      daemons: this.#watch.daemonsOf(host.name),
      ...(partedAt === undefined ? {} : { partedAt }),
    };
  }

  /** The other host that was furthest when the beats were last read; undefined where none was seen. */
  furthest(): Lead | undefined {
    const now = this.#ports.clock.monotonicMs();
    let furthest: Lead | undefined;
    for (const { beat, signAtMs } of this.#watch.sightings.values()) {
      const { host, account } = beat;
      if (host === this.#self.host || account === undefined) continue;
      if (account.ordinal > (furthest?.ordinal ?? 0))
        furthest = { host, ordinal: account.ordinal, seenAgoMs: Math.max(0, now - signAtMs) };
    }
    return furthest;
  }

  #pace(): Pace {
    return paceOf(this.#stand().state.hosts.size, this.#options);
  }

  async #beating(signal: CancelSignal): Promise<void> {
    const { clock, random } = this.#ports;
    while (!signal.aborted) {
      await this.beat(signal);
      // Not all in step, who were started by one hand.
      await this.#wake.wait(clock, this.#pace().beatMs * (0.9 + random.unit() / 10), signal);
    }
  }

  async #watching(signal: CancelSignal): Promise<void> {
    const { clock, random } = this.#ports;
    while (!signal.aborted) {
      await clock.sleep(this.#pace().lookMs * (0.9 + random.unit() / 10), signal);
      if (signal.aborted || !(await this.#look(signal))) continue;
      this.#judgeHashes();
      await this.#judgeHosts(signal);
      await this.#sweep(signal);
    }
  }

  /** False where the store did not answer. */
  async #look(signal: CancelSignal): Promise<boolean> {
    const { clock, log } = this.#ports;
    const askedAtMs = clock.monotonicMs();
    return await this.#attempt('see the beats', signal, this.#pace().beatMs, async (limited) => {
      const stored = await log.presence.list(limited);
      // An answer that comes later than the next question would turn back the watch.
      if (limited.aborted) return;
      this.#watch.look(stored, this.#stand().state, askedAtMs, clock.monotonicMs(), this.#pace().gapMs);
    });
  }

  #judgeHashes(): void {
    const { state, phase } = this.#stand();
    if (phase !== 'running') return;
    const others = [...state.hosts.values()].filter(({ name }) => name !== this.#self.host);
    const beats = others.flatMap((host): readonly Beat[] => {
      const beat = this.#watch.latestOf(host)?.beat;
      return beat === undefined || beat.epoch !== host.epoch ? [] : [beat];
    });
    this.#parting.compare(beats, state);
    const pace = this.#pace();
    const heard = others.filter((host) => !host.isDown && !this.#isSilent(host, pace)).length;
    for (const name of this.#parting.parted) this.#complain(`host '${name}' has parted from this one`, name);
    if (this.#parting.isAstray(1 + heard)) this.#acts.astray(this.#whereParted());
  }

  #whereParted(): string {
    const names = this.#parting.parted;
    const stands = names.flatMap((name) => this.#parting.of(name) ?? []);
    const at = Math.min(...stands.map(({ partedAt }) => partedAt ?? Infinity));
    const agreed = Math.max(...stands.map(({ agreedAt }) => agreedAt));
    const what = stands.find(({ partedAt }) => partedAt === at)?.what ?? 'state';
    const since = agreed === 0 ? '' : `, and had the same at ${agreed}`;
    return (
      `this host has other ${what} at record ${at} than ${names.map((name) => `'${name}'`).join(', ')}${since}: ` +
      'a defect of weft or of the store; the data plane is kept as it is, make a `weft bundle` on each and compare them'
    );
  }

  /** Whoever is silent is down, and whoever is down for too long expires: where it is this host's turn to say so. */
  async #judgeHosts(signal: CancelSignal): Promise<void> {
    const { state, phase } = this.#stand();
    if (phase !== 'running' || !this.#watch.isWatching) return;
    const pace = this.#pace();
    const isSilent = (host: Host): boolean => this.#isSilent(host, pace);
    let room = downHostsMax(state) - state.downHosts.size;
    const sayings: Promise<void>[] = [];
    for (const host of state.hosts.values()) {
      if (host.name === this.#self.host) continue;
      const overdueMs = host.isDown
        ? this.#watch.absenceMs(host) - pace.retentionMs
        : this.#watch.silenceMs(host) - pace.graceMs;
      if (overdueMs < 0 || overdueMs < placeOf(this.#self.host, host, state, isSilent) * pace.lookMs)
        continue;
      if (host.isDown) sayings.push(this.#sayOf('host-expire', host, signal));
      else if (room > 0) sayings.push(this.#sayOf('host-down', host, signal));
      else this.#complain('too many hosts are silent to be taken down', 'too many');
      if (!host.isDown) room -= 1;
    }
    await Promise.all(sayings);
  }

  async #sayOf(kind: 'host-down' | 'host-expire', host: Host, signal: CancelSignal): Promise<void> {
    const { logger } = this.#ports;
    const { name, epoch } = host;
    try {
      await this.#acts.say(kind, host, signal);
      logger.warn(kind === 'host-down' ? 'took a silent host down' : 'expired a host', { host: name, epoch });
    } catch (error) {
      // Refused because another was faster, or because the host lives again; or not carried out, and then said again.
      if (!isWeftError(error)) throw error;
      logger.debug('could not say what became of a host', { host: name, epoch, kind, reason: error.message });
    }
  }

  /** Beats of boots that are over are removed by one host, so that the store does not fill with them. */
  async #sweep(signal: CancelSignal): Promise<void> {
    const { state, phase } = this.#stand();
    const pace = this.#pace();
    if (phase !== 'running') return;
    const first = [...state.hosts.values()].find((host) => {
      return host.name === this.#self.host || (!host.isDown && !this.#isSilent(host, pace));
    });
    if (first?.name !== this.#self.host) return;
    for (const [boot] of [...this.#watch.stale(staleGraces * pace.graceMs)]) {
      await this.#attempt('remove a stale beat', signal, pace.beatMs, (limited) =>
        this.#ports.log.presence.drop(boot, limited),
      );
    }
  }

  #isSilent(host: Host, { graceMs }: Pace): boolean {
    return this.#watch.isWatching && this.#watch.silenceMs(host) >= graceMs;
  }

  /** Within a time, or not at all. */
  async #attempt(
    what: string,
    signal: CancelSignal,
    limitMs: number,
    act: (signal: CancelSignal) => Promise<void>,
  ): Promise<boolean> {
    const { clock, logger } = this.#ports;
    using scope = cancelScope(signal);
    const late = clock.sleep(limitMs, scope.signal).then(scope.cancel);
    try {
      await Promise.race([act(scope.signal), late]);
      return !scope.signal.aborted;
    } catch (error) {
      if (!isWeftError(error)) throw error;
      logger.debug(`cannot ${what}`, { reason: error.message });
      return false;
    }
  }

  /** Once for each subject, for as long as the daemon lives. */
  #complain(message: string, subject: string): void {
    if (this.#said.has(subject)) return;
    this.#said.add(subject);
    this.#ports.logger.error(message, { parted: this.#parting.parted.length });
  }
}
