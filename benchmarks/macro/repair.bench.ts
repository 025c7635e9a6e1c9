/**
 * How long the kernel lies when another hand takes something of weft's away: from the end of the command that did it until
 * the daemon has counted the repair, which it does when it is there again. With the time of asking, and the kernel as it is.
 */
import { Client } from '../../api/client.ts';
import { createLab, labHindrance } from '../../lab/hosts.ts';

const rounds = 20;
const pollMs = 1;

const hindrance = await labHindrance();
if (hindrance === undefined) await measure();
else process.stdout.write(`skipped: ${hindrance}\n`);

async function measure(): Promise<void> {
  using lab = await createLab({ hosts: ['here'] });
  const [host] = lab.hosts;
  if (host === undefined) throw new Error('the lab has a host');
  await host.startDaemon({ store: `file:${lab.folder}/log` });
  const api = new Client({ socket: host.socket });
  await host.weft(['network', 'create', '-d', 'bridge', 'bridgered']);
  await host.weft(['network', 'connect', '-p', '8080:80', 'bridgered', await host.addSandbox('red')]);
  const [endpoint] = (await api.call('listEndpoints')).items;
  await host.weft(['network', 'create', 'overlaid']);
  await host.weft(['network', 'connect', 'overlaid', await host.addSandbox('green')]);
  const bridge = `br-${endpoint?.network.slice(0, 12)}`;
  const acts: Readonly<Record<string, readonly string[]>> = {
    'nft flush ruleset': ['nft', 'flush ruleset'],
    'a member of a masquerade set deleted': ['nft', `delete element inet weft masquerade4 { ${bridge} }`],
    'a published port deleted': ['nft', 'delete element inet weft anywhere4 { tcp . 8080 }'],
    'the bridge deleted': ['ip', 'link', 'del', bridge],
    'the gateway bridge deleted': ['ip', 'link', 'del', 'weft_gwbridge'],
  };
  for (const [what, [command = '', ...args]] of Object.entries(acts)) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const { repairs } = (await api.call('status')).dataplane;
      await host.exec(command, args);
      const startedAt = performance.now();
      for (;;) {
        const { dataplane } = await api.call('status');
        if (dataplane.repairs > repairs && dataplane.pending === 0) break;
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
      times.push(performance.now() - startedAt);
    }
    report(`${what}, until all is back`, times);
  }
}

function report(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1);
  process.stdout.write(
    `${what}: median ${at(0.5)} ms, p90 ${at(0.9)} ms, worst ${at(1)} ms (${times.length} times)\n`,
  );
}
