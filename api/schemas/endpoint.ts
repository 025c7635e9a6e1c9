/** Endpoints as the API takes and gives them. */
import { z } from 'zod';
import {
  aliasesMax,
  endpointRoutesMax,
  gatewayPriorityMax,
  gatewayPriorityMin,
  portSpecsMax,
} from '../../core/limits.ts';
import { portProtocols } from '../../core/model/published-port.ts';
import { count, filters, objectId, options, ref, stamp, text } from './common.ts';

export const endpointRequestSchema = z.strictObject({
  /** `NAME` of `ip netns`, `/absolute/path` or `pid:N`, on the daemon's host. */
  sandbox: text,
  name: text.exactOptional(),
  aliases: z.array(text).max(aliasesMax).default([]),
  /** Static addresses; absent: the next free ones. */
  ipv4: text.exactOptional(),
  ipv6: text.exactOptional(),
  mac: text.exactOptional(),
  /** Interface name in the sandbox; absent: the lowest free `ethN`. */
  ifname: text.exactOptional(),
  /** Link-local addresses beside those, one of each family at most. */
  linkLocal: z.array(text).max(2).exactOptional(),
  /** Docker's `com.docker.network.endpoint.sysctls` and `com.docker.network.endpoint.ifname`. */
  options: options.exactOptional(),
  /** Static routes over its interface, `DESTINATION[,GATEWAY]` each. */
  routes: z.array(text).max(endpointRoutesMax).exactOptional(),
  /** Of several endpoints of one sandbox the one of the highest gives the default route. */
  gatewayPriority: z.int().min(gatewayPriorityMin).max(gatewayPriorityMax).exactOptional(),
  /** What is published: `[IP:][HOST[-END]:]PORT[-END][/tcp|udp|sctp]` each. */
  ports: z.array(text).max(portSpecsMax).exactOptional(),
});

/** A sandbox of the daemon's host, or an endpoint of the network wherever it is. */
export const disconnectRequestSchema = z.strictObject({ ref });

export const endpointQuerySchema = z.strictObject({ network: ref.exactOptional(), filter: filters });

export const endpointSchema = z.object({
  id: objectId,
  /** Id and name of its network. */
  network: objectId,
  networkName: z.string(),
  name: z.string().exactOptional(),
  aliases: z.array(z.string()),
  /** Every name by which the other endpoints of the network find it. */
  names: z.array(z.string()),
  host: z.string(),
  sandbox: z.object({ ref: z.string(), identity: z.string() }),
  ifname: z.string().exactOptional(),
  mac: z.string().exactOptional(),
  /** With the length of their subnet, IPv4 first. */
  addresses: z.array(z.string()),
  linkLocal: z.array(z.string()).exactOptional(),
  /** Settings of its interface, by their names below `/proc/sys/`. */
  sysctls: z.array(z.object({ name: z.string(), value: z.string() })).exactOptional(),
  routes: z.array(z.object({ destination: z.string(), via: z.string().exactOptional() })).exactOptional(),
  gatewayPriority: z.int().exactOptional(),
  /** Ports of its host, each with the address of the host at which it is published. */
  ports: z.array(
    z.object({ protocol: z.enum(portProtocols), address: z.string(), hostPort: count, port: count }),
  ),
  created: stamp,
  changed: stamp,
});

export type EndpointRequestBody = z.input<typeof endpointRequestSchema>;
export type EndpointView = z.output<typeof endpointSchema>;
