#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# xdp.sh - one lane of a soak: AF_XDP forwarding, killed again and again, then left alone for long
. "$(dirname "$0")/lib.sh"

# The forwarder is nearly always there. A test that counts programs on the whole machine sees the
# same number before and after.
life() { # SECONDS [OPTION...]
	seconds=$1
	shift
	kills af_xdp 4 --port af_xdp:west --port af_xdp:east "$@"
	lives af_xdp "$(within "$seconds")" --port af_xdp:west --port af_xdp:east "$@"
}

round topology joined || exit 1
n=0
while [ "$(left)" -gt 3 ]; do
	case $((n % 4)) in
	0) set -- ;;
	1) set -- --drain-hz 100 ;;
	2) set -- --policy rseq --drain-hz 100 ;;
	3) set -- --accept lazy --idle-ms 50 --drain-hz 20 ;;
	esac
	round af_xdp life "$SOAK_LIFE" "$@"
	nothing_runs
	n=$((n + 1))
done
round "af_xdp end" no_program_soon
