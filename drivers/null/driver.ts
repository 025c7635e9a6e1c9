/**
 * The null driver: a sandbox with loopback and nothing else. For containers that must reach no one, and for sandboxes
 * that something else connects.
 */
import type { Driver } from '../../core/driver/driver.ts';
import { compileEndpoint } from './endpoint.ts';
import { compileNetwork } from './network.ts';

export const nullDriver: Driver = { name: 'null', compileNetwork, compileEndpoint };
