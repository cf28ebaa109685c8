#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# tstamp.sh - tx_tstamp=on: when each packet was sent, by itself and together with tx_csum
. "$(dirname "$0")/lib.sh"

topology
for mode in native skb; do
	ip -n "$R" link add name px0 numrxqueues 2 numtxqueues 2 type veth \
		peer name px1 numrxqueues 2 numtxqueues 2 || fail "cannot make the veth pair"
	ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
	in_r timeout 40 "$AF_XDP_TSTAMP" "$mode" || fail "af_xdp_tstamp $mode: status $?"
done

for end in "$A va" "$B vb"; do
	# shellcheck disable=SC2086 # two words
	set -- $end
	ip netns exec "$1" ethtool -K "$2" tx on tso off gso off >/dev/null || fail "cannot set $2's offloads"
done
for csum in on sw; do
	fwd_start --port "af_xdp:west,tx_tstamp=on,tx_csum=$csum" \
		--port "af_xdp:east,tx_tstamp=on,tx_csum=$csum"
	fwd_ping
	transfer 16
	fwd_stop
	sent=$(json_sum tx_packets)
	[ "$sent" -gt 10000 ] || fail "only $sent packets were sent"
	[ "$(json_sum tx_tstamps)" = "$sent" ] || fail "$(json_sum tx_tstamps) times of $sent packets"
	[ "$(json_sum errors)" = 0 ] || fail "ppfwd counts $(json_sum errors) errors"
	for max in $(json_numbers tx_latency_max_ns); do
		[ "$max" -gt 0 ] && [ "$max" -lt 5000000000 ] || fail "a packet was sent after $max ns"
	done
	grep -q 'sending time of [1-9]' "$TMP/fwd.out" || fail "ppfwd's table has no times"
	say "tx_csum=$csum: $(grep 'sending time' "$TMP/fwd.out" | tr '\n' ' ')"
done

fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
fwd_stop
[ "$(json_sum tx_tstamps tx_tstamp_last)" = 0 ] || fail "times that nobody asked for"
expect_error 'tx_tstamp' ip netns exec "$R" "$PPFWD" --port af_xdp:west,tx_tstamp=maybe
expect_error 'tx_tstamp is settled when' ip netns exec "$R" "$PPFWD" \
	--port af_xdp:west,tx_tstamp=on,socket=5
