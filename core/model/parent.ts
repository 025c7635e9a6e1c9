/** The link of a host that a network's interfaces are stacked on, as the option `parent` names it. */

export interface ParentName {
  /** The link whose frames it is about. */
  readonly link: string;
  /** Of its frames those of this VLAN; absent: those without a tag. */
  readonly vlan?: number;
}

/** `eth0`, or `eth0.50` for VLAN 50 on `eth0`. Of several dots the last one counts; behind it are only digits. */
export function parseParent(text: string): ParentName {
  const [, link, vlan] = /^(.+)\.([0-9]+)$/.exec(text) ?? [];
  return link === undefined ? { link: text } : { link, vlan: Number(vlan) };
}
