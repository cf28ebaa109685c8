#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# idle.sh - --idle wait: no CPU without packets, and none lost or late when they come again
#
# PP_IDLE_SECONDS (2): how long it must be quiet.
. "$(dirname "$0")/lib.sh"
quiet=${PP_IDLE_SECONDS:-2}

topology

cpu_ns() { # PID: of all its threads
	cat "/proc/$1/task/"*/schedstat | awk '{ ns += $1 } END { printf "%.0f\n", ns }'
}

# two percent of a CPU at most while nothing is sent
check_quiet() { # WHAT
	sleep 0.5 # ARP and the last naps that are short
	used=$(cpu_ns "$FWD")
	sleep "$quiet"
	used=$(($(cpu_ns "$FWD") - used))
	say "$1: $((used / 1000000)) ms of CPU in $quiet s"
	[ "$used" -lt $((quiet * 20000000)) ] || fail "$1: $used ns of CPU in $quiet s idle"
}

# each of these finds the workers asleep; then a burst finds them asleep once
check_wakes() { # WHAT
	in_a ping -q -c 40 -i 0.05 -W 5 "$ADDR_B" >"$TMP/ping" || fail "$1: $(cat "$TMP/ping")"
	grep -q '40 received' "$TMP/ping" || fail "$1: $(cat "$TMP/ping")"
	say "$1: $(sed -n 's/^rtt //p' "$TMP/ping")"
	sleep 0.3
	before=$(echo_replies)
	in_a ping -q -c 500 -i 0.0002 -W 5 "$ADDR_B" >"$TMP/ping" 2>&1
	soon burst_came_back || fail "$1: $(($(echo_replies) - before)) of 500 came back at once"
}

burst_came_back() {
	[ $(($(echo_replies) - before)) -ge 500 ]
}

for driver in af_xdp: pcap:iface=; do
	fwd_start --port "${driver}west" --port "${driver}east" --idle wait || exit 1
	connected || { [ "$driver" = af_xdp: ] || ! grep -q libpcap "$TMP/fwd.err"; } ||
		{ say "not run: pcap; built without libpcap"; continue; }
	fwd_ping
	check_quiet "${driver%:*}"
	check_wakes "${driver%:*}"
	check_quiet "${driver%:*}, afterwards"
	fwd_stop
	[ "$(json_sum sleeps)" -gt 10 ] || fail "$driver: it slept $(json_sum sleeps) times"
done

# how long packets are under way that each find the receiver asleep: a marked one every 20 ms
ip netns exec "$B" "$PPFWD" --port af_xdp:vb --engine rxonly --latency 1 --idle wait \
	--json "$TMP/late.json" >"$TMP/late.out" 2>&1 &
HELD=$!
soon in_b sh -c 'ip link show vb | grep -q xdp' || fail "the receiver did not start"
fwd_start --port af_xdp:west --port af_xdp:east --idle wait
soon in_r sh -c 'ip link show east | grep -q xdp' || fail "the forwarder did not start"
in_a "$PPFWD" --port af_xdp:va --engine txonly --rate 50 --latency 1 --packets 100 >"$TMP/sent" ||
	fail "the sender: $(cat "$TMP/sent")"
sleep 0.3
kill -TERM "$HELD"
gone "$HELD" || fail "the receiver does not end"
wait "$HELD" || fail "the receiver: $(cat "$TMP/late.out")"
HELD=
cp "$TMP/late.json" "$TMP/fwd.json"
say "latency: $(json_sum samples) packets, median $(json_sum p50_ns) ns, 99 % $(json_sum p99_ns) ns"
[ "$(json_sum samples)" -ge 100 ] || fail "only $(json_sum samples) of 100 packets arrived"
[ "$(json_sum p50_ns)" -lt 1000000 ] || fail "the median is over 1 ms"
fwd_stop

# an interface that goes must not keep the worker awake
fwd_start --port af_xdp:west --port af_xdp:east --idle wait
connected || soon grep -q west "$TMP/fwd.err"
ip -n "$A" link del va
soon grep -q 'west.* gone' "$TMP/fwd.err" || fail "the end of west was not told"
check_quiet "with an interface gone"
fwd_stop
