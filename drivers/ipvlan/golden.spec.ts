/** The networks of `test/support/stacked-cases.ts` as commands. */
import { describe } from 'mocha';
import { describeGoldens } from '../../test/support/goldens.ts';
import { ipvlanCases } from '../../test/support/stacked-cases.ts';
import { ipvlanDriver } from './driver.ts';

describe('ipvlan goldens', () => describeGoldens(ipvlanDriver, ipvlanCases));
