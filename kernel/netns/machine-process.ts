/**
 * The process that stands for the machine: the one in whose mount namespace every shell lives, and in whose network
 * namespace no sandbox is.
 */
import * as fs from 'node:fs';
import { openPath } from '../native/constants.ts';

/**
 * `/proc/PID` of the process that stands for the machine.
 *
 * Process 1 is denied by some hardenings, to root too.
 */
export function machineProcess(): string | undefined {
  const candidates = ['/proc/1', ...ancestors().map((pid) => `/proc/${pid}`)];
  return candidates.find((path) => {
    try {
      fs.closeSync(fs.openSync(`${path}/ns/mnt`, fs.constants.O_RDONLY));
      fs.closeSync(fs.openSync(`${path}/root`, openPath | fs.constants.O_DIRECTORY));
      return true;
    } catch {
      return false; // denied, or ended meanwhile: the next one is asked
    }
  });
}

/** Process ids from the topmost ancestor down to the parent. */
function ancestors(): number[] {
  const chain: number[] = [];
  for (let pid = process.ppid; pid > 1; pid = parentOf(pid)) chain.unshift(pid);
  return chain;
}

/** Field 4 of `/proc/PID/stat`; the second is the command in brackets, which may hold anything. 0 when it ended. */
function parentOf(pid: number): number {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
  } catch {
    return 0;
  }
}
