#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# restart.sh - after kill -9 the next start works at once, ten times
. "$(dirname "$0")/lib.sh"

topology
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
for round in 1 2 3 4 5 6 7 8 9 10; do
	kill -KILL "$FWD"
	# at once: the kernel has not even taken the old process apart
	fwd_start --port af_xdp:west --port af_xdp:east
	connected 3 || fail "round $round: no ping after kill -9 and restart"
done
kill -KILL "$FWD"
gone "$FWD"
no_program
say "10 restarts after kill -9"

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
