/**
 * This host's membership: it announces itself, knows its epoch, and notices when it is no longer the one, or when the
 * others have given it up and it is to join again.
 */
import type { Kernel } from '../dataplane/kernel.ts';
import { isWeftError, WeftError } from '../errors.ts';
import type { Change } from '../fold/change.ts';
import { hostNamed } from '../fold/lookup.ts';
import type { State } from '../fold/state.ts';
import { avoidedPrefixesMax } from '../limits.ts';
import type { BodyOf } from '../log/record.ts';
import type { IpAddress } from '../model/address.ts';
import type { RecordId } from '../model/ids.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { rejoinDelayMs } from './defaults.ts';
import type { Author, Requests } from './requests.ts';

export interface HostIdentity {
  readonly host: string;
  readonly address: IpAddress;
  /** 32 hexadecimal digits, kept in the host's data directory. */
  readonly identity: string;
  /** MTU of the underlay link, bytes. */
  readonly mtu: number;
  readonly version: string;
  /** Of its gateway bridge, as text; absent: the one that it had, or one that is free. */
  readonly gatewaySubnet?: string;
}

/**
 * How a membership ended. For good: an operator removed the host, or another daemon took over its identity. Or until it
 * joins again, which it does by itself: the others took it for lost, and it is down or expired.
 */
export type Loss = 'removed' | 'superseded' | 'down' | 'expired';

export class Membership {
  readonly #self: HostIdentity;
  readonly #requests: Requests;
  readonly #kernel: Pick<Kernel, 'routes'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Ids of our own join records: each may land late, and gives us its epoch when it does. */
  readonly #joins = new Set<RecordId>();
  #epoch: number | undefined;
  #loss: Loss | undefined;
  #muteReason: string | undefined;

