#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# chunks.sh - chunks=unaligned: pages of 2048, 4096 and 8192 bytes
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
for mode in native skb; do
	in_r timeout 40 "$AF_XDP_CHUNKS" "$mode" || fail "af_xdp_chunks $mode: status $?"
done
fwd_start --port af_xdp:west,chunks=unaligned --port af_xdp:east,chunks=unaligned --page-size 8192
fwd_ping
transfer 2
fwd_stop
