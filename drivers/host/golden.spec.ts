/** The sandboxes of `test/support/sandbox-cases.ts` as commands. */
import { describe } from 'mocha';
import { describeGoldens } from '../../test/support/goldens.ts';
import { hostCases } from '../../test/support/sandbox-cases.ts';
import { hostDriver } from './driver.ts';

describe('host goldens', () => describeGoldens(hostDriver, hostCases));
