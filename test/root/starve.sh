#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# starve.sh - more packets than the zone has pages: some are lost, then all is well again
. "$(dirname "$0")/lib.sh"

topology
fwd_start --port af_xdp:west,fill=64 --port af_xdp:east,fill=64 \
	--pages 256 --refill 8 --cache 16 --ring 16
fwd_ping
# ppfwd stands still while a burst arrives that is larger than the zone
kill -STOP "$FWD"
in_a ping -q -f -l 2000 -c 2000 -W 0.2 "$ADDR_B" >/dev/null 2>&1
kill -CONT "$FWD"
fwd_ping
transfer 8
fwd_stop
[ "$(json_sum rx_nombuf rx_dropped)" -gt 0 ] || fail "nothing was lost: the zone never ran short"
say "$(json_sum rx_dropped) packets dropped while no page was free, none afterwards"
