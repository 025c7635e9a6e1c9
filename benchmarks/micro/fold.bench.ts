/** One more endpoint for the fold, in clusters of different sizes: the cost must not grow with the cluster. */
import { bench, do_not_optimize, run, summary } from 'mitata';
import { apply } from '../../core/fold/apply.ts';
import { initialState } from '../../core/fold/predefined.ts';
import { replay } from '../../core/fold/replay.ts';
import { ClusterLines } from '../support/cluster-lines.ts';

const hosts = 100;

summary(() => {
  for (const endpoints of [100, 10_000, 50_000]) {
    const lines = new ClusterLines(hosts);
    const network = [...lines.joins()];
    const { line, id } = lines.network('crowd');
    const before = Array.from({ length: endpoints }, () => lines.endpoint(id));
    const { state, outcomes } = replay(initialState(), [...network, line, ...before]);
    const refused = outcomes.find((outcome) => !outcome.accepted);
    if (refused !== undefined) throw new Error(`the cluster is not as meant: ${JSON.stringify(refused)}`);
    const next = lines.endpoint(id);
    bench(`one more endpoint, beside ${endpoints}`, () => do_not_optimize(apply(state, next)));
  }
});

await run();
