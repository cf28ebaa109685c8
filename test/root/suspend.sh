#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# suspend.sh - suspend=US: settings of a NAPI, and as they were before afterwards, also after kill -9
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
# a NAPI that outlives the port, and that packets go through without one, too
in_r ethtool -K px1 gro on >/dev/null && in_r ethtool -K px0 tso off >/dev/null ||
	fail "cannot switch GRO on, or TSO off"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
no_records() {
	[ -z "$(find /run/pagepool -name "napi-$(in_r stat -L -c %i /proc/self/ns/net).*" 2>/dev/null)" ]
}

in_r timeout 50 "$AF_XDP_SUSPEND" || fail "af_xdp_suspend: status $?"
no_records || fail "a record was left behind"
for next in plain again; do
	in_r "$AF_XDP_SUSPEND" kill >/dev/null 2>&1 && fail "it was not killed"
	! no_records || fail "no record after a kill"
	in_r "$AF_XDP_SUSPEND" "$next" || fail "after a kill, $next: status $?"
	no_records || fail "a record was left behind, $next"
done
say "restored after kill -9"

# a veth has none: ppfwd says so in one line, and sleeps as without
fwd_start --port af_xdp:west,suspend=100000 --port af_xdp:east,suspend=100000,busy_poll=50 --idle wait
fwd_ping
fwd_stop
for port in west east; do
	[ "$(grep -c "interrupts of $port are not suspended: .*; " "$TMP/fwd.err")" = 1 ] ||
		fail "ppfwd does not say once that interrupts of $port are not suspended"
done
[ "$(json_sum sleeps)" -gt 2 ] || fail "it slept $(json_sum sleeps) times"
