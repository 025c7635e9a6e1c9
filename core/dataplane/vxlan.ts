/** IANA's port for VXLAN (RFC 7348 §5). The kernel's own default is 8472, from before there was one. */
export const vxlanPort = 4789;
