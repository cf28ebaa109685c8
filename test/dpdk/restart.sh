#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# restart.sh PMD N - kill -9 and start again, N times, while packets come
. "$(dirname "$0")/lib.sh"

topology
in_a ping -q -f -w 60 "$ADDR_B" >/dev/null 2>&1 &
flood=$!
i=0
while [ "$i" -lt "$2" ]; do
	pmd_start "$1"
	connected || fail "no ping after $i kills"
	kill -KILL "$FWD"
	wait "$FWD" 2>/dev/null
	i=$((i + 1))
done
pmd_start "$1"
fwd_ping
kill "$flood" 2>/dev/null
wait "$flood" 2>/dev/null
fwd_stop
check_counts
no_runtime_dirs
say "ok: $1 came back after $2 kills"
