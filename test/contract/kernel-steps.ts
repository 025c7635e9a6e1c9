/** The steps of the kernel port's contract: operations that must succeed, and looks at what is there. */
import assert from 'node:assert/strict';
import { equal } from '../../core/dataplane/equal.ts';
import type { Operation } from '../../core/dataplane/kernel.ts';
import { keyOf } from '../../core/dataplane/key.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import { toText } from '../../core/dataplane/text.ts';
import type { KernelBench } from './kernel-bench.ts';

export async function set(bench: KernelBench, ...objects: readonly KernelObject[]): Promise<void> {
  await apply(
    bench,
    objects.map((object) => ({ op: 'set', object })),
  );
}

export async function remove(bench: KernelBench, ...objects: readonly KernelObject[]): Promise<void> {
  await apply(
    bench,
    objects.map((object) => ({ op: 'delete', object })),
  );
}

export async function apply(bench: KernelBench, operations: readonly Operation[]): Promise<void> {
  const results = await bench.kernel.apply(operations);
  assert.equal(results.length, operations.length);
  results.forEach((result, index) => {
    const operation = operations[index];
    assert.ok(
      result.ok,
      `${operation?.op} ${operation === undefined ? '' : toText(operation.object)}: ${JSON.stringify(result)}`,
    );
  });
}

export function dump(bench: KernelBench, ns: Namespace): Promise<readonly KernelObject[]> {
  return bench.kernel.dump(ns);
}

export async function dumpKeys(bench: KernelBench, ns: Namespace): Promise<string[]> {
  return keys(await dump(bench, ns));
}

export function keys(objects: readonly KernelObject[]): string[] {
  return objects.map(keyOf).sort();
}

export async function find(bench: KernelBench, object: KernelObject): Promise<KernelObject | undefined> {
  return (await dump(bench, object.ns)).find((other) => keyOf(other) === keyOf(object));
}

export async function assertIs(bench: KernelBench, ...objects: readonly KernelObject[]): Promise<void> {
  for (const object of objects) {
    const found = await find(bench, object);
    assert.ok(
      found !== undefined && equal(object, found),
      `${JSON.stringify(found)} is ${JSON.stringify(object)}`,
    );
  }
}

/** For what the kernel does in its own time, such as taking a namespace apart. The test's time limit bounds it. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
