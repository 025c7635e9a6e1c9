/** The networks of `test/support/bridge-cases.ts` as commands. */
import { describe } from 'mocha';
import { bridgeCases } from '../../test/support/bridge-cases.ts';
import { describeGoldens } from '../../test/support/goldens.ts';
import { bridgeDriver } from './driver.ts';

describe('bridge goldens', () => describeGoldens(bridgeDriver, bridgeCases));
