/** Kernels for tests of what reads and writes them: with methods replaced, or with what is asked of them written down. */
import type { Kernel, Operation } from '../../core/dataplane/kernel.ts';
import type { Namespace } from '../../core/dataplane/namespace.ts';
import type { KernelObject } from '../../core/dataplane/object.ts';
import type { FakeKernel } from '../../kernel/fake/fake-kernel.ts';

/** The first object of a kind that suits. */
export function objectOf<K extends KernelObject['kind']>(
  objects: Iterable<KernelObject>,
  kind: K,
  suits: (object: Extract<KernelObject, { kind: K }>) => boolean = () => true,
): Extract<KernelObject, { kind: K }> {
  for (const object of objects) {
    if (object.kind !== kind) continue;
    const candidate = object as Extract<KernelObject, { kind: K }>;
    if (suits(candidate)) return candidate;
  }
  throw new Error(`no such ${kind}`);
}

/** The kernel with some methods replaced; the rest goes through to it. */
export function portOf(kernel: FakeKernel, replaced: Partial<Kernel>): Kernel {
  return {
    namespaces: () => kernel.namespaces(),
    dump: (ns, options) => kernel.dump(ns, options),
    apply: (operations) => kernel.apply(operations),
    watch: (signal) => kernel.watch(signal),
    follow: (namespaces) => kernel.follow(namespaces),
    inspectSandbox: (ref) => kernel.inspectSandbox(ref),
    listeners: (isNamed) => kernel.listeners(isNamed),
    droppingChains: () => kernel.droppingChains(),
    underlay: (address) => kernel.underlay(address),
    routes: () => kernel.routes(),
    close: () => kernel.close(),
    ...replaced,
  };
}

/** A kernel that writes down what it is asked to do and to show. */
export function recording(kernel: FakeKernel) {
  const batches: (readonly Operation[])[] = [];
  const dumps: Namespace[] = [];
  const port = portOf(kernel, {
    apply: (operations) => {
      batches.push(operations);
      return kernel.apply(operations);
    },
    dump: (ns, options) => {
      dumps.push(ns);
      return kernel.dump(ns, options);
    },
  });
  return { port, batches, dumps };
}
