/**
 * Watches of old servers leave events out (etcd's CHANGELOG-3.4 lists several ways). No server can be made to do so at
 * will, so the member's watch is given a hole here.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import type { EventLog } from '../../core/log/event-log.ts';
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type EtcdServer, etcdUnavailable, startEtcd } from '../../lab/etcd.ts';
import { draft, never } from '../../test/support/log-drafts.ts';
import { RunningTail } from '../../test/support/log-trials.ts';
import { QuietLogger } from '../../test/support/quiet-logger.ts';
import { skipBecause } from '../../test/support/requirements.ts';
import { SystemClock } from '../system/clock.ts';
import { SystemRandom } from '../system/random.ts';
import type { WatchDuplex } from './channel.ts';
import { EtcdEventLog } from './event-log.ts';
import { Member } from './member.ts';
import { parseEtcdUrl } from './options.ts';

/** Time runs faster, so that an audit is soon. */
class FastClock extends SystemClock implements Clock {
  static readonly factor = 5;
  override monotonicMs(): number {
    return super.monotonicMs() * FastClock.factor;
  }
  override async sleep(ms: number, signal?: CancelSignal): Promise<void> {
    const real = new SystemClock();
    await real.sleep(ms / FastClock.factor, signal);
  }
}

describe('etcd: a watch that leaves events out', function loss() {
  this.timeout(60_000);
  const openWatch = Member.prototype.watch;
  const logger = new QuietLogger();
  let server: EtcdServer;
  let log: EventLog;
  let places = 0;
  /** Messages with events that are yet to be swallowed. */
  let swallow = 0;

  before(async function start() {
    const unavailable = etcdUnavailable();
    if (unavailable !== undefined) skipBecause(this, unavailable);
    server = await startEtcd();
    Member.prototype.watch = async function watchWithHole(signal) {
      const open = await openWatch.call(this, signal);
      return { ...open, duplex: withHole(open.duplex) };
    };
  });
  afterEach(() => log?.close());
  after(async () => {
    Member.prototype.watch = openWatch;
    await server?.stop();
  });

  const withHole = (duplex: WatchDuplex): WatchDuplex => ({
    write: (request) => duplex.write(request),
    cancel: () => duplex.cancel(),
    on: ((event: string, listener: (message: { events?: unknown[] }) => void) => {
      const pass = (message: { events?: unknown[] }): void => {
        if (event === 'data' && (message.events?.length ?? 0) > 0 && swallow > 0) swallow -= 1;
        else listener(message);
      };
      return (duplex.on as (event: string, listener: unknown) => unknown)(event, pass);
    }) as WatchDuplex['on'],
  });

  const open = async (): Promise<RunningTail> => {
    places += 1;
    const ports = { clock: new FastClock(), random: new SystemRandom(), logger };
    log = new EtcdEventLog(parseEtcdUrl(`${server.url}/loss/${places}`), ports);
    await log.open(never());
    const tail = new RunningTail(log);
    const first = draft('first');
    // The watch stands once it has brought something: entries that a range brings are not what is tested here.
    await log.append(first, never());
    await tail.until(1);
    for (let seen = 1; ; seen++) {
      await log.append(draft(`settle ${seen}`), never());
      await tail.until(seen + 1);
      if (seen > 5) return tail;
    }
  };

  const reasons = () => logger.lines.map(({ values }) => values['reason']);

  it('is found out at the next append', async () => {
    const tail = await open();
    const count = tail.entries.length;
    swallow = 1;
    const [lost, next] = [draft('lost'), draft('next')];
    await log.append(lost, never());
    while (swallow > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await log.append(next, never());
    await tail.until(count + 2);
    assert.deepEqual(tail.ids.slice(count), [lost.id, next.id]);
    assert.ok(reasons().includes('the watch left entries out'), reasons().join(', '));
    await tail.stop();
  });

  it('is found out by an audit when nothing follows', async () => {
    const tail = await open();
    const count = tail.entries.length;
    swallow = 1;
    const lost = draft('lost');
    await log.append(lost, never());
    await tail.until(count + 1);
    assert.deepEqual(tail.ids.slice(count), [lost.id]);
    assert.ok(reasons().includes('the watch withholds entries'), reasons().join(', '));
    await tail.stop();
  });
});
