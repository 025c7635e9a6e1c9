/** `weft network`: one file a verb. */
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { addNetworkConnect } from './connect.ts';
import { addNetworkCreate } from './create.ts';
import { addNetworkDisconnect } from './disconnect.ts';
import { addNetworkInspect } from './inspect.ts';
import { addNetworkLs } from './ls.ts';
import { addNetworkRm } from './rm.ts';

export function addVerbs(group: Command, context: Context): void {
  addNetworkCreate(group, context);
  addNetworkLs(group, context);
  addNetworkInspect(group, context);
  addNetworkRm(group, context);
  addNetworkConnect(group, context);
  addNetworkDisconnect(group, context);
}
