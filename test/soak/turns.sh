#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# turns.sh - one lane of a soak: page faults, life of blocks, depots, DPDK's ports and programs in turn
. "$(dirname "$0")/lib.sh"

HERE=$(dirname "$0")
policies='trylock spin irqsave softmask rcu rseq request llist'

nth() { # N WORD...
	shift $(($1 % ($# - 1) + 1))
	echo "$1"
}

# COMMAND...: its memory is sampled; its end is awaited
sampled() { # KIND COMMAND...
	kind=$1
	shift
	"$@" >"$TMP/out" 2>&1 &
	watched "$kind" $!
	wait $! || fail "$* ended with status $?: $(tail -n 15 "$TMP/out")"
}

# the measure of the list: 100 drains a second while threads take and give back pages
pft() { # N
	group=$(nth "$1" irqsave,spin,trylock,rcu softmask,rseq,request,llist)
	# shellcheck disable=SC2086
	sampled pft "$PPBENCH" pft --policy "$group" --drain-hz 100 $SOAK_PFT --json "$TMP/pft"
	figure operations "$(python3 "$HERE/pages.py" "$TMP/pft")"
}

life_of_blocks() { # N
	# shellcheck disable=SC2086
	policy=$(nth "$1" $policies)
	case $(($1 / 8 % 3)) in
	0) set -- "$1" ;;
	1) set -- "$1" tuned ;;
	2) set -- "$1" signal-safe ;;
	esac
	seed=$(($(now) * 1000 + $1))
	shift
	PP_SEED=$seed
	PP_LIFE_SECONDS=$(within "$SOAK_TURN")
	export PP_SEED PP_LIFE_SECONDS
	sampled life "$LIFE" "$policy" "$@"
	figure operations "$(sed -n 's/.* s, \([0-9]*\) steps, .*/\1/p' "$TMP/out")"
}

# processes on one depot, of which some are killed
depots() { # N
	PP_SEED=$(now)
	export PP_SEED
	sampled depot "$DEPOT_PROCESS" "$(nth "$1" trylock rseq)"
}

# without hugepages and with nothing in files: tests beside it compare those
dpdk() {
	eal="--no-huge --no-shconf --no-telemetry --iova-mode=va --no-pci --file-prefix=$TAG$$"
	eal="$eal --lcores=0@$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')"
	set -- --port "dpdk:net_af_packet0,iface=west" --port "dpdk:net_af_packet1,iface=east" \
		--eal "$eal"
	kills dpdk 3 "$@"
	lives dpdk "$(within "$SOAK_TURN")" "$@"
}

testpmd() {
	python3 "$HERE/testpmd.py" "$(within "$SOAK_TURN")" >"$TMP/out" 2>&1 ||
		fail "testpmd: $(tail -n 15 "$TMP/out")"
	figure operations "$(sed -n 's/.* \([0-9]*\) packets$/\1/p' "$TMP/out")"
	figure kills "$(sed -n 's/.* \([0-9]*\) kills, .*/\1/p' "$TMP/out")"
	figure leaked "$(sed -n 's/.* \([0-9]*\) lost, .*/\1/p' "$TMP/out")"
}

turn() { # N
	case $(($1 % 5)) in
	0) round pft pft "$(($1 / 5))" ;;
	1) round life life_of_blocks "$(($1 / 5))" ;;
	2) [ -z "$WITH_DPDK" ] || round dpdk dpdk ;;
	3) round depot depots "$(($1 / 5))" ;;
	4) [ -z "$TESTPMD" ] || round testpmd testpmd ;;
	esac
}

# shellcheck disable=SC2016,SC2034
UNDO='rm -rf "/var/run/dpdk/$TAG$$"'
round topology joined || exit 1
n=0
# a short soak does each part once
while [ "$n" -lt 5 ] || [ "$(left)" -gt 3 ]; do
	turn "$n"
	nothing_runs
	n=$((n + 1))
done
