# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# lib.sh - three namespaces, joined only by ppfwd
#
#     A                R                 B
#   [ va ] ------- [ west | east ] ------- [ vb ]
#   10.77.0.1           ppfwd           10.77.0.2
#
# R has no address and forwards nothing by itself: what arrives went through
# ppfwd. A test sources this file, calls topology, and may leave at any point:
# everything goes away with the shell, and what a killed run left behind is
# removed by the next one.
#
# Offloads. A veth hands packets over with the checksum left to the hardware,
# and several segments in one. There is no hardware behind ppfwd, so both have
# to be off where the packets are made: "ethtool -K va tx off" turns off the
# checksum offload and with it TSO.

set -u

NAME=$(basename "$0" .sh)
TAG=ppx # of namespaces and directories
A=$TAG-$$-a
R=$TAG-$$-r
B=$TAG-$$-b
NAMESPACES="$A $R $B"
ADDR_A=10.77.0.1
ADDR_B=10.77.0.2
FWD=
HELD=
TMP=
UNDO= # what a test wants done at its end, besides

say() {
	echo "$NAME: $*"
}

skip() {
	say "skipped: $*"
	exit 77
}

fail() {
	say "FAILED: $*" >&2
	for log in "$TMP/fwd.err" "$TMP/fwd.out"; do
		[ -s "$log" ] && sed "s|^|  $(basename "$log"): |" "$log" >&2
	done
	exit 1
}

# Until COMMAND succeeds, or is given up. Generous, for a machine that is busy with other things.
soon() { # COMMAND...
	soon_end=$(($(date +%s) + 30))
	until "$@"; do
		[ "$(date +%s)" -lt "$soon_end" ] || return 1
		sleep 0.05
	done
}

# --- going away -------------------------------------------------------------

remove_namespace() {
	for pid in $(ip netns pids "$1" 2>/dev/null); do
		kill -KILL "$pid" 2>/dev/null
	done
	ip netns del "$1" 2>/dev/null
}

