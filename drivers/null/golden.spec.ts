/** The sandboxes of `test/support/sandbox-cases.ts` as commands. */
import { describe } from 'mocha';
import { describeGoldens } from '../../test/support/goldens.ts';
import { nullCases } from '../../test/support/sandbox-cases.ts';
import { nullDriver } from './driver.ts';

describe('null goldens', () => describeGoldens(nullDriver, nullCases));