  constructor(
    self: HostIdentity,
    requests: Requests,
    ports: { readonly kernel: Pick<Kernel, 'routes'>; readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#self = self;
    this.#requests = requests;
    this.#kernel = ports.kernel;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
  }

  /** Absent until the first join was accepted. */
  get epoch(): number | undefined {
    return this.#epoch;
  }

  get loss(): Loss | undefined {
    return this.#loss;
  }

  /** Under which this host's beats count; undefined before it has joined, and when it is not to speak any more. */
  get livingEpoch(): number | undefined {
    return this.#loss === 'removed' || this.#loss === 'superseded' ? undefined : this.#epoch;
  }

  /** It has joined, and nothing has ended that since. */
  get isMember(): boolean {
    return this.#epoch !== undefined && this.#loss === undefined;
  }

  /** The author of this host's records. @throws WeftError `not-ready`, `host-astray`, `host-down`, `host-removed`, `stale-epoch` */
  author(state: State): Author {
    if (this.#loss === 'removed') throw removedError(this.#self.host);
    if (this.#loss === 'superseded') throw supersededError(this.#self.host);
    if (this.#muteReason !== undefined)
      throw new WeftError('host-astray', `Nothing is asked of the log: ${this.#muteReason}`);
    if (this.#loss !== undefined) throw fallenError(this.#self.host, this.#loss);
    if (this.#epoch === undefined) {
      throw new WeftError(
        'not-ready',
        'This host has not joined its cluster yet: try again shortly, see `weft status`',
      );
    }
    return { host: this.#self.host, epoch: this.#epoch, base: state.ordinal };
  }

  /** No record of this host is written from now on: what it knows of the log is in doubt. */
  mute(reason: string): void {
    this.#muteReason = reason;
  }

  /** True when the log has the host's name, but for another machine. */
  isForeign(state: State): boolean {
    const known = hostNamed(state, this.#self.host);
    return known !== undefined && known.identity !== this.#self.identity;
  }

  /**
   * Announces the host, for as long as it takes; also anew, when it was given up.
   *
   * @throws WeftError `host-taken`, `address-in-use-by-host`, `bad-name`…: what the fold rejects a join with;
   *   returns early when `signal` aborts
   */
  async join(state: () => State, signal: CancelSignal): Promise<void> {
    const { host } = this.#self;
    while (!signal.aborted) {
      const id = this.#requests.newRecordId();
      this.#joins.add(id);
      const author = { host, epoch: 0, base: state().ordinal };
      try {
        await this.#requests.perform(author, 'host-join', await this.#body(), { by: 'daemon', signal }, id);
        return;
      } catch (error) {
        // An earlier attempt may have been in the log all the while.
        if (signal.aborted || this.isMember) return;
        if (!isPassing(error)) throw error;
        this.#logger.warn('cannot join the cluster yet', { reason: error.message });
      }
      await this.#clock.sleep(rejoinDelayMs, signal);
    }
  }

  async #body(): Promise<BodyOf<'host-join'>> {
    const { address, identity, mtu, version, gatewaySubnet } = this.#self;
    const avoid = (await this.#kernel.routes()).slice(0, avoidedPrefixesMax);
    return {
      address,
      identity,
      mtu,
      version,
      ...(gatewaySubnet === undefined ? {} : { gatewaySubnet }),
      ...(avoid.length === 0 ? {} : { avoid }),
    };
  }

  /**
   * To be called with the changes of every step, in order. Returns how the membership ended, where these ended it.
   *
   * @param record that made them; absent where they are those of a leap
   * @param state that they led to
   */
  observe(changes: readonly Change[], record: RecordId | undefined, state: State): Loss | undefined {
    let loss: Loss | undefined;
    for (const change of changes)
      loss = this.#observeChange(change, record ?? this.#joinOf(change, state)) ?? loss;
    return loss;
  }

  /** Of a leap: the join of ours that gave this host its present life, if it was one, as the fold remembers it. */
  #joinOf(change: Change, { memory }: State): RecordId | undefined {
    if (change.type !== 'host-set') return undefined;
    const { joined } = change.host;
    return [...this.#joins].find((id) => (memory.present.get(id) ?? memory.previous.get(id)) === joined);
  }

  #observeChange(change: Change, record: RecordId | undefined): Loss | undefined {
    if (!('host' in change) || change.host.name !== this.#self.host || this.#isOver) return undefined;
    if (change.type === 'host-removed') {
      return this.#epoch === undefined ? undefined : this.#lose(change.isExpired ? 'expired' : 'removed');
    }
    const { epoch, isDown } = change.host;
    if (record !== undefined && this.#joins.has(record)) {
      this.#epoch = epoch;
      this.#loss = undefined;
    } else if (epoch !== this.#epoch) {
      return this.#epoch === undefined ? undefined : this.#lose('superseded');
    }
    return isDown ? this.#lose('down') : undefined;
  }

  /** Nothing brings it back but another daemon's start. */
  get #isOver(): boolean {
    return this.#loss === 'removed' || this.#loss === 'superseded';
  }

  #lose(loss: Loss): Loss {
    this.#loss = loss;
    return loss;
  }
}

function isPassing(error: unknown): error is Error {
  const codes = [
    'store-unreachable',
    'outcome-unknown',
    'store-full',
    'store-auth',
    'log-suspect',
    // Another log may come to succeed it.
    'log-mismatch',
    'log-moved',
    'too-old',
    // A join of ours, or of our former life, has come in between; what we know of the log is about to grow.
    'stale-epoch',
    // The host's routes could not be read this time.
    'kernel',
  ] as const;
  return codes.some((code) => isWeftError(error, code));
}

function fallenError(host: string, loss: 'down' | 'expired'): WeftError {
  return new WeftError(
    'host-down',
    `Host '${host}' was ${loss === 'down' ? 'taken down' : 'expired'} by the others, and joins again: try again shortly`,
  );
}

function removedError(host: string): WeftError {
  return new WeftError(
    'host-removed',
    `Host '${host}' was removed from the cluster: restart its daemon to join again`,
  );
}

function supersededError(host: string): WeftError {
  return new WeftError(
    'stale-epoch',
    `Another daemon has joined as '${host}' with this one's identity; this one has stopped: stop one of the two, ` +
      'or give it a data directory of its own',
  );
}
