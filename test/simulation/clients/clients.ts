/** Clients: requests to any host that lives, at any time, alone or the same to two hosts at once; some are given up. */
import type { RequestContext } from '../../../core/controller/control.ts';
import { cancelScope } from '../../../core/lib/cancel-scope.ts';
import type { Endpoint } from '../../../core/model/endpoint.ts';
import { attachedAt } from '../monitors/attached.ts';
import type { Call, RequestMonitor } from '../monitors/request-monitor.ts';
import type { Chance } from '../world/chance.ts';
import type { Life, SimHost } from '../world/sim-host.ts';
import type { World } from '../world/world.ts';
import {
  endpointName,
  endpointRequest,
  networkName,
  networkRequest,
  type RequestKind,
  recordKinds,
  requestWeights,
  sandboxName,
} from './requests.ts';

/** More than one entry holds. */
const floodRequests = 60;

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

  begin(): void {
    const pauseMs = this.#chance.unit() * 2 * this.#world.plan.requestPauseMs;
    this.#world.scheduler.after(pauseMs, undefined, () => {
      if (!this.#world.isFaulty) return;
      if (this.#chance.happens(this.#world.plan.flood)) this.#flood();
      else this.#ask();
      this.begin();
    });
  }

  /** Requests that a process which still lives owes an answer. */
  unanswered(): string[] {
    return [...this.#open].filter(([, { process }]) => !process.dead).map(([name]) => name);
  }

  /** One request that must be carried out, now that nothing is wrong. */
  async lastWord(host: SimHost): Promise<void> {
    const life = host.life;
    if (life === undefined) return;
    const name = `last-${host.name}`;
    const call = this.#monitor.begin(name, 'network-create');
    const request = { ...networkRequest(this.#world.chance(name)), name, subnets: [], driver: 'overlay' };
    const { id } = await life.controller.createNetwork(
      { ...request, options: {}, space: 'last', ipv6: false },
      { by: name, signal: cancelScope().signal },
    );
    this.#monitor.succeeded(call, id);
  }

  #flood(): void {
    this.#world.met('flood of requests');
    for (let count = 0; count < floodRequests; count += 1) this.#ask();
  }

  #ask(): void {
    const living = this.#hosts.filter(({ life }) => life !== undefined);
    if (living.length === 0) return;
    const kind = this.#chance.weighted(requestWeights);
    const act = this.#actOf(kind);
    this.#send(this.#chance.pick(living), kind, act);
    if (!this.#chance.happens(0.1)) return;
    this.#world.met('request repeated');
    this.#send(this.#chance.pick(living), kind, act);
  }

  #send(host: SimHost, kind: RequestKind, act: Act): void {
    const { life } = host;
    if (life === undefined) return;
    const name = `c${++this.#count}`;
    const call = this.#monitor.begin(name, recordKinds[kind]);
    const scope = cancelScope();
    if (this.#chance.happens(0.05)) {
      this.#world.scheduler.after(this.#chance.unit() * 3_000, undefined, () => {
        if (!life.process.dead && this.#open.has(name)) this.#world.met('request cancelled');
        scope.cancel();
      });
    }
    this.#open.set(name, life);
    this.#world.note(name, `asks ${life.process.name} to ${kind}`);
    const beganAtMs = this.#world.nowMs;
    act(life, { by: name, signal: scope.signal }).then(
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
  }

  #actOf(kind: RequestKind): Act {
    const chance = this.#chance;
    const network = networkName(chance);
    switch (kind) {
      case 'create-network': {
        const request = networkRequest(chance);
        return ({ controller }, context) => controller.createNetwork(request, context);
      }
      case 'remove-network':
        return ({ controller }, context) => controller.removeNetwork(network, context);
      case 'connect': {
        const request = endpointRequest(chance);
        return async ({ controller }, context) => {
          const endpoint = await controller.connect(network, request, context);
          return { id: endpoint.id, endpoint };
        };
      }
      case 'disconnect': {
        const ref = chance.happens(0.5) ? sandboxName(chance) : endpointName(chance);
        return ({ controller }, context) => controller.disconnect(network, ref, context);
      }
      case 'remove-endpoint': {
        const at = chance.unit();
        return ({ controller }, context) => {
          const ids = [...controller.state.endpoints.keys()];
          const id = ids[Math.floor(at * ids.length)];
          return controller.removeEndpoint(id ?? 'nobody', context);
        };
      }
      case 'remove-host': {
        const { name } = chance.pick(this.#hosts);
        return async ({ controller }, context) => ({
          id: (await controller.removeHost(name, context)).name,
        });
      }
    }
  }
}
