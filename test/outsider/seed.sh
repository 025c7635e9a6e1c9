#!/usr/bin/env bash
# The seed's walk-through as an outsider would repeat it: with bin/weft, ip, bridge, ping and etcd, and nothing of weft's
# own test code. Exits 0 when everything is as it should be; says what is not otherwise.
#
#   seed.sh STORE TOPOLOGY FAMILY        STORE: file | etcd    TOPOLOGY: flat | routed    FAMILY: 4 | 6
#
# Two hosts are network namespaces on one underlay subnet (flat) or on two with a router between them (routed). All
# addresses exist inside the namespaces only. Everything it makes it removes, whatever happens.
set -euo pipefail
store=${1:-file} topology=${2:-flat} family=${3:-4}
here=$(cd "$(dirname "$0")" && pwd)
weft=${WEFT:-$here/../../bin/weft}
[ -x "$weft" ] || weft=$here/../../../bin/weft
id=ws$$
tmp=$(mktemp -d /tmp/weft-seed-XXXXXX)
pids=()

step() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAIL: %s\n' "$*" >&2; exit 1; }
expect() { # expect PATTERN COMMAND...: the output of the command matches
  local pattern=$1 out; shift
  out=$("$@" 2>&1) || fail "'$*' exited $?: $out"
  grep -Eq -- "$pattern" <<<"$out" || fail "'$*' does not show /$pattern/ but: $out"
}
refuse() { # refuse COMMAND...: the command fails
  if "$@" >/dev/null 2>&1; then fail "'$*' succeeded but must not"; fi
}
eventually() { # eventually COMMAND...: succeeds within five seconds
  for _ in $(seq 50); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.1; done
  fail "'$*' does not succeed"
}

cleanup() {
  set +e
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
  for ns in $(ip netns list | awk '{print $1}' | grep "^$id"); do ip netns del "$ns"; done
  rm -rf "$tmp" /etc/netns/"$id"*
}
trap cleanup EXIT
trap 'exit 130' INT TERM

step "underlay: $topology"
for ns in core h1 h2; do ip netns add "$id$ns"; ip -n "$id$ns" link set lo up; done
wire() { # wire HOST ADDRESS: a veth from the host to the core
  ip link add "eth0" netns "$id$1" type veth peer name "p$1" netns "$id"core
  ip -n "$id$1" addr add "$2" dev eth0
  ip -n "$id$1" link set eth0 up
  ip -n "$id"core link set "p$1" up
}
if [ "$topology" = flat ]; then
  a1=192.168.2.15 a2=192.168.2.200
  wire h1 $a1/24; wire h2 $a2/24
  ip -n "$id"core link add br0 type bridge
  ip -n "$id"core link set br0 up
  ip -n "$id"core link set ph1 master br0
  ip -n "$id"core link set ph2 master br0
else
  a1=192.168.2.15 a2=192.168.3.15
  wire h1 $a1/24; wire h2 $a2/24
  ip -n "$id"core addr add 192.168.2.1/24 dev ph1
  ip -n "$id"core addr add 192.168.3.1/24 dev ph2
  ip netns exec "$id"core sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
  ip -n "$id"h1 route add default via 192.168.2.1
  ip -n "$id"h2 route add default via 192.168.3.1
fi
eventually ip netns exec "$id"h1 ping -c1 -W1 $a2

step "store: $store"
if [ "$store" = etcd ]; then
  ip netns exec "$id"h1 etcd --data-dir "$tmp/etcd" --log-level error \
    --listen-client-urls http://$a1:2379 --advertise-client-urls http://$a1:2379 \
    --listen-peer-urls http://$a1:2380 --initial-advertise-peer-urls http://$a1:2380 \
    --initial-cluster default=http://$a1:2380 >"$tmp/etcd.out" 2>&1 &
  pids+=($!)
  url=etcd://$a1:2379/weft
else
  url=file:$tmp/log
fi

step "daemons"
start() { # start HOST ADDRESS
  ip netns exec "$id$1" "$weft" daemon --store "$url" --host "$1" --advertise "$2" \
    --data-dir "$tmp/$1" --netns-prefix "$id$1-" --socket "$tmp/$1.sock" >"$tmp/$1.out" 2>&1 &
  pids+=($!)
}
start h1 $a1; start h2 $a2
w1() { "$weft" --socket "$tmp/h1.sock" "$@"; }
w2() { "$weft" --socket "$tmp/h2.sock" "$@"; }
running() { "$weft" --socket "$tmp/$1.sock" --format json status | grep -q '"phase": *"running"'; }
eventually running h1; eventually running h2
expect 'h1 .*192.168.2.15' w1 host ls
expect 'h2 ' w1 host ls

