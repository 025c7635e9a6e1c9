/** `weft host`: one file a verb. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { addHostInspect } from './inspect.ts';
import { addHostLs } from './ls.ts';
import { addHostRm } from './rm.ts';

export function addVerbs(group: Command, context: Context): void {
  addHostLs(group, context);
  addHostInspect(group, context);
  addHostRm(group, context);
}
