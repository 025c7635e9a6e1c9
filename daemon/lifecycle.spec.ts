import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import type { Clock } from '../core/ports/clock.ts';
import { QuietLogger } from '../test/support/quiet-logger.ts';
import { Lifecycle, type Service } from './lifecycle.ts';

/** Time that passes only when a sleep is cancelled or the spec lets it. */
class HandClock implements Clock {
  readonly #sleepers: (() => void)[] = [];

  wallMs(): number {
    return 0;
  }

  monotonicMs(): number {
    return 0;
  }

  sleep(_ms: number, signal?: Parameters<Clock['sleep']>[1]): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push(resolve);
      signal?.addEventListener('abort', resolve, { once: true });
    });
  }

  pass(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }
}

describe('the life cycle', () => {
  const happened: string[] = [];
  const service = (name: string, faults: { start?: Error; stop?: Error | 'never' } = {}): Service => ({
    name,
    async start() {
      happened.push(`start ${name}`);
      if (faults.start !== undefined) throw faults.start;
    },
    async stop() {
      happened.push(`stop ${name}`);
      if (faults.stop === 'never') await new Promise(() => undefined);
      if (faults.stop instanceof Error) throw faults.stop;
    },
  });
  const lifecycle = (services: Service[], clock: Clock = new HandClock()): Lifecycle => {
    happened.length = 0;
    return new Lifecycle(services, clock, new QuietLogger(), { stopMsMax: 100 });
  };

  it('starts in order and stops in reverse, once', async () => {
    const life = lifecycle([service('a'), service('b'), service('c')]);
    await life.start();
    await life.stop();
    await life.stop();
    assert.deepEqual(happened, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });

  it('stops what was started when one does not start, and throws its error', async () => {
    const broken = new Error('b is broken');
    const life = lifecycle([service('a'), service('b', { start: broken }), service('c')]);
    await assert.rejects(life.start(), broken);
    assert.deepEqual(happened, ['start a', 'start b', 'stop a']);
  });

  it('stops the others when one does not stop, and throws all that went wrong', async () => {
    const [first, second] = [new Error('b'), new Error('a')];
    const life = lifecycle([service('a', { stop: second }), service('b', { stop: first }), service('c')]);
    await life.start();
    await assert.rejects(life.stop(), (error) => {
      assert.ok(error instanceof AggregateError);
      assert.deepEqual(error.errors, [first, second]);
      return true;
    });
    assert.deepEqual(happened.slice(3), ['stop c', 'stop b', 'stop a']);
  });

  it('does not wait for ever for one that hangs', async () => {
    const clock = new HandClock();
    const life = lifecycle([service('a'), service('b', { stop: 'never' })], clock);
    await life.start();
    const stopped = life.stop();
    stopped.catch(() => undefined);
    await Promise.resolve();
    clock.pass();
    await assert.rejects(stopped, (error) =>
      /b did not stop/.test(String((error as AggregateError).errors[0])),
    );
    assert.equal(happened.at(-1), 'stop a');
  });
});
