/** Changes one module's text as it is loaded; runs in the thread of Node's module hooks. */
import type { InitializeHook, LoadHook } from 'node:module';
import { mutated } from './mutant.ts';

export interface Change {
  /** Of the compiled module. */
  readonly url: string;
  readonly find: string;
  readonly replace: string;
}

let change: Change | undefined;

export const initialize: InitializeHook<Change> = (data) => {
  change = data;
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (change === undefined || url !== change.url || loaded.source === undefined) return loaded;
  return { ...loaded, source: mutated(change, Buffer.from(loaded.source as Uint8Array).toString()) };
};
