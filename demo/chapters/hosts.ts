/** Chapter 1: two hosts, one daemon on each, one log between them. */
import type { Cast, HostPlace } from '../cast.ts';
import type { Stage } from '../stage.ts';

export async function showHosts(stage: Stage, cast: Cast): Promise<void> {
  stage.chapter('Two hosts and one log');
  stage.say(
    'Two hosts stand on one underlay, 192.168.2.0/24: etcdmaster at .15 and minion0 at .200. They are network',
    'namespaces of this machine. What follows `minion0#` is run on minion0, and `weft` there speaks to its daemon.',
  );
  for (const place of [cast.etcdmaster, cast.minion0]) {
    await stage.look(place, 'ip', ['-brief', 'address', 'show', 'eth0'], {
      expect: [{ pattern: new RegExp(place.host.place.ipv4), what: 'the underlay address' }],
    });
  }
  if (cast.server !== undefined) {
    stage.say(`The store is ${cast.server.name} on etcdmaster.`);
    stage.typed('etcdmaster', cast.server.typed);
  }
  stage.say(`Each host runs a daemon. They have nothing in common but the store, ${cast.storeUrl}.`);
  for (const place of [cast.etcdmaster, cast.minion0]) await startDaemon(stage, place, cast.storeUrl);

  stage.say('Each knows the other, by what both read in the log.');
  await stage.look(cast.minion0, 'weft', ['host', 'ls'], {
    expect: [
      { pattern: /etcdmaster\s.*192\.168\.2\.15\b/, what: 'etcdmaster at 192.168.2.15' },
      { pattern: /minion0\s.*192\.168\.2\.200\b/, what: 'minion0 at 192.168.2.200' },
    ],
  });
  await stage.look(cast.etcdmaster, 'weft', ['status'], {
    expect: [
      { pattern: /Phase:\s+running/, what: 'a running daemon' },
      { pattern: /: reachable/, what: 'a reachable store' },
    ],
  });
}

async function startDaemon(stage: Stage, { name, host }: HostPlace, store: string): Promise<void> {
  stage.typed(name, `weft ${host.daemonArgs({ store }).join(' ')} &`);
  await host.startDaemon({ store });
  stage.note(`the daemon of ${name} is ready`);
}
