/**
 * What a bundle is made of. Answered in any phase: a daemon that is not ready is one that people file bugs about.
 */

import { entryText } from '../../../core/bundle/entry-text.ts';
import { withoutSecrets } from '../../../core/lib/redact.ts';
import { genesis, type Position } from '../../../core/log/event-log.ts';
import { recordVersion } from '../../../core/log/record.ts';
import type { SnapshotId } from '../../../core/model/ids.ts';
import { doctorView, redactedStore, statusView } from '../views.ts';
import type { HandlerDeps, Handlers } from './handler.ts';

type BundleRoute = 'evidence' | 'entries' | 'logStart' | 'snapshotLines';

export function bundleHandlers(deps: HandlerDeps): Pick<Handlers, BundleRoute> {
  const { control, self } = deps;
  return {
    async evidence({ context }) {
      const { kernel, checkpoints, ordinal, recordHash, stateHash, position } = await control.evidence(
        context.signal,
      );
      const status = await control.status(context.signal);
      const { repairs, failing } = doctorView(await control.doctor(), status, []);
      const { objects, steady, fault } = kernel;
      return {
        ordinal,
        recordHash,
        stateHash,
        position,
        recordVersion,
        status: redacted(statusView(status)),
        configuration: self.configuration,
        system: self.system,
        checkpoints: [...checkpoints],
        repairs,
        failing,
        kernel: { steady, ...(fault === undefined ? {} : { fault }) },
        objects: [...objects],
        logLines: [...self.logLines()],
      };
    },
    async entries({ query, context }) {
      const range = { after: (query.after ?? genesis) as Position, until: query.until as Position };
      const { entries, end } = await control.entries(range, context.signal);
      return { items: entries.map(entryText), end };
    },
    async logStart({ query, context }) {
      const until = { position: query.until as Position, ordinal: query.ordinal };
      const snapshot = await control.logStart(until, context.signal);
      return snapshot === undefined ? {} : { snapshot };
    },
    async snapshotLines({ params, query, context }) {
      const items = await control.snapshotLines(params.ref as SnapshotId, query.chunk, context.signal);
      return { items: [...items] };
    },
  };
}

/** Reasons are the words of client libraries, which may quote what they were given. */
function redacted(status: ReturnType<typeof statusView>): ReturnType<typeof statusView> {
  const { phaseReason, store } = status;
  return {
    ...status,
    ...(phaseReason === undefined ? {} : { phaseReason: withoutSecrets(phaseReason) }),
    store: redactedStore(store),
  };
}
