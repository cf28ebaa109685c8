#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# launch.sh - tx_launch=on: packets with a time to be sent at
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
for mode in native skb; do
	in_r timeout 40 "$AF_XDP_LAUNCH" "$mode" || fail "af_xdp_launch $mode: status $?"
done
expect_error 'the driver of west sends no packet at a given time.*; leave tx_launch out' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:west,tx_launch=on
