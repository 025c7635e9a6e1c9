/**
 * The stores of a life: the one in which the cluster begins and, in some lives, another of any style to which it moves. To
 * whoever does not care there is one store, the one that the cluster's log is in now.
 *
 * What comes about in a store counts as long as the log there is the cluster's: behind the seal nothing does.
 */
import type { EventLog, LogEntry } from '../../../core/log/event-log.ts';
import type { EntryId } from '../../../core/model/ids.ts';
import type { World } from '../world/world.ts';
import { makeStore } from './make-store.ts';
import type { Handle, Outage, StoreModel, Surroundings } from './style.ts';
import type { StoreStyle } from './traps.ts';

/** What is told of entries, before anybody can read them. */
export interface Reader {
  /** An entry of the cluster's log. Returns the URL of the store in which the cluster goes on, once it was sealed. */
  take(entry: LogEntry): string | undefined;
  /** An entry of a log that was sealed before it. */
  takeStray(entry: LogEntry): void;
}

interface Place {
  readonly style: StoreStyle;
  readonly store: StoreModel;
}

export class Stores implements StoreModel {
  readonly #world: World;
  readonly #places: readonly Place[];
  #current = 0;
  #outage: Outage | undefined;

  constructor(world: World, reader: Reader) {
    this.#world = world;
    const { store, move, to } = world.plan;
    const styles = move === 'none' ? [store] : [store, to];
    this.#places = styles.map((style, number) => {
      return { style, store: makeStore(world, style, (entry) => this.#take(number, entry, reader)) };
    });
  }

  /** Of the store that the cluster's log is in now. */
  get style(): StoreStyle {
    return this.#now.style;
  }

  get hasMoved(): boolean {
    return this.#current > 0;
  }

  get url(): string {
    return this.#now.store.url;
  }

  /** The one that every host's configuration names. */
  get configuredUrl(): string {
    return this.#at(0).store.url;
  }

  /** The one to which the cluster may move. */
  get otherUrl(): string {
    return this.#at(this.#places.length - 1).store.url;
  }

  get length(): number {
    return this.#now.store.length;
  }

  get outage(): Outage | undefined {
    return this.#outage;
  }

  /** Of several stores one may be out, or all: that hangs on the moment alone, so that a life that is told again has the same. */
  set outage(outage: Outage | undefined) {
    this.#outage = outage;
    const only = Math.floor(this.#world.nowMs) % (this.#places.length + 1);
    for (const [number, { store }] of this.#places.entries()) {
      const isSpared = only > 0 && only - 1 !== number && this.#places.length > 1;
      store.outage = isSpared ? undefined : outage;
    }
  }

  connect(handle: Handle): EventLog {
    return this.#now.store.connect(handle);
  }

  connectTo(url: string, handle: Handle): EventLog {
    const place = this.#places.find(({ store }) => store.url === url);
    if (place === undefined) throw new Error(`Broken invariant: no store has the URL ${url}`);
    return place.store.connect(handle);
  }

  styleOf(url: string): StoreStyle {
    return this.#places.find(({ store }) => store.url === url)?.style ?? this.style;
  }

  /** Not into a log that the cluster has not begun yet: to a host that would be the log of somebody else. */
  scribble(id: EntryId, bytes: Uint8Array): boolean {
    if (this.hasMoved && this.length === 0) return false;
    return this.#now.store.scribble(id, bytes);
  }

  begin(surroundings: Surroundings): void {
    for (const { store } of this.#places) store.begin(surroundings);
  }

  heal(): void {
    for (const { store } of this.#places) store.heal();
  }

  wipe(): void {
    this.#now.store.wipe();
  }

  restore(length: number): void {
    this.#now.store.restore(length);
  }

  get #now(): Place {
    return this.#at(this.#current);
  }

  #at(number: number): Place {
    const place = this.#places[number];
    if (place === undefined) throw new Error('Broken invariant: a life has a store');
    return place;
  }

  #take(number: number, entry: LogEntry, reader: Reader): void {
    if (number !== this.#current) return reader.takeStray(entry);
    const nextUrl = reader.take(entry);
    const next = this.#places.findIndex(({ store }) => store.url === nextUrl);
    if (next < 0 || next === number) return;
    this.#current = next;
    this.#world.note('store', `the cluster goes on in ${nextUrl}`);
    this.#world.met(`cluster moves ${this.#world.isFaulty ? 'amid faults' : 'in calm'}`);
  }
}
