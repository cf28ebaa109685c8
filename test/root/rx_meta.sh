#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# rx_meta.sh - rx_meta and vlan=insert: what the far end says of each packet is what the port tells
#
# RX_META_PACKETS: how many packets each of the two long cases checks (default: 20000)
. "$(dirname "$0")/lib.sh"

topology
need tc
[ -n "${VLAN-}" ] || skip "needs clang, for the program that stands in for a device"
# all that is sent arrives on queue 0; px1 has another for a second port
ip -n "$R" link add name px0 numrxqueues 2 numtxqueues 1 type veth \
	peer name px1 numrxqueues 2 numtxqueues 2 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
tc -n "$R" qdisc replace dev px0 clsact && in_r sh -c \
	"tc filter replace dev px0 egress prio 1 handle 1 bpf da obj $VLAN sec push_seq" ||
	fail "cannot load the program that gives packets their metadata"
in_r timeout 50 "$AF_XDP_RX_META" "${RX_META_PACKETS:-20000}" || fail "af_xdp_rx_meta: status $?"

# a driver without metadata, and options that contradict each other
ip -n "$R" tuntap add name tap0 mode tap && ip -n "$R" link set tap0 up || fail "cannot make a tap"
expect_error 'the driver of tap0 offers nothing to XDP programs, and no tstamp.hash; leave rx_meta=tstamp.hash out' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:tap0,rx_meta=tstamp+hash
expect_error 'and no vlan; leave vlan=insert out' ip netns exec "$R" "$PPFWD" --port af_xdp:tap0,vlan=insert
expect_error "rx_meta: 'hush' is not one of tstamp, hash, vlan" ip netns exec "$R" "$PPFWD" --port af_xdp:px1,rx_meta=hash+hush
expect_error 'need native XDP; leave mode=skb out' ip netns exec "$R" "$PPFWD" --port af_xdp:px1,rx_meta=hash,mode=skb
expect_error "need the port's own XDP program" ip netns exec "$R" "$PPFWD" --port af_xdp:px1,vlan=insert,prog=none,map=/none
