/** Echo requests at 20 per second, counted: what a cluster's users would notice of what is done to it meanwhile. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const intervalSeconds = '0.05';

export interface Pinging {
  /** Ends it; the numbers are those of ping itself. Idempotent. */
  stop(): Promise<{ readonly sent: number; readonly lost: number }>;
}

/** Begins, and resolves when the first answer has come. */
export async function startPinging(netns: string, target: string): Promise<Pinging> {
  const args = ['netns', 'exec', netns, 'ping', '-i', intervalSeconds, '-W', '5', target];
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close');
  while (!/bytes from/.test(output)) {
    if (child.exitCode !== null) throw new Error(`ping ended: ${output}`);
    await Promise.race([once(child.stdout, 'data'), ended]);
  }
  return {
    async stop() {
      // SIGINT has ping count what is still under way as lost only if it is not answered within its own wait.
      if (child.exitCode === null) child.kill('SIGINT');
      await ended;
      const match = /(\d+) packets transmitted, (\d+) received/.exec(output);
      if (match === null) throw new Error(`ping did not say what came of it: ${output.slice(-200)}`);
      const [sent, received] = [Number(match[1]), Number(match[2])];
      // The very last one may still be on its way.
      const last = [...output.matchAll(/icmp_seq=(\d+)/g)].at(-1)?.[1];
      const isLastOpen = Number(last) === sent - 1 && sent - received === 1;
      return { sent, lost: isLastOpen ? 0 : sent - received };
    },
  };
}
