/** The overlays of `test/support/overlay-cases.ts` as commands. */
import { describe } from 'mocha';
import { describeGoldens } from '../../test/support/goldens.ts';
import { overlayCases } from '../../test/support/overlay-cases.ts';
import { overlayDriver } from './driver.ts';

describe('overlay goldens', () => describeGoldens(overlayDriver, overlayCases));
