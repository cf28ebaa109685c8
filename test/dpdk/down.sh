#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# down.sh - an interface that is down: what the device took and did not send is dropped, not sent
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link set west down
fwd_start --port "$(pmd_port net_af_packet west 0)" --engine txonly --duration 0.5
wait "$FWD" || fail "ppfwd ended with status $?"
check_ledger
[ "$(json_sum tx_packets)" = 0 ] || fail "$(json_sum tx_packets) packets sent"
[ "$(json_sum tx_dropped)" -gt 0 ] || fail "nothing was dropped"
say "ok: $(json_sum tx_dropped) dropped"
