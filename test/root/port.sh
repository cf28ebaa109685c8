#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# port.sh - the driver by itself: af_xdp_port on both ends of one cable
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
for mode in native skb; do
	in_r timeout 20 "$AF_XDP_PORT" "$mode" || fail "af_xdp_port $mode: status $?"
	in_r timeout 30 "$AF_XDP_LIFE" "$mode" "$A" || fail "af_xdp_life $mode: status $?"
	in_r timeout 30 "$AF_XDP_SHARE" "$mode" || fail "af_xdp_share $mode: status $?"
done
no_program
