/** Clients: requests to any host that lives, at any time, alone or the same to two hosts at once; some are given up. */
import type { RequestContext } from '../../../core/controller/control.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import type { Endpoint } from '../../../core/model/endpoint.ts';
import { attachedAt, detachedFrom } from '../monitors/attached.ts';
import type { Call, RequestMonitor } from '../monitors/request-monitor.ts';
import type { RequestDoing } from '../scenario/intervention.ts';
import type { Chance } from '../world/chance.ts';
import type { Life, SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';
import { drawRequest, endpointRequest, networkRequest, recordKinds, requestWeights } from './requests.ts';

/** More than one entry holds. */
const floodRequests = 60;

/** Made when all is well again. */
export function lastNetworkOf({ phase }: World, host: SimHost): string {
  return `last-${host.name}${phase === 'reseed' ? '-again' : ''}`;
}

type Act = (life: Life, context: RequestContext) => Promise<Answer>;
type Answer = { readonly id: string; readonly endpoint?: Endpoint };

export class Clients {
  readonly #world: World;
  readonly #hosts: readonly SimHost[];
  readonly #monitor: RequestMonitor;
  readonly #chance: Chance;
  /** Requests without an answer, with the life of the host that was asked. */
  readonly #open = new Map<string, Life>();
  #count = 0;

  constructor(world: World, hosts: readonly SimHost[], monitor: RequestMonitor) {
    this.#world = world;
    this.#hosts = hosts;
    this.#monitor = monitor;
    this.#chance = world.chance('clients');
  }

  /** All that is left to chance. */
  begin(): void {
    const { requestPauseMs } = this.#world.plan;
    if (requestPauseMs === 0) return;
    this.#world.scheduler.first(this.#chance.ms(2 * requestPauseMs), () => {
      if (!this.#world.isFaulty) return;
      if (this.#chance.happens(this.#world.plan.flood)) this.#flood();
      else this.#ask();
      this.begin();
    });
  }

  /** Returns whether there was anyone to be asked. @param name of the request */
  perform(name: string, doing: RequestDoing): boolean {
    const host = this.#hosts.find((each) => each.name === doing.host);
    if (host?.life === undefined) return false;
    this.#world.record(name, doing);
    this.#send(name, host, host.life, doing);
    return true;
  }

  /** Requests that a process which still lives owes an answer. */
  unanswered(): string[] {
    return [...this.#open].filter(([, { process }]) => !process.dead).map(([name]) => name);
  }

  /** One request that must be carried out, now that nothing is wrong. */
  async lastWord(host: SimHost, name: string = lastNetworkOf(this.#world, host)): Promise<void> {
    const life = host.life;
    if (life === undefined) return;
    const call = this.#monitor.begin(name, 'network-create');
    const request = networkRequest({
      name,
      driver: 'overlay',
      pool: undefined,
      router: undefined,
      ipv6: this.#chance.happens(0.3) ? 'yes' : undefined,
      internal: undefined,
      space: 'last',
      vni: undefined,
      parent: undefined,
      mode: undefined,
    });
    const { id } = await life.controller.createNetwork(request, { by: name, signal: cancelScope().signal });
    this.#monitor.succeeded(call, id);
  }

  /** Attaches a sandbox of the host to a network, now that nothing is wrong. Resolves with the endpoint. */
  async attachCalmly(host: SimHost, network: string, mac?: string): Promise<Endpoint | undefined> {
    const life = host.life;
    if (life === undefined) return undefined;
    const name = `calm-${host.name}-${network}`;
    const call = this.#monitor.begin(name, 'endpoint-create');
    const beganAtMs = this.#world.nowMs;
    const endpoint = await life.controller.connect(
      network,
      { sandbox: host.foreign.provide(), name, aliases: [], ...(mac === undefined ? {} : { mac }) },
      { by: name, signal: cancelScope().signal },
    );
    this.#succeeded(call, host, life, { id: endpoint.id, endpoint }, beganAtMs);
    return endpoint;
  }

  async detachCalmly(host: SimHost, { id }: Endpoint): Promise<void> {
    const life = host.life;
    if (life === undefined) return;
    const name = `calmly-off-${host.name}`;
    const call = this.#monitor.begin(name, 'endpoint-remove');
    const beganAtMs = this.#world.nowMs;
    await life.controller.removeEndpoint(id, { by: name, signal: cancelScope().signal });
    this.#succeeded(call, host, life, { id }, beganAtMs);
  }

  #flood(): void {
    this.#world.met('flood of requests');
    for (let count = 0; count < floodRequests; count += 1) this.#world.scheduler.first(0, () => this.#ask());
  }

  #ask(): void {
    const chance = this.#chance;
    const living = this.#hosts.filter(({ life }) => life !== undefined);
    if (living.length === 0) return;
    const names = this.#hosts.map(({ name }) => name);
    const asked = (): { host: string; cancel: number | undefined } => ({
      host: chance.pick(living).name,
      cancel: chance.happens(0.05) ? chance.ms(3_000) : undefined,
    });
    const doing = drawRequest(chance.weighted(requestWeights), asked(), names, chance);
    this.perform(`c${++this.#count}`, doing);
    if (!chance.happens(0.1)) return;
    this.#world.met('request repeated');
    // Each in a step of its own, as it is where it is written.
    const again = { ...doing, ...asked() };
    this.#world.scheduler.first(0, () => this.perform(`c${++this.#count}`, again));
  }

  #send(name: string, host: SimHost, life: Life, doing: RequestDoing): void {
    const { verb, cancel } = doing;
    const call = this.#monitor.begin(name, recordKinds[verb]);
    const scope = cancelScope();
    if (cancel !== undefined) {
      this.#world.scheduler.after(cancel, undefined, () => {
        if (!life.process.dead && this.#open.has(name)) this.#world.met('request cancelled');
        scope.cancel();
      });
    }
    this.#open.set(name, life);
    this.#world.note(name, `asks ${life.process.name} to ${verb}`);
    const beganAtMs = this.#world.nowMs;
    actOf(doing)(life, { by: name, signal: scope.signal }).then(
      (answer) => this.#succeeded(call, host, life, answer, beganAtMs),
      (error: unknown) => {
        this.#open.delete(name);
        this.#world.note(name, `failed: ${error instanceof Error ? error.message : String(error)}`);
        this.#monitor.failed(call, error);
      },
    );
  }

  #succeeded(call: Call, host: SimHost, life: Life, { id, endpoint }: Answer, beganAtMs: number): void {
    this.#open.delete(call.name);
    this.#world.met(`success ${call.kind}`);
    this.#world.note(call.name, `succeeded: ${id.slice(0, 12)}`);
    this.#monitor.succeeded(call, id);
    const isQuiet = host.foreign.disturbedAtMs < beganAtMs;
    if (endpoint !== undefined && call.kind === 'endpoint-create' && isQuiet) {
      attachedAt(this.#world, host, life.controller.state, endpoint);
    }
    if (call.kind === 'endpoint-remove' && isQuiet) detachedFrom(this.#world, host, id);
  }
}

function actOf(doing: RequestDoing): Act {
  switch (doing.verb) {
    case 'create-network': {
      const request = networkRequest(doing);
      return ({ controller }, context) => controller.createNetwork(request, context);
    }
    case 'remove-network':
      return ({ controller }, context) => controller.removeNetwork(doing.network, context);
    case 'connect': {
      const request = endpointRequest(doing);
      return async ({ controller }, context) => {
        const endpoint = await controller.connect(doing.network, request, context);
        return { id: endpoint.id, endpoint };
      };
    }
    case 'disconnect':
      return ({ controller }, context) => controller.disconnect(doing.network, doing.ref, context);
    case 'remove-endpoint':
      return ({ controller }, context) => {
        const ids = [...controller.state.endpoints.keys()];
        return controller.removeEndpoint(ids[Math.floor(doing.which * ids.length)] ?? 'nobody', context);
      };
    case 'remove-host':
      return async ({ controller }, context) => ({
        id: (await controller.removeHost(doing.name, context)).name,
      });
  }
}
