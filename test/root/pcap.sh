#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# pcap.sh - a recording of traffic through ppfwd, forwarded file to file, stays the same
. "$(dirname "$0")/lib.sh"

topology
need tcpdump

fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
ip netns exec "$A" tcpdump -i va -U -w "$TMP/in.pcap" -B 16384 2>"$TMP/tcpdump" &
dump=$!
until grep -q listening "$TMP/tcpdump"; do
	kill -0 "$dump" 2>/dev/null || fail "tcpdump: $(cat "$TMP/tcpdump")"
	sleep 0.05
done
in_a ping -q -c 5 -i 0.02 "$ADDR_B" >/dev/null
transfer 4
sleep 0.3
kill -INT "$dump"
wait "$dump"
fwd_stop

show() {
	tcpdump -r "$1" -nn -tt -e -xx 2>/dev/null
}

fwd_start --port "pcap:rx=$TMP/in.pcap,tx=$TMP/out.pcap"
wait "$FWD" || fail "file to file ended with status $?"
check_ledger
show "$TMP/in.pcap" >"$TMP/in.txt"
show "$TMP/out.pcap" >"$TMP/out.txt"
packets=$(grep -c '^[0-9]' "$TMP/in.txt")
[ "$packets" -gt 1000 ] || fail "only $packets packets were recorded"
cmp "$TMP/in.txt" "$TMP/out.txt" || fail "the files differ"
[ "$(json_sum rx_packets)" = "$packets" ] || fail "$(json_sum rx_packets) of $packets packets read"
say "$packets packets, the same bytes, order and times"
