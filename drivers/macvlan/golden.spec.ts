/** The networks of `test/support/stacked-cases.ts` as commands. */
import { describe } from 'mocha';
import { describeGoldens } from '../../test/support/goldens.ts';
import { macvlanCases } from '../../test/support/stacked-cases.ts';
import { macvlanDriver } from './driver.ts';

describe('macvlan goldens', () => describeGoldens(macvlanDriver, macvlanCases));
