#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# transfer.sh PMD MIB - ping and TCP through two ethdev ports; counts, ledger
. "$(dirname "$0")/lib.sh"

topology
pmd_start "$1"
fwd_ping
transfer "$2"
fwd_stop
[ ! -s "$TMP/fwd.err" ] || fail "ppfwd said something"
check_counts
no_runtime_dirs
say "ok: $1, $(json_sum rx_packets) packets"
