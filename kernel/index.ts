/** The machine's network: real, and in memory. */
export { FakeKernel } from './fake/fake-kernel.ts';
export { LinuxKernel, type LinuxKernelOptions } from './linux-kernel.ts';
export { peerUid } from './peer-credentials.ts';
