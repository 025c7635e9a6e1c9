import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { SystemClock } from './clock.ts';

describe('SystemClock', () => {
  const clock = new SystemClock();

  it('tells the wall clock and a monotonic one', () => {
    assert.ok(Math.abs(clock.wallMs() - Date.now()) < 60_000);
    const readings = Array.from({ length: 1000 }, () => clock.monotonicMs());
    assert.deepEqual(
      readings,
      [...readings].sort((a, b) => a - b),
    );
  });

  it('sleeps at least about as long as it is told', async () => {
    const start = performance.now();
    await clock.sleep(20);
    // Timers may fire up to a millisecond early against the monotonic clock.
    assert.ok(performance.now() - start >= 18);
  });

  it('wakes when the signal aborts, and at once when it has aborted', async () => {
    const controller = new AbortController();
    const sleeping = clock.sleep(2 ** 40, controller.signal);
    controller.abort();
    await sleeping;
    await clock.sleep(2 ** 40, controller.signal);
  });

  it('leaves no timer and no listener behind', async () => {
    const controller = new AbortController();
    let listeners = 0;
    const signal = {
      aborted: false,
      addEventListener: (type: 'abort', listener: () => void) => {
        listeners += 1;
        controller.signal.addEventListener(type, listener);
      },
      removeEventListener: (type: 'abort', listener: () => void) => {
        listeners -= 1;
        controller.signal.removeEventListener(type, listener);
      },
    };
    const timers = (): number => process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
    await clock.sleep(1, signal);
    const before = timers();
    const sleeping = clock.sleep(100_000, signal);
    controller.abort();
    await sleeping;
    assert.equal(listeners, 0);
    assert.equal(timers(), before);
  });
});
