#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# dispatcher.sh - attach=dispatcher: beside another program, off the interface at the end, and
# removed by the next start after a kill; or one sentence, where the kernel refuses it
. "$(dirname "$0")/lib.sh"

topology 2
need nsenter

# "ip netns exec" has a /sys of its own, without the bpffs that libxdp needs
ppfwd() { # ARGUMENTS
	nsenter --net="/var/run/netns/$R" "$PPFWD" "$@"
}

bad() { # REGEX ARGUMENTS
	want=$1
	shift
	expect_error "$want" nsenter --net="/var/run/netns/$R" "$PPFWD" "$@"
}

start() { # QUEUE
	rm -f "$TMP/s$1" # of a run that was killed
	nsenter --net="/var/run/netns/$R" "$PPFWD" --port "af_xdp:west,queue=$1,attach=dispatcher" \
		--port null --engine rxonly --control "$TMP/s$1" >"$TMP/out$1" 2>"$TMP/err$1" &
	FWD=$!
	soon listens "$1" "$FWD" || fail "queue $1: $(cat "$TMP/err$1")"
}

listens() { # QUEUE PID
	[ -S "$TMP/s$1" ] || has_ended "$2"
}

# the name is cut off at 15 characters by the kernel
dispatched() {
	ip -n "$R" -d link show west | grep -q 'prog/xdp .*name xdp_dispatcher'
}

ends() { # PID
	kill -TERM "$1" && gone "$1" && wait "$1" || fail "ppfwd ended with status $?"
}

bad 'attach=maybe is not one of link, dispatcher' --port af_xdp:west,attach=maybe
bad 'leave attach out' --port af_xdp:west,attach=dispatcher,map=/nowhere
bad 'attach=link; give both ports the same attach' \
	--port af_xdp:west --port af_xdp:west,queue=1,attach=dispatcher
ppfwd --port af_xdp:west,attach=link --port null --duration 0.1 >/dev/null || fail "attach=link"
no_program

if ! ppfwd --port af_xdp:west,attach=dispatcher --port null --duration 0.1 >/dev/null 2>"$TMP/why" &&
	grep -q 'refuses programs of type EXT' "$TMP/why"; then
	bad 'refuses programs of type EXT.* dispatcher for west needs; take attach=link' \
		--port af_xdp:west,attach=dispatcher --port null
	say "this kernel refuses the dispatcher; there is no more to try"
	exit 0
fi
[ ! -s "$TMP/why" ] || ! grep -q 'cannot attach' "$TMP/why" || fail "$(cat "$TMP/why")"
no_program

start 0
first=$FWD
dispatched || fail "no dispatcher on west: $(ip -n "$R" -d link show west)"
start 1
ends "$FWD"
dispatched || fail "the second program's end took the first away"
ends "$first"
no_program
say "two programs, one after the other gone"

start 0
kill -KILL "$FWD"
gone "$FWD"
dispatched || fail "a kill removes the dispatcher? then the rest proves nothing"
start 0
ends "$FWD"
no_program
say "removed by the next start with attach=dispatcher"

start 0
kill -KILL "$FWD"
gone "$FWD"
ppfwd --port af_xdp:west --port null --duration 0.1 >/dev/null 2>"$TMP/why" || fail "$(cat "$TMP/why")"
no_program
say "removed by the next start with attach=link"
