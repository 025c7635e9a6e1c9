/**
 * What a user waits for: attaching an endpoint until its interface is up, one after the other, and until another host
 * can reach it. On a file store, with daemons, kernels and namespaces as they are.
 */
import { Client } from '../../api/client.ts';
import { execIn } from '../../lab/host.ts';
import { createLab, labHindrance } from '../../lab/hosts.ts';

const endpoints = 50;
const pollMs = 1;

const hindrance = await labHindrance();
if (hindrance === undefined) await measure();
else process.stdout.write(`skipped: ${hindrance}\n`);

async function measure(): Promise<void> {
  using lab = await createLab({ hosts: ['near', 'far'] });
  const store = `file:${lab.folder}/log`;
  const [near, far] = lab.hosts;
  if (near === undefined || far === undefined) throw new Error('the lab has two hosts');
  for (const host of lab.hosts) await host.startDaemon({ store });
  const api = new Client({ socket: near.socket });
  const network = await api.call('createNetwork', { body: { name: 'crowd', subnets: [] } });
  await new Client({ socket: far.socket }).call('connect', {
    params: { ref: network.id },
    body: { sandbox: await far.addSandbox('first') },
  });
  const overlay = `${far.netnsPrefix}${network.id.slice(0, 10)}`;
  const attached: number[] = [];
  const converged: number[] = [];
  for (let index = 0; index < endpoints; index++) {
    const sandbox = await near.addSandbox(`box${index}`);
    const startedAt = performance.now();
    const endpoint = await api.call('connect', { params: { ref: network.id }, body: { sandbox } });
    attached.push(performance.now() - startedAt);
    await untilShown(overlay, endpoint.mac ?? '');
    converged.push(performance.now() - startedAt);
  }
  report('attach: request to interface up', attached);
  report('attach on one host to FDB entry on the other (with the time of looking)', converged);
}

async function untilShown(netns: string, mac: string): Promise<void> {
  while (!(await execIn(netns, 'bridge', ['fdb', 'show', 'dev', 'vxlan0'])).stdout.includes(mac)) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

function report(what: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1);
  process.stdout.write(
    `${what}: median ${at(0.5)} ms, p90 ${at(0.9)} ms, worst ${at(1)} ms (${times.length} times)\n`,
  );
}
