#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# restart.sh - the next start works at once: after kill -9 at any moment, and 100 times in a row
. "$(dirname "$0")/lib.sh"

topology
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
for round in 1 2 3 4 5 6 7 8 9 10; do
	kill -KILL "$FWD"
	# at once: the kernel has not even taken the old process apart
	fwd_start --port af_xdp:west --port af_xdp:east
	connected || fail "round $round: no ping after kill -9 and restart"
done
kill -KILL "$FWD"
gone "$FWD"
no_program
say "10 restarts after kill -9"

# what a run may leave: programs, maps, hugepages
traces() {
	"$XDP_HOLD" count
	awk '/^HugePages_Free/ { print "hugepages free:", $2 }' /proc/meminfo
}

traces_are() {
	[ "$(traces)" = "$1" ]
}

same_traces() {
	soon traces_are "$1" || fail "left behind: $(traces), and before: $1"
}

# killed while it starts, or just has; in hugepages where there are some
reserved=$(cat /proc/sys/vm/nr_hugepages)
UNDO='echo "$reserved" >/proc/sys/vm/nr_hugepages'
echo $((reserved + 32)) >/proc/sys/vm/nr_hugepages
[ "$(awk '/^HugePages_Free/ { print $2 }' /proc/meminfo)" -ge 32 ] ||
	fail "no 32 free hugepages to be had"
# the kernel takes a map apart some time after the process that was killed last has gone; what is
# still there after three seconds is another program's
tries=60
until [ "$("$XDP_HOLD" count)" = "programs: 0, maps: 0" ] || [ "$tries" = 0 ]; do
	tries=$((tries - 1))
	sleep 0.05
done
before=$(traces)
for ms in 0 2 5 8 11 14 17 20 25 30 40 60 80 120; do
	fwd_start --port af_xdp:west --port af_xdp:east --memory hugetlb --pages 16384
	sleep "$(printf '0.%03d' "$ms")"
	kill -KILL "$FWD" || fail "after $ms ms: ended by itself"
	wait "$FWD" 2>/dev/null
	no_program_soon
	same_traces "$before"
done
fwd_start --port af_xdp:west --port af_xdp:east
connected || fail "no ping after 14 starts that were killed"
fwd_stop
say "killed at 14 moments of a start: nothing left"

for round in $(seq 100); do
	in_r "$PPFWD" --port af_xdp:west --port af_xdp:east --memory hugetlb --pages 4096 \
		--duration 0.01 >"$TMP/round" 2>&1 || fail "start $round: $(cat "$TMP/round")"
	grep -q ' 0 leaked, 0 freed twice' "$TMP/round" || fail "start $round: $(cat "$TMP/round")"
done
same_traces "$before"
say "100 restarts in a row"

# and two starts after a failed one
fwd_start --port af_xdp:west --port af_xdp:nowhere
wait "$FWD" && fail "a missing interface is no error"
no_program
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
fwd_stop
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
fwd_stop
