/** What is in a kernel against what should be there, as whole sets, each difference as one line. */
import { sameState } from '../../../core/dataplane/equal.ts';
import { keyOf } from '../../../core/dataplane/key.ts';
import { toText } from '../../../core/dataplane/text.ts';
import { recompute } from '../../../core/desired/recompute.ts';
import type { State } from '../../../core/fold/state.ts';
import { drivers } from '../../../drivers/index.ts';
import type { FakeKernel } from '../../../kernel/fake/fake-kernel.ts';

export function differencesOf(machine: FakeKernel, host: string, state: State): string[] {
  const wanted = recompute(drivers, { host, netnsPrefix: 'weft-' }, state);
  const found = new Map(machine.objects().map((object) => [keyOf(object), object]));
  const differences: string[] = [];
  for (const [key, object] of wanted) {
    const value = object.kind === 'sysctl' ? machine.sysctl(object.ns, object.name) : undefined;
    const actual =
      object.kind === 'sysctl' ? (value === undefined ? undefined : { ...object, value }) : found.get(key);
    if (actual === undefined) differences.push(`missing: ${toText(object)}`);
    else if (!sameState(object, actual)) differences.push(`altered: ${toText(object)} is ${toText(actual)}`);
  }
  for (const [key, object] of found) {
    const isLoopback = object.kind === 'link' && object.type.type === 'loopback';
    if (!wanted.has(key) && !isLoopback) differences.push(`stray: ${toText(object)}`);
  }
  return differences;
}
