/** Numbers of protocols that have ports (IANA). */
import type { PortProtocol } from '../core/model/published-port.ts';

export const protocolNumbers: Readonly<Record<PortProtocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
