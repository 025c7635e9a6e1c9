/** `weft endpoint`: one file a verb. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { addEndpointInspect } from './inspect.ts';
import { addEndpointLs } from './ls.ts';
import { addEndpointRm } from './rm.ts';

export function addVerbs(group: Command, context: Context): void {
  addEndpointLs(group, context);
  addEndpointInspect(group, context);
  addEndpointRm(group, context);
}
