/**
 * The host driver: a sandbox that is the host's own namespace, for what needs no network but the host's. It has every
 * interface already, so nothing is made; the endpoint is in the log for its name and its whereabouts.
 */
import type { Driver } from '../../core/driver/driver.ts';

export const hostDriver: Driver = {
  name: 'host',
  compileNetwork: () => [],
  compileEndpoint: () => [],
};
