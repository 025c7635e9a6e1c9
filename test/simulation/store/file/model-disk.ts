/**
 * The disk that all daemons of a simulated cluster share, as one process sees it: calls take time and may fail, and what
 * was not synced is lost when the power fails. What becomes part of the log is seen here, when the head says so.
 */
import type { Watch } from '../../../../adapters/file/file-system.ts';
import {
  type Call,
  type DiskFault,
  type SimulatedDisk,
  SimulatedProcess,
} from '../../../support/simulated-disk.ts';
import type { Process } from '../../world/process.ts';
import type { World } from '../../world/world.ts';
import type { Handle, Outage } from '../style.ts';
import type { Traps } from '../traps.ts';

/** A disk answers sooner than a network. */
const callMsMax = 2;
const outageLookMs = 200;

export interface ModelDiskParts {
  readonly world: World;
  readonly disk: SimulatedDisk;
  readonly traps: Traps<'file'>;
  readonly handle: Handle;
  readonly store: { readonly outage: Outage | undefined };
  /** False where the process is none of a host's. */
  readonly kill: (process: Process) => boolean;
  /** Called at once when the head was written. */
  readonly onHead: () => void;
}

export class ModelDisk extends SimulatedProcess {
  readonly #parts: ModelDiskParts;

  constructor(parts: ModelDiskParts) {
    const { world, handle, store } = parts;
    const pause = (ms: number): Promise<void> =>
      new Promise((resolve) => void world.scheduler.after(ms, handle.process, resolve));
    super(
      parts.disk,
      (_count, call, path) => this.#faultOf(call, path),
      async () => {
        // Also a call that takes no time: one of a dead process never comes back.
        await pause(world.plan.storeDelayMs > 0 ? handle.link.chance.unit() * callMsMax : 0);
        // A mount that hangs holds every call that is made on it.
        while (store.outage === 'silent') await pause(outageLookMs);
        if (store.outage === 'refusing')
          throw Object.assign(new Error('EIO: the disk is gone'), { code: 'EIO' });
      },
    );
    this.#parts = parts;
    handle.process.onDeath = () => this.die();
  }

  override watch(path: string, onChange: (isGone: boolean) => void): Watch {
    const { world, handle, traps } = this.#parts;
    return super.watch(path, (isGone) => {
      if (handle.process.dead || handle.link.silent || traps.springs('lost-wake-up', 0.3)) return;
      world.scheduler.after(handle.link.chance.unit() * callMsMax, handle.process, () => onChange(isGone));
    });
  }

  override async change<T>(call: Call, path: string, effect: () => T, partly?: () => T): Promise<T> {
    if (call === 'truncate') this.#parts.traps.met('torn end cut off');
    const observed = (act: () => T): (() => T) => {
      if (call !== 'write' || !path.endsWith('/head')) return act;
      return () => {
        const result = act();
        this.#parts.onHead();
        return result;
      };
    };
    return await super.change(call, path, observed(effect), partly);
  }

  #faultOf(call: Call, path: string): DiskFault | undefined {
    const { traps, handle } = this.#parts;
    const grows = call === 'write' || call === 'create';
    if (grows && traps.springs('disk-full', 0.05)) return 'enospc';
    if (call === 'write' && traps.springs('short-write', 0.1)) return 'short';
    if (call === 'sync' && traps.springs('sync-fails', 0.08)) return 'eio';
    if (call === 'write' && path.endsWith('.log') && handle.link.fateOf('write') === 'full') return 'enospc';
    // It dies with half of its bytes written.
    if (call === 'write' && traps.springs('torn-write', 0.01) && this.#parts.kill(handle.process))
      return 'die-amid';
    return undefined;
  }
}
