/** The real kernel passes the contract of the port. */
import { describeKernel } from '../test/contract/kernel.contract.ts';
import { openLinuxBench } from '../test/support/linux-bench.ts';

describeKernel('linux', { open: openLinuxBench });
