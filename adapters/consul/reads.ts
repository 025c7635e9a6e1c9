/** Linearizable reads of a few keys of the log, believed only together with the log's identity. */
import type { CancelSignal } from '../../core/ports/cancel.ts';
import type { StoredKey } from './answers.ts';
import type { Connection } from './connection.ts';
import { ConsulCallError } from './errors.ts';
import { assertIdentity, fencedRead, findKey, type LogScope } from './transactions.ts';

/**
 * The keys that are there, all at one state of the store.
 *
 * @throws ConsulCallError; WeftError `log-mismatch`
 */
export async function readFenced(
  scope: LogScope,
  connection: Connection,
  keys: readonly string[],
  signal: CancelSignal,
): Promise<readonly StoredKey[]> {
  const operations = fencedRead(scope, keys);
  const answer = await connection.read(signal, (member, limits) => member.transact(operations, limits));
  if (answer.type === 'refused') throw new ConsulCallError('broken', 'a read was refused');
  const identity = findKey(answer.results, scope.keys.identity);
  // By itself: where a token may no longer read, Consul refuses this, but leaves keys out of other answers in silence.
  const certain =
    identity ?? (await connection.read(signal, (member, limits) => member.get(scope.keys.identity, limits)));
  assertIdentity(scope, certain);
  if (identity === undefined) throw new ConsulCallError('broken', 'the log came back while it was read');
  return answer.results;
}
