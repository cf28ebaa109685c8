#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# transfer.sh native|skb [MIB] - ping and a TCP transfer through two AF_XDP ports, clean stop
. "$(dirname "$0")/lib.sh"

mode=${1:-native}
mib=${2:-1024}
shown=xdp
[ "$mode" = skb ] && shown=xdpgeneric

topology
fwd_start --port "af_xdp:west,mode=$mode" --port "af_xdp:east,mode=$mode"
fwd_ping
for port in west east; do
	ip -n "$R" link show dev "$port" | grep -q "$shown " || fail "no $mode XDP on $port"
done
transfer "$mib"
fwd_stop
[ "$(json_sum errors)" = 0 ] || fail "ppfwd counts $(json_sum errors) errors"
[ "$(json_sum rx_packets)" -gt $((mib * 600)) ] || fail "only $(json_sum rx_packets) packets came by"
say "$(json_sum rx_packets) packets, $(json_sum rx_dropped tx_dropped) dropped, no page lost"
