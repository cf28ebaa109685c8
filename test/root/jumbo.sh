#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# jumbo.sh - packets of 9000 bytes, in pages of 4096 and of 2048, both ways
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
for mode in native skb; do
	in_r timeout 30 "$AF_XDP_JUMBO" "$mode" || fail "af_xdp_jumbo $mode: status $?"
done
for link in "$A va" "$R west" "$R east" "$B vb"; do
	# shellcheck disable=SC2086 # two words
	set -- $link
	ip -n "$1" link set "$2" mtu 9000 || fail "cannot set the MTU of $2"
done
for mode in native skb; do
	for size in 2048 4096; do
		fwd_start --port "af_xdp:west,sg=on,mode=$mode" --port "af_xdp:east,sg=on,mode=$mode" \
			--page-size "$size"
		fwd_ping
		in_a ping -q -c 20 -i 0.02 -W 2 -s 8900 -M do "$ADDR_B" >"$TMP/ping" 2>&1 ||
			fail "no ping of 8900 bytes: $(cat "$TMP/ping")"
		transfer 64
		fwd_stop
		[ "$(json_sum errors)" = 0 ] || fail "ppfwd counts $(json_sum errors) errors"
		say "$mode, pages of $size: 9000 bytes"
	done
done
expect_error 'one page only, and its peer has sg=on' ip netns exec "$R" "$PPFWD" \
	--port af_xdp:west,sg=on --port null
expect_error 'sg=on does not go with --engine' ip netns exec "$R" "$PPFWD" \
	--port af_xdp:west,sg=on --port af_xdp:east,sg=on --engine csum
