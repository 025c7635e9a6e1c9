/** The log of a made-up cluster, as lines for the fold: hosts, one overlay, and endpoints spread over the hosts. */
import type { BodyOf, LogRecord, RecordKind } from '../../core/log/record.ts';
import { encodeRecord } from '../../core/log/record-codec.ts';
import { networkIdOf, type RecordId } from '../../core/model/ids.ts';

export class ClusterLines {
  readonly #hosts: readonly string[];
  #records = 0;
  #joined = 0;

  constructor(hosts: number) {
    this.#hosts = Array.from({ length: hosts }, (_, index) => `host-${index}`);
  }

  /** Hosts that join, each with an underlay address of its own. */
  joins(): Uint8Array[] {
    return this.#hosts.map((host, index) =>
      this.#line('host-join', host, 0, {
        address: `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
        identity: index.toString(16).padStart(32, '0'),
        mtu: 1500,
        version: '0.1.0',
      }),
    );
  }

  /** One overlay of that name on 10.0.0.0/8. */
  network(name: string): { readonly line: Uint8Array; readonly id: string } {
    const id = networkIdOf(this.#nextId());
    const subnets = [{ prefix: '10.0.0.0/8', aux: [] }];
    const body = { name, driver: 'overlay', subnets, ipv6: false, internal: false, space: 'default' };
    return {
      id,
      line: this.#line('network-create', this.#hostOf(0), 1, { ...body, options: [], labels: [] }),
    };
  }

  /** One more endpoint of the network; hosts take turns. */
  endpoint(network: string): Uint8Array {
    const number = this.#joined++;
    return this.#line('endpoint-create', this.#hostOf(number), 1, {
      network,
      name: `box-${number}`,
      aliases: [],
      sandbox: { ref: `box-${number}`, identity: `bench-${number}` },
      avoid: [],
    });
  }

  #hostOf(number: number): string {
    return this.#hosts[number % this.#hosts.length] ?? '';
  }

  #nextId(): RecordId {
    return this.#records.toString(16).padStart(32, '0') as RecordId;
  }

  #line<K extends RecordKind>(kind: K, host: string, epoch: number, body: BodyOf<K>): Uint8Array {
    const id = this.#nextId();
    const base = this.#records++;
    const record = { v: 1, id, host, epoch, base, at: 1_700_000_000_000, by: 'uid:0', kind, body };
    return encodeRecord(record as unknown as LogRecord);
  }
}
