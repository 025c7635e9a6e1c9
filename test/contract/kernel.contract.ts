/**
 * The contract of the kernel port, for the fake and the real one alike. Every object kind goes through its life; then
 * come the kernel's own doings (cascades), what others do, notifications, failures, and sandboxes.
 *
 * An event is taken as heard when it names the object, or when a `stale` covers it: a real kernel does not say
 * everything.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe } from 'mocha';
import type { KernelBench, KernelHarness } from './kernel-bench.ts';
import { describeCascades, describeFailures, describeOthers } from './kernel-doings.ts';
import { describeFirewall } from './kernel-firewall.ts';
import { describeLives } from './kernel-lives.ts';
import { describeStacked } from './kernel-stacked.ts';
import { describeSandboxes, describeWatch } from './kernel-watching.ts';

export function describeKernel(name: string, harness: KernelHarness): void {
  describe(`kernel: ${name}`, () => {
    let bench: KernelBench | undefined;
    const opened = (): KernelBench => {
      assert.ok(bench !== undefined, 'the bench is open');
      return bench;
    };
    beforeEach(async function () {
      bench = await harness.open(this);
    });
    afterEach(async () => {
      await bench?.close();
      bench = undefined;
    });
    describe('the life of an object', () => describeLives(opened));
    describe('stacked links', () => describeStacked(opened));
    describe('what goes by itself', () => describeCascades(opened));
    describe('what others made', () => describeOthers(opened));
    describe('the host and its firewall', () => describeFirewall(opened));
    describe('failures', () => describeFailures(opened));
    describe('watch', () => describeWatch(opened));
    describe('sandboxes and the underlay', () => describeSandboxes(opened));
  });
}
