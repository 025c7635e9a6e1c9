/** Whom a sysctl belongs to: one link, which takes it along when it goes, or the namespace as a whole. */

/**
 * The link that a sysctl is a setting of: `eth0` for `net/ipv6/conf/eth0/disable_ipv6`. Undefined for the settings of
 * a namespace, those of `all` and `default` among them.
 */
export function linkOfSysctl(name: string): string | undefined {
  const link = /^net\/(?:ipv4|ipv6|mpls)\/(?:conf|neigh)\/([^/]+)\//.exec(name)?.[1];
  return link === 'all' || link === 'default' ? undefined : link;
}
