import type { KernelObject } from '../../core/dataplane/object.ts';
import type { Network } from '../../core/model/network.ts';
import { parentLinks } from '../parent.ts';

/** The parent, where it is weft's to make. */
export function compileNetwork(network: Network): readonly KernelObject[] {
  return parentLinks(network);
}
