/**
 * The drivers: compilers from networks to kernel objects. Pure functions, one folder each with the same file names:
 * `driver.ts` (the `Driver` and what it is about), `network.ts` and `endpoint.ts` (its two functions).
 *
 * To add one: a folder, a line in this table, and its defaults and options in the fold.
 */
import type { Driver } from '../core/driver/driver.ts';
import { bridgeDriver } from './bridge/driver.ts';
import { hostDriver } from './host/driver.ts';
import { ipvlanDriver } from './ipvlan/driver.ts';
import { macvlanDriver } from './macvlan/driver.ts';
import { nullDriver } from './null/driver.ts';
import { overlayDriver } from './overlay/driver.ts';

/** By the word after `weft network create -d`. */
export const drivers: ReadonlyMap<string, Driver> = new Map(
  [bridgeDriver, hostDriver, ipvlanDriver, macvlanDriver, nullDriver, overlayDriver].map((driver) => [
    driver.name,
    driver,
  ]),
);
