/** What a reference means: in the local fold, and once more after catching up, for another host may have just made it. */
import type { Kernel } from '../dataplane/kernel.ts';
import { WeftError } from '../errors.ts';
import { endpointsOfHost } from '../fold/lookup.ts';
import type { State } from '../fold/state.ts';
import { cancelScope } from '../lib/cancel-scope.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { CancelSignal } from '../ports/cancel.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { inspected } from './bodies.ts';
import { catchUpDeadlineMs, statusDeadlineMs } from './defaults.ts';
import { lookupEndpoint, lookupEndpointOf, lookupNetwork } from './lookup.ts';
import type { Replica } from './replica.ts';

export interface FinderPorts {
  readonly log: Pick<EventLog, 'health'>;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Of all its questions: `not-ready` before the log was opened, where the local fold has no answer. */
export class Finder {
  readonly #ports: FinderPorts;
  readonly #host: string;
  readonly #replica: Replica;
  readonly #isOpened: () => boolean;

  constructor(ports: FinderPorts, host: string, replica: Replica, isOpened: () => boolean) {
    this.#ports = ports;
    this.#host = host;
    this.#replica = replica;
    this.#isOpened = isOpened;
  }

  /** @throws WeftError `no-such-network` */
  async network(ref: string, signal: CancelSignal): Promise<Network> {
    const network = await this.#find((state) => lookupNetwork(state, ref), signal);
    return (
      network ?? this.#none('no-such-network', `No network has the name or id '${ref}'`, 'weft network ls')
    );
  }

  /** @throws WeftError `no-such-endpoint` */
  async endpoint(ref: string, signal: CancelSignal): Promise<Endpoint> {
    const endpoint = await this.#find((state) => lookupEndpoint(state, ref), signal);
    return (
      endpoint ??
      this.#none('no-such-endpoint', `No endpoint has the name or id '${ref}'`, 'weft endpoint ls')
    );
  }

  /**
   * The endpoint of a sandbox of this host on a network, or the one that a reference means there.
   *
   * @throws WeftError `no-such-network`, `no-such-endpoint`
   */
  async endpointOn(networkRef: string, ref: string, signal: CancelSignal): Promise<Endpoint> {
    const network = await this.network(networkRef, signal);
    const identity = (await inspected(this.#ports.kernel, ref))?.identity;
    const endpoint = await this.#find(
      (state) =>
        this.#endpointOfSandbox(state, network, ref, identity) ?? lookupEndpointOf(state, network, ref),
      signal,
    );
    const none = `'${ref}' is neither a sandbox of this host nor an endpoint on network '${network.name}'`;
    return endpoint ?? this.#none('no-such-endpoint', none, `weft endpoint ls --network ${network.name}`);
  }

  /** Whether the fold has come to the end of the log; undefined where the store does not say so in time. */
  async isCaughtUp(signal: CancelSignal): Promise<boolean | undefined> {
    if (!this.#isOpened()) return undefined;
    return await this.#within(statusDeadlineMs, signal, (limited) => this.#replica.isCaughtUp(limited));
  }

  async #find<T>(look: (state: State) => T | undefined, signal: CancelSignal): Promise<T | undefined> {
    const found = look(this.#replica.state);
    if (found !== undefined) return found;
    if (!this.#isOpened()) throw notOpened();
    await this.#within(catchUpDeadlineMs, signal, (limited) => this.#replica.catchUp(limited));
    return look(this.#replica.state);
  }

  /** The store's answer if it comes in time; undefined when it does not, which `health` tells of. */
  async #within<T>(
    ms: number,
    signal: CancelSignal,
    ask: (signal: CancelSignal) => Promise<T>,
  ): Promise<T | undefined> {
    using scope = cancelScope(signal);
    const late = this.#ports.clock.sleep(ms, scope.signal).then(() => undefined);
    try {
      return await Promise.race([ask(scope.signal), late]);
    } catch (error) {
      this.#ports.logger.debug('the store did not answer', { reason: String(error) });
      return undefined;
    }
  }

  #endpointOfSandbox(
    state: State,
    network: Network,
    ref: string,
    identity: string | undefined,
  ): Endpoint | undefined {
    for (const endpoint of endpointsOfHost(state, this.#host)) {
      if (endpoint.network !== network.id) continue;
      if (endpoint.sandbox.identity === identity || endpoint.sandbox.ref === ref) return endpoint;
    }
    return undefined;
  }

  /** @param list the command that shows what there is */
  #none(code: 'no-such-network' | 'no-such-endpoint', none: string, list: string): never {
    const { reachable } = this.#ports.log.health;
    // How far this host's knowledge goes, where it may not be all.
    const asOf = ` as of record ${this.#replica.state.ordinal}, and the store cannot be reached for later ones`;
    throw new WeftError(code, `${none}${reachable ? '' : asOf}: see \`${list}\``);
  }
}

/** Before the log was opened for the first time. */
export function notOpened(): WeftError {
  return new WeftError(
    'not-ready',
    'This host has not reached its store yet, so it knows of nothing: try again shortly, see `weft status`',
  );
}
