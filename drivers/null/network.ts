import type { KernelObject } from '../../core/dataplane/object.ts';

/** Nothing: the network exists in the log alone. */
export function compileNetwork(): readonly KernelObject[] {
  return [];
}
