#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# updown.sh native|skb - interfaces go down and up, or away for good, under a running ppfwd
. "$(dirname "$0")/lib.sh"

mode=${1:-native}
topology
fwd_start --port "af_xdp:west,mode=$mode" --port "af_xdp:east,mode=$mode"
fwd_ping
for link in "$R east" "$R west" "$B vb" "$A va"; do
	# shellcheck disable=SC2086 # two words
	set -- $link
	ip -n "$1" link set "$2" down
	in_a ping -q -c 3 -i 0.05 -W 0.2 "$ADDR_B" >/dev/null 2>&1 && fail "$2 is down, and answers"
	ip -n "$1" link set "$2" up
	connected || fail "$mode: no ping after $2 went down and up"
done
fwd_ping
fwd_stop
say "$mode: down and up"

# stop with packets that cannot leave: east is down, and a sends on
fwd_start --port "af_xdp:west,mode=$mode" --port "af_xdp:east,mode=$mode"
fwd_ping
ip -n "$R" link set east down
in_a ping -q -c 50 -i 0.01 -W 0.2 "$ADDR_B" >/dev/null 2>&1
fwd_stop
ip -n "$R" link set east up
say "$mode: stopped with an interface down"

fwd_start --port "af_xdp:west,mode=$mode" --port "af_xdp:east,mode=$mode"
fwd_ping
ip -n "$R" link del east
in_a ping -q -c 5 -i 0.05 -W 0.2 "$ADDR_B" >/dev/null 2>&1
fwd_stop
say "$mode: interface deleted"
