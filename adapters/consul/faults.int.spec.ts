/** What servers, processes and connections do to a log on a real Consul. */
import { consulUnavailable, startConsul, startConsulCluster } from '../../lab/consul.ts';
import { describeServerFaults } from '../../test/contract/server-faults.contract.ts';
import { ConsulLogs } from '../../test/support/consul-logs.ts';

describeServerFaults({
  name: 'consul',
  unavailable: consulUnavailable,
  start: startConsul,
  startCluster: startConsulCluster,
  newLogs: () => new ConsulLogs(),
  // In the first segment, and far into the log.
  catchUp: { entries: 600, cutAfterBytes: [20_000, 800_000] },
});
