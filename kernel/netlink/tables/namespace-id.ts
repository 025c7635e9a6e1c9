/** The numbers that namespaces give each other: `struct rtgenmsg` and NETNSA_* (`linux/net_namespace.h`). */
import { s32, u32 } from '../attribute.ts';

export const namespaceIdMessage = { get: 90 } as const;

export const namespaceId = {
  /** One byte of family, padded to four. */
  header: { bytes: 4, fields: { family: { offset: 0, type: 'u8' } } },
  attributes: { id: s32(1), fd: u32(3) },
} as const;

/** NETNSA_NSID_NOT_ASSIGNED. */
export const noNamespaceId = -1;