step "network create on h1, network ls on h2"
if [ "$family" = 4 ]; then
  subnet=10.0.1.0/24 red1=10.0.1.2 red2=10.0.1.3 blue2=10.0.1.6
  nid=$(w1 network create --driver=overlay --subnet=$subnet overlayred)
else
  subnet=fd00:1::/64 red1=fd00:1::2 red2=fd00:1::3 blue2=fd00:1::6
  nid=$(w1 network create --driver=overlay --ipv6 --subnet=$subnet overlayred)
fi
[[ $nid =~ ^[0-9a-f]{64}$ ]] || fail "network create printed '$nid'"
eventually w2 network inspect overlayred
expect "${nid:0:12} +overlayred +overlay" w2 network ls
expect "\"Subnet\": \"$subnet\"" w2 network inspect "${nid:0:8}"

step "containers on both hosts"
ip netns add "${id}c1"; ip netns add "${id}c2"
w1 network connect --name miniontest overlayred "${id}c1"
w2 network connect --name mastertest overlayred "${id}c2"
expect "$red1/" ip -n "${id}c1" addr show eth0
expect "$red2/" ip -n "${id}c2" addr show eth0
expect 'mtu 1450' ip -n "${id}c1" link show eth0

step "the data plane"
ns1=${id}h1-${nid:0:10} ns2=${id}h2-${nid:0:10}
expect "$ns1" ip netns list
mac2=$(ip -n "${id}c2" -br link show eth0 | awk '{print $3}')
[ "$family" = 6 ] || [ "$mac2" = 02:42:0a:00:01:03 ] || fail "the MAC of mastertest is $mac2"
# The kernel adds where the tunnel's socket lives ('link-netnsid 0') to what the seed shows.
entry="$mac2 dst $a2 (link-netnsid [0-9]+ )?self permanent"
has_entry() { ip netns exec "$ns1" bridge fdb show dev vxlan0 | grep -Eq "$entry"; }
has_neighbour() { ip -n "$ns1" neigh show dev vxlan0 | grep -q "$red2 .*PERMANENT"; }
eventually has_entry
eventually has_neighbour
expect "$red2 .*lladdr $mac2 .*PERMANENT" ip -n "$ns1" neigh show dev vxlan0
expect 'vxlan id 256 .*dstport 4789 .*nolearning|vxlan id 256 local .* nolearning' ip -n "$ns1" -d link show vxlan0

step "names and ping across VXLAN"
expect "$red2.*mastertest" ip netns exec "${id}c1" cat /etc/hosts
expect 'mastertest.overlayred' ip netns exec "${id}c1" cat /etc/hosts
eventually ip netns exec "${id}c1" ping -c1 -W1 mastertest
expect ' 0% packet loss' ip netns exec "${id}c1" ping -c5 -i0.2 mastertest
expect ' 0% packet loss' ip netns exec "${id}c2" ping -c5 -i0.2 miniontest.overlayred

step "a second overlay on the same subnet is segregated"
if [ "$family" = 4 ]; then w2 network create -d overlay --subnet=$subnet overlayblue >/dev/null
else w2 network create -d overlay --ipv6 --subnet=$subnet overlayblue >/dev/null; fi
eventually w1 network inspect overlayblue
ip netns add "${id}b1"; ip netns add "${id}b2"
w1 network connect --name minionblue overlayblue "${id}b1"
w2 network connect --name masterblue overlayblue "${id}b2"
expect "$blue2/" ip -n "${id}b2" addr show eth0
eventually ip netns exec "${id}b1" ping -c1 -W1 masterblue
refuse ip netns exec "${id}b1" ping -c1 -W1 "$red2"
refuse ip netns exec "${id}b1" ping -c1 -W1 mastertest

step "entries deleted by hand come back"
ip netns exec "$ns1" bridge fdb del "$mac2" dev vxlan0 dst "$a2" self
eventually has_entry
ip -n "$ns1" neigh del "$red2" dev vxlan0
eventually has_neighbour
eventually ip netns exec "${id}c1" ping -c1 -W1 mastertest

step "everything goes as it came"
w1 network disconnect overlayred "${id}c1"
refuse ip -n "${id}c1" link show eth0
w1 endpoint rm mastertest
eventually sh -c "! ip -n ${id}c2 link show eth0"
w1 network rm overlayred
eventually sh -c "! ip netns list | grep -q '^$ns2'"
refuse w2 network inspect overlayred
w2 network disconnect overlayblue "${id}b2"; w1 network disconnect overlayblue "${id}b1"; w1 network rm overlayblue
eventually sh -c "! ip netns list | grep -Eq '^${id}h[12]-'"

printf '\nOK: %s %s IPv%s\n' "$store" "$topology" "$family"
