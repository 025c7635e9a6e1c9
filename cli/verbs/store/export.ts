import type { Command } from 'commander';
import type { Answer } from '../../../api/index.ts';
import { type ExportLine, exportFormat } from '../../../core/bundle/export.ts';
import type { LogId } from '../../../core/model/ids.ts';
import { writeBundleFile } from '../../bundle-file.ts';
import type { Context } from '../../context.ts';

const help = `
The file holds the cluster's state as this host knows it: hosts, networks, endpoints and addresses, and what tells a repetition
from a new request. 'weft store import' begins a log in an empty store from it. Works while the store is down; nothing is changed.

It has no password, token or key. It does have what users wrote, such as labels: it is for its owner alone (mode 0600).`;

export function addVerb(parent: Command, context: Context): void {
  parent
    .command('export')
    .description("write all that this host knows of the cluster's state into one file")
    .argument('<file>', 'a new one; an existing file is not overwritten')
    .addHelpText('after', help)
    .action(async (path: string) => {
      const head = await context.call('beginExport');
      await writeBundleFile(path, linesOf(context, head), 'export');
      const { ordinal, logId, stateHash } = head;
      await context.print(
        { file: path, logId, ordinal, stateHash },
        () => `${path}: ordinal ${ordinal} of log ${logId}\n`,
      );
    });
}

/** A page is in memory at a time. */
async function* linesOf(
  context: Context,
  { ref, logId, ...head }: Answer<'beginExport'>,
): AsyncGenerator<ExportLine, void, void> {
  const madeAt = `${new Date().toISOString().slice(0, 19)}Z`;
  yield { type: 'export', format: exportFormat, madeAt, logId: logId as LogId, ...head };
  for (let [page, end] = [0, false]; !end; page += 1) {
    const answer = await context.call('exportLines', { params: { ref }, query: { page: String(page) } });
    for (const text of answer.items) yield { type: 'state-line', text };
    end = answer.end;
  }
}
