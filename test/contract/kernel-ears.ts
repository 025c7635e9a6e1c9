/** Listening to a kernel under test. */
import assert from 'node:assert/strict';
import { equal } from '../../core/dataplane/equal.ts';
import type { KernelEvent } from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import type { KernelBench } from './kernel-bench.ts';

export interface Ears {
  readonly heard: readonly KernelEvent[];
  /** Waits for an event that says so, or that asks to look anew. Takes events that came before as well. */
  hear(type: 'present' | 'absent', object: KernelObject): Promise<void>;
  until(says: (event: KernelEvent) => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function listen(bench: KernelBench, namespaces: readonly Namespace[]): Promise<Ears> {
  const controller = new AbortController();
  const heard: KernelEvent[] = [];
  let wake: () => void = () => undefined;
  let ended = false;
  const pump = (async () => {
    for await (const event of bench.kernel.watch(controller.signal)) {
      heard.push(event);
      wake();
    }
    ended = true;
    wake();
  })();
  await bench.kernel.follow(new Set(namespaces));
  const until = async (says: (event: KernelEvent) => boolean): Promise<void> => {
    while (!heard.some(says)) {
      assert.ok(!ended, 'the watch goes on');
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    heard,
    until,
    hear: (type, object) => until((event) => tells(event, type, object)),
    close: async () => {
      controller.abort();
      await pump;
    },
  };
}

export function tells(event: KernelEvent, type: 'present' | 'absent', object: KernelObject): boolean {
  if (event.type === 'stale') return event.ns === object.ns && (event.kinds?.has(object.kind) ?? true);
  if (event.type !== type || keyOf(event.object) !== keyOf(object)) return false;
  return type === 'absent' || equal(object, event.object);
}

export function namespaceOf(event: KernelEvent): Namespace {
  return event.type === 'present' || event.type === 'absent' ? event.object.ns : event.ns;
}
