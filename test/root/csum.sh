#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# csum.sh - a sender leaves its checksums to hardware that is not there; tx_csum=sw computes them
. "$(dirname "$0")/lib.sh"

topology
for end in "$A va" "$B vb"; do
	# shellcheck disable=SC2086 # two words
	set -- $end
	ip netns exec "$1" ethtool -K "$2" tx on tso off gso off >/dev/null || fail "cannot set $2's offloads"
done
wrong() { # TCP segments that B has received with a wrong checksum, ever
	in_b awk '/^Tcp:/ && c { print $c; exit }
		/^Tcp:/ { for (i = 1; i <= NF; i++) if ($i == "InCsumErrors") c = i }' /proc/net/snmp
}

# without it nothing but wrong checksums arrives
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
in_b timeout 3 "$XFER" recv 5002 >/dev/null 2>&1 &
in_a timeout 2 "$XFER" send "$ADDR_B" 5002 1 >/dev/null 2>&1 &&
	fail "the sender computes checksums itself: this test shows nothing"
[ "$(wrong)" -gt 0 ] || fail "no wrong checksum arrived: this test shows nothing"
fwd_stop

for mode in native skb; do
	had=$(wrong)
	fwd_start --port "af_xdp:west,tx_csum=sw,mode=$mode" --port "af_xdp:east,tx_csum=sw,mode=$mode"
	fwd_ping
	transfer 16
	fwd_stop
	[ "$(wrong)" = "$had" ] || fail "$(($(wrong) - had)) wrong checksums"
	[ "$(json_sum errors)" = 0 ] || fail "ppfwd counts $(json_sum errors) errors"
	say "$mode: checksums computed by the kernel as it copies"
done

# left to a device: a veth hands the request on to the stack behind it
fwd_start --port af_xdp:west,tx_csum=on --port af_xdp:east,tx_csum=on
fwd_ping
transfer 16
fwd_stop
expect_error 'tx_csum' ip netns exec "$R" "$PPFWD" --port af_xdp:west,tx_csum=maybe
say "checksums left to the device"
