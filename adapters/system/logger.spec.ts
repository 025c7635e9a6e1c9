import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { WeftError } from '../../core/errors.ts';
import { createLogger, type LogLevel } from './logger.ts';

function capture(level: LogLevel): {
  logger: ReturnType<typeof createLogger>;
  lines: () => Record<string, unknown>[];
} {
  const written: string[] = [];
  const logger = createLogger({ level, destination: { write: (line: string) => written.push(line) } });
  return { logger, lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('createLogger', () => {
  it('writes a line of JSON with message, level, time and values', () => {
    const { logger, lines } = capture('debug');
    logger.info('the store answers again', { attempts: 3, size: 10n });
    const [line] = lines();
    assert.equal(line?.['message'], 'the store answers again');
    assert.equal(line?.['attempts'], 3);
    assert.equal(line?.['size'], '10');
    assert.equal(typeof line?.['time'], 'number');
    assert.equal(line?.['level'], 30);
    assert.equal(line?.['hostname'], undefined);
  });

  it('keeps to its level', () => {
    const { logger, lines } = capture('warn');
    logger.debug('d');
    logger.info('i');
    logger.warn('w');
    logger.error('e');
    assert.deepEqual(
      lines().map((line) => line['message']),
      ['w', 'e'],
    );
  });

  it('adds the values of its parents', () => {
    const { logger, lines } = capture('info');
    logger.child({ host: 'h1' }).child({ network: 'n1' }).warn('message', { extra: true });
    const [line] = lines();
    assert.deepEqual([line?.['host'], line?.['network'], line?.['extra']], ['h1', 'n1', true]);
  });

  it('says of errors what they say, with their causes', () => {
    const { logger, lines } = capture('info');
    const error = new WeftError('store-full', 'no room', { cause: new WeftError('internal', 'deeper') });
    logger.error('failed', { error });
    assert.deepEqual(lines()[0]?.['error'], {
      code: 'store-full',
      message: 'no room',
      cause: { code: 'internal', message: 'deeper' },
    });
    logger.error('failed', { error: new TypeError('unexpected') });
    assert.match(String((lines()[1]?.['error'] as { stack: string }).stack), /logger\.spec/);
  });

  it('survives an error that is its own cause', () => {
    const { logger, lines } = capture('info');
    const error = new Error('loop');
    error.cause = error;
    logger.error('failed', { error });
    assert.equal(lines().length, 1);
  });
});
