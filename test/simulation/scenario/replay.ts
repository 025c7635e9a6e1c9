/** Lives a scenario in a process of its own. */
import { ask, begin, type Surroundings } from '../run/many.ts';

const hangMs = 120_000;

/** @param text of the scenario. @returns which invariant it breaks, if any */
export async function replay(
  text: string,
  surroundings?: Surroundings,
): Promise<{ readonly broken: string | undefined }> {
  const child = begin(surroundings);
  try {
    const answer = await ask(child, { scenario: text }, hangMs);
    return { broken: answer.type === 'failed' ? answer.invariant : undefined };
  } finally {
    child.kill('SIGKILL');
  }
}