# namespaces and directories carry the process id of the test that made them
remove_leftovers() {
	for ns in $(ip netns list | sed -n "s/^\($TAG-[0-9]*-[a-z]\).*/\1/p"); do
		owner=${ns#"$TAG"-}
		[ -d "/proc/${owner%-?}" ] || remove_namespace "$ns"
	done
	for dir in "/tmp/$TAG"-[0-9]*-??????; do
		owner=${dir#"/tmp/$TAG"-}
		[ ! -d "$dir" ] || [ -d "/proc/${owner%-*}" ] || rm -rf "$dir"
	done
}

remove_topology() {
	for ns in $NAMESPACES; do
		[ ! -e "/var/run/netns/$ns" ] || remove_namespace "$ns"
	done
	[ -z "$TMP" ] || rm -rf "$TMP"
}

cleanup() {
	status=$?
	trap - EXIT
	eval "$UNDO"
	remove_topology
	exit "$status"
}

# --- coming ------------------------------------------------------------------

need() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || fail "$tool is missing; sh test/deps.sh test installs it"
	done
}

require_af_xdp() {
	[ "$(id -u)" = 0 ] || skip "needs root, for network namespaces and AF_XDP"
	grep -q '^XDP ' /proc/net/protocols || skip "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)"
	need ip timeout
}

no_ipv6() { # NS: its router solicitations would be counted
	ip netns exec "$1" sh -c 'f=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $f ] || echo 1 >$f'
}

cable() { # NS IF ADDRESS ROUTER_IF QUEUES
	ip link add name "$2" netns "$1" numrxqueues "$5" numtxqueues "$5" type veth \
		peer name "$4" netns "$R" numrxqueues "$5" numtxqueues "$5" &&
		no_ipv6 "$1" &&
		ip netns exec "$1" ethtool -K "$2" tx off txvlan off tx-vlan-stag-hw-insert off >/dev/null &&
		ip -n "$1" addr add "$3/24" dev "$2" &&
		ip -n "$1" link set "$2" up &&
		ip -n "$R" link set "$4" up
}

make_namespaces() {
	TMP=$(mktemp -d "/tmp/$TAG-$$-XXXXXX") || exit 1
	trap cleanup EXIT
	trap 'exit 1' HUP INT TERM
	remove_leftovers
	for ns in $NAMESPACES; do
		ip netns add "$ns" || skip "not allowed to make a network namespace"
	done
}

topology() { # [QUEUES]
	require_af_xdp
	need ethtool ping "$PPFWD"
	make_namespaces
	no_ipv6 "$R"
	cable "$A" va "$ADDR_A" west "${1:-1}" && cable "$B" vb "$ADDR_B" east "${1:-1}" ||
		fail "cannot make the veth pairs"
}

in_a() {
	ip netns exec "$A" "$@"
}

in_r() {
	ip netns exec "$R" "$@"
}

in_b() {
	ip netns exec "$B" "$@"
}

# --- the forwarder -----------------------------------------------------------

fwd_start() { # ARGUMENTS of ppfwd
	rm -f "$TMP/fwd.json"
	# not through in_r: $! has to be ppfwd itself, which ip becomes
	ip netns exec "$R" "$PPFWD" --json "$TMP/fwd.json" "$@" \
		>"$TMP/fwd.out" 2>"$TMP/fwd.err" &
	FWD=$!
}

# For a program that becomes another user: a copy of it and of its libraries, because that user
# may not get into the directories above the build. Started with LD_LIBRARY_PATH=$READABLE.
READABLE=
readable() { # PROGRAM...
	READABLE=$TMP/readable
	mkdir -p "$READABLE" && chmod 755 "$TMP" "$READABLE" || fail "cannot make $READABLE"
	for program in "$@"; do
		cp "$program" "$READABLE/" || fail "cannot copy $program"
		for library in $(ldd "$program" | sed -n 's/.* => \(\/.*\) (.*/\1/p'); do
			case $library in
			/lib/* | /lib64/* | /usr/lib/*) ;;
			*) cp -L "$library" "$READABLE/" || fail "cannot copy $library" ;;
			esac
		done
	done
}

# wait until a packet goes there and back
connected() {
	end=$(($(date +%s) + 30))
	while ! in_a ping -q -c 1 -W 0.2 "$ADDR_B" >/dev/null 2>&1; do
		kill -0 "$FWD" 2>/dev/null || return 1
		[ "$(date +%s)" -lt "$end" ] || return 1
	done
}

echo_replies() { # that A has received ever
	in_a awk '/^Icmp:/ && c { print $c; exit }
		/^Icmp:/ { for (i = 1; i <= NF; i++) if ($i == "InEchoReps") c = i }' /proc/net/snmp
}

# Asks the kernel, because ping itself leaves two round trips after its last request: on a busy
# machine that is too early.
fwd_ping() {
	connected || fail "no ping through ppfwd"
	before=$(echo_replies)
	in_a ping -q -c 20 -i 0.02 -W 2 "$ADDR_B" >/dev/null 2>&1
	soon all_came_back || fail "$(($(echo_replies) - before)) of 20 pings came back"
}

all_came_back() {
	[ $(($(echo_replies) - before)) -ge 20 ]
}

has_ended() { # PID
	! kill -0 "$1" 2>/dev/null
}

gone() { # PID
	soon has_ended "$1"
}

json_numbers() { # KEY: each value, in the order of the report
	tr -d ' \t\n' <"$TMP/fwd.json" | grep -o "\"$1\":[0-9]*" | cut -d: -f2
}

json_sum() { # KEY...
	total=0
	for key in "$@"; do
		for n in $(json_numbers "$key"); do
			total=$((total + n))
		done
	done
	echo "$total"
}

check_ledger() {
	[ -s "$TMP/fwd.json" ] || fail "ppfwd wrote no report"
	[ "$(json_numbers leaked)" = 0 ] || fail "pages leaked: $(json_numbers leaked)"
	[ "$(json_numbers double_free)" = 0 ] || fail "pages freed twice"
	home=$(json_sum free unaccepted isolated)
	[ "$home" = "$(json_sum managed)" ] || fail "$home of $(json_sum managed) pages are home"
}

without_program() {
	! ip -n "$R" link show | grep -q xdp
}

no_program() {
	without_program || fail "an XDP program was left behind"
}

no_program_soon() { # a kill takes the kernel some milliseconds
	soon without_program || fail "an XDP program was left behind"
}

fwd_stop() {
	kill -TERM "$FWD" || fail "ppfwd has ended by itself"
	gone "$FWD" || fail "ppfwd does not stop at SIGTERM"
	wait "$FWD" || fail "ppfwd ended with status $?"
	FWD=
	[ -s "$TMP/fwd.out" ] || fail "ppfwd printed no summary"
	check_ledger
	no_program
}

# --- checks ------------------------------------------------------------------

transfer() { # MIB, from A to B; equal checksums
	rm -f "$TMP/recv" # a "ready" of the last time
	ip netns exec "$B" timeout 120 "$XFER" recv 5001 >"$TMP/recv" 2>&1 &
	receiver=$!
	until grep -q ready "$TMP/recv" 2>/dev/null; do
		kill -0 "$receiver" 2>/dev/null || fail "the receiver did not start: $(cat "$TMP/recv")"
		sleep 0.05
	done
	in_a timeout 120 "$XFER" send "$ADDR_B" 5001 "$1" >"$TMP/send" 2>&1 ||
		fail "sending failed: $(cat "$TMP/send")"
	wait "$receiver" || fail "receiving failed: $(cat "$TMP/recv")"
	[ "$(tail -n 1 "$TMP/recv")" = "$(cat "$TMP/send")" ] ||
		fail "sent $(cat "$TMP/send"), received $(tail -n 1 "$TMP/recv")"
	say "$1 MiB over TCP: $(cat "$TMP/send")"
}

# what a user set; the operational state follows some time later
links() {
	ip -n "$R" -d link show | sed 's/ state [A-Z]*//; s/NO-CARRIER,//; s/,LOWER_UP//; s/,M-DOWN//'
}

# one line on stderr that matches, exit status 1, and the interfaces as before
expect_error() { # REGEX COMMAND...
	want=$1
	shift
	links >"$TMP/before"
	timeout 20 "$@" --duration 1 >"$TMP/out" 2>"$TMP/err"
	status=$?
	links >"$TMP/after"
	[ "$status" = 1 ] || fail "exit status $status, not 1: $* ($(cat "$TMP/err"))"
	[ "$(wc -l <"$TMP/err")" = 1 ] || fail "not one line: $* ($(cat "$TMP/err"))"
	grep -Eq "$want" "$TMP/err" || fail "\"$(cat "$TMP/err")\" does not say \"$want\""
	diff "$TMP/before" "$TMP/after" >&2 || fail "an interface was changed by: $*"
	say "ok: $(cat "$TMP/err")"
}

held() { # NS, then arguments of xdp_hold
	ns=$1
	shift
	rm -f "$TMP/held"
	ip netns exec "$ns" "$XDP_HOLD" "$@" >"$TMP/held" 2>&1 &
	HELD=$!
	until grep -q ready "$TMP/held" 2>/dev/null; do
		kill -0 "$HELD" 2>/dev/null || fail "xdp_hold $*: $(cat "$TMP/held")"
		sleep 0.05
	done
}

release() {
	kill -TERM "$HELD"
	wait "$HELD" || fail "xdp_hold ended with status $?"
	HELD=
}
