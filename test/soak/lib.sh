# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# lib.sh - what the lanes of a soak share: rounds until the time is up, and a line for each
#
# test/soak.sh starts a lane with
#   SOAK_DIR  where the lines go: rounds.tsv, live/PID with the kind of each process to sample
#   SOAK_END  the second of the epoch at which the last round ends
# A round is a subshell, so that its fail() ends the round and not the lane.

. "$(dirname "$0")/../root/lib.sh"

# names of its own: the test suites may run beside it
TAG=ppk
A=$TAG-$$-a
R=$TAG-$$-r
B=$TAG-$$-b
NAMESPACES="$A $R $B"
TMP=$(mktemp -d "/tmp/$TAG-$$-XXXXXX") || exit 1
trap cleanup EXIT
trap 'exit 0' HUP INT TERM

now() {
	date +%s
}

left() { # seconds
	echo $((SOAK_END - $(now)))
}

# at most N seconds, and not past the end
within() { # N
	n=$(left)
	[ "$n" -ge 1 ] || n=1
	[ "$n" -le "$1" ] || n=$1
	echo "$n"
}

# busy machine, low priority: what test/root/lib.sh waits for 5 s may take longer
gone() { # PID
	tries=600
	while kill -0 "$1" 2>/dev/null; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# KIND PID: its memory is sampled as long as it lives
watched() {
	echo "$1" >"$SOAK_DIR/live/$2"
}

# what a round counted: figure KEY N adds up
figure() {
	echo "$1 $2" >>"$TMP/figures"
}

counted() { # KEY
	awk -v key="$1" '$1 == key { n += $2 } END { printf "%.0f", n }' "$TMP/figures"
}

# of the forwarder that ended by itself, also if the round failed by it
ledger() {
	figure operations "$(json_sum rx_packets)"
	figure leaked "$(json_sum leaked)"
	figure double_free "$(json_sum double_free)"
}

# KIND COMMAND...: one round in a subshell, and its line
round() {
	kind=$1
	shift
	: >"$TMP/figures"
	# fail() shows these: not those of the round before
	rm -f "$TMP/fwd.json" "$TMP/fwd.err" "$TMP/fwd.out" "$TMP/out"
	began=$(now)
	("$@") >"$TMP/said" 2>&1 &
	wait $!
	status=$?
	[ ! -s "$TMP/fwd.json" ] || ledger
	why=
	[ "$status" = 0 ] || why=$(tr '\n\t' '; ' <"$TMP/said" | tail -c 1500)
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$kind" "$began" "$(now)" "$status" \
		"$(counted operations)" "$(counted kills)" "$(counted leaked)" \
		"$(counted double_free)" "$why" >>"$SOAK_DIR/rounds.tsv"
	[ "$status" = 0 ]
}

# the namespaces have cables and no forwarder that an ended round left
joined() {
	require_af_xdp
	need ethtool ping "$PPFWD"
	for ns in $NAMESPACES; do
		ip netns add "$ns" || fail "cannot make a network namespace"
	done
	no_ipv6 "$R"
	cable "$A" va "$ADDR_A" west 1 || fail "cannot make a veth pair"
	cable "$B" vb "$ADDR_B" east 1 || fail "cannot make a veth pair"
}

nothing_runs() {
	for ns in $NAMESPACES; do
		for pid in $(ip netns pids "$ns" 2>/dev/null); do
			kill -KILL "$pid" 2>/dev/null
		done
	done
}

started() { # KIND ARGUMENTS of ppfwd
	kind=$1
	shift
	fwd_start "$@"
	watched "$kind" "$FWD"
	connected 60 || fail "no ping through ppfwd"
}

killed() {
	kill -KILL "$FWD" || fail "ppfwd has ended by itself"
	wait "$FWD" 2>/dev/null
	figure kills 1
}

# N times kill -9 while packets come, each soon after the first packet came back
kills() { # KIND N ARGUMENTS of ppfwd
	kind=$1
	n=$2
	shift 2
	i=0
	while [ "$i" -lt "$n" ] && [ "$(left)" -gt 0 ]; do
		started "$kind" "$@"
		sleep "0.$((i * 37 % 90 + 10))"
		killed
		i=$((i + 1))
	done
}

# transfers with equal checksums; then a clean end and the ledger
lives() { # KIND SECONDS ARGUMENTS of ppfwd
	kind=$1
	until=$(($(now) + $2))
	shift 2
	started "$kind" "$@"
	while [ "$(now)" -lt "$until" ]; do
		transfer 8
		sleep 0.2
	done
	fwd_stop
}
