/** Cases of the log's contract: the wall clock of the process jumps, for the adapter and for the libraries below it. */
import assert from 'node:assert/strict';
import { genesis } from '../../core/log/event-log.ts';
import type { BootId } from '../../core/model/ids.ts';
import { draft, never, take } from '../support/log-drafts.ts';
import type { Case } from './event-log.contract.ts';

const hourMs = 3_600_000;
const boot = '1'.repeat(32) as BootId;

/** What every reader of the wall clock in this process sees, until it is disposed of. */
class JumpingWallClock implements Disposable {
  readonly #real = globalThis.Date;
  aheadMs = 0;

  constructor() {
    const [real, now] = [this.#real, (): number => this.#real.now() + this.aheadMs];
    globalThis.Date = new Proxy(real, {
      construct: (_, args: []) => (args.length === 0 ? new real(now()) : new real(...args)),
      get: (_, name) => (name === 'now' ? now : Reflect.get(real, name)),
    });
  }

  [Symbol.dispose](): void {
    globalThis.Date = this.#real;
  }
}

export function clockCases(test: Case): void {
  test('that jumps by an hour, ahead and back, delays nothing and ends nothing', async ({ open }) => {
    using wall = new JumpingWallClock();
    const [writer, reader] = [await open(), await open()];
    const jumps = [hourMs, -hourMs, 24 * hourMs, 0];
    const tailing = take(reader, genesis, 2 * jumps.length);
    const drafts = jumps.flatMap((jump) => [draft(`before ${jump}`), draft(`after ${jump}`)]);
    for (const [index, jump] of jumps.entries()) {
      const [before, after] = drafts.slice(2 * index);
      assert.ok(before !== undefined && after !== undefined);
      // One is under way while it jumps, and one begins behind it.
      const appended = writer.append(before, never());
      wall.aheadMs = jump;
      await appended;
      const position = await writer.append(after, never());
      assert.equal(await reader.head(never()), position);
      await writer.presence.put(boot, Buffer.from(`${jump}`), never());
    }
    assert.deepEqual(
      (await tailing).map(({ id }) => id),
      drafts.map(({ id }) => id),
    );
    const [beat] = await reader.presence.list(never());
    assert.equal(Buffer.from(beat?.bytes ?? []).toString(), `${jumps.at(-1)}`);
    assert.deepEqual(reader.health, { reachable: true });
  });
}
