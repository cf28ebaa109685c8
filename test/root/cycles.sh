#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# cycles.sh [ROUNDS [MAX_NS]] - what receiving costs in user space, in TSC cycles a packet
AF_XDP_CYCLES=${AF_XDP_CYCLES:-$(dirname "$0")/../../build/test/root/af_xdp_cycles}
PPFWD=${PPFWD:-$(dirname "$0")/../../build/examples/ppfwd/ppfwd}
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
in_r timeout 60 "$AF_XDP_CYCLES" "$@" || fail "af_xdp_cycles: status $?"
