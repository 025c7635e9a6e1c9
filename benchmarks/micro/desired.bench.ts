/** One more remote endpoint for a host's desired state: compiled alone, whatever the size of the cluster. */
import { bench, do_not_optimize, run, summary } from 'mitata';
import { DesiredState } from '../../core/desired/desired-state.ts';
import { apply } from '../../core/fold/apply.ts';
import { initialState } from '../../core/fold/predefined.ts';
import { replay } from '../../core/fold/replay.ts';
import { drivers } from '../../drivers/index.ts';
import { ClusterLines } from '../support/cluster-lines.ts';

const endpointsPerHost = 20;

summary(() => {
  for (const hosts of [10, 100, 1_000]) {
    const lines = new ClusterLines(hosts);
    const joins = lines.joins();
    const { line, id } = lines.network('crowd');
    const before = Array.from({ length: hosts * endpointsPerHost + 1 }, () => lines.endpoint(id));
    const { state } = replay(initialState(), [...joins, line, ...before]);
    const desired = new DesiredState(drivers, { host: 'host-0', netnsPrefix: 'weft-' });
    desired.load(state);
    desired.takeDirty();
    const more = apply(state, lines.endpoint(id));
    if (more.halted || more.changes.length === 0) throw new Error('the cluster is not as meant');
    bench(`one more endpoint, ${hosts} hosts of ${endpointsPerHost}`, () => {
      for (const change of more.changes) desired.apply(change, more.state);
      do_not_optimize(desired.takeDirty());
    });
  }
});

await run();
