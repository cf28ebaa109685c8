#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# restart.sh [TIMES] - kill -9 under load and start again; errors; the interface goes away
. "$(dirname "$0")/lib.sh"

times=${PP_RESTARTS:-${1:-20}}

one_answer() {
	in_c dig +tries=1 +time=1 +short "@$ADDR4" www.example.org 2>/dev/null | grep -qx 192.0.2.7
}

answered() {
	soon one_answer
}

server_up() { # the kernel has forgotten the IPv6 address
	ip -n "$S" link set server up && ip -n "$S" addr replace fd79::2/64 dev server nodad
}

# one line on stderr that matches, exit status 1 or as given, no program
expect_error() { # STATUS REGEX OPTIONS...
	want=$1 regex=$2
	shift 2
	in_s timeout 20 "$XDP_APP" --duration 1 "$@" >"$TMP/error.out" 2>"$TMP/error.err"
	status=$?
	[ $status = "$want" ] || fail "exit status $status, not $want: $*"
	[ "$(wc -l <"$TMP/error.err")" = 1 ] || fail "not one line: $*"
	grep -Eq "$regex" "$TMP/error.err" || fail "'$*' does not say '$regex'"
	say "ok: $(cat "$TMP/error.err")"
}

topology
printf '%s\n' 'www.example.org A' 'slow.example.org A' >"$TMP/queries"
nsenter --net="/var/run/netns/$C" dnsperf -s "$ADDR4" -d "$TMP/queries" -l 300 -Q 3000 -q 64 -t 1 \
	>"$TMP/perf.out" 2>&1 &
perf=$!
n=0
while [ $n -lt "$times" ]; do
	# at once: the kernel has not even taken the old process apart
	app_start
	app_ready
	answered || fail "round $n: no answer after kill -9 and restart"
	kill -KILL "$APP"
	wait "$APP" 2>/dev/null
	n=$((n + 1))
done
no_program_soon
say "$times restarts after kill -9, under load"
kill $perf && wait $perf 2>/dev/null

# JSON and nothing else
in_s "$XDP_APP" --json - --duration 1 --stats-period 1 server 2>"$TMP/text.err" |
	python3 -c 'import json, sys; assert json.load(sys.stdin)["ledger"]["leaked"] == 0' ||
	fail "--json -: no JSON"
grep -q 'ready: server' "$TMP/text.err" || fail "--json -: no text on stderr"

# ordinary ends: SIGTERM, the duration; what the kernel got meanwhile is its own
app_start --duration 1 --queues 1
wait "$APP" || fail "--duration: exit status $?"
grep -q '"duration_s":1\.' "$TMP/app.json" || fail "--duration 1 is not a second"
[ "$(number queues)" = 1 ] || fail "--queues 1 is $(number queues)"
app_start
app_ready
answers
in_c ping -q -c 2 -i 0.2 -W 10 "$ADDR6" >/dev/null || fail "no ping beside xdp_app"

# a second one, and another's program
expect_error 1 'queue 0 of server is in use' server
app_stop
expect_error 1 'no interface nowhere' nowhere
expect_error 1 'has 2; ethtool -l' --queues 3 server
expect_error 1 'too few for 2 queues' --pages 7 server
expect_error 2 'need one interface'
expect_error 2 "port 70000: out of range; give 0 to 65535" --port 70000 server
expect_error 2 "mode none: unknown; give one of auto, native, skb" --mode none server
expect_error 2 "nonsense: unknown option" --nonsense server
expect_error 2 'nothing to do' --port 0 --echo-port 0 server
expect_error 2 'labels' --name a..b=192.0.2.1 server
expect_error 2 'no IPv4 address behind' --name a.b=fd00::1 server
expect_error 1 'cannot write /nowhere/f' --json /nowhere/f server
ip -n "$S" link set server mtu 3000
ip -n "$C" link set client mtu 3000
expect_error 1 'MTU 3000, and a page of 2048.*--page-size 4096' server
app_start --page-size 4096 --slow-max 0 --busy
app_ready
expect_answer "$ADDR4" slow.example.org A SERVFAIL ''
app_stop
ip -n "$S" link set server down
expect_error 1 'server is down; set it up first' server
server_up
ip -n "$S" link set server mtu 1500
ip -n "$C" link set client mtu 1500

# down and up again under it
app_start
app_ready
answers
ip -n "$S" link set server down
sleep 0.3
server_up
answered || fail "no answer after the interface was down and up"
answers
app_stop
say "down and up: $(number received) packets, none lost"

# the interface goes away under it: one line, and every page is home all the same
app_start
app_ready
ip -n "$S" link del server
gone "$APP" || fail "xdp_app goes on without its interface"
wait "$APP" && fail "the end of the interface is no error"
[ "$(cat "$TMP/app.err")" = "xdp_app: server does not exist any more, so there is nothing left to do" ] ||
	fail "not the one line about the interface: $(cat "$TMP/app.err")"
[ "$(number leaked)" = 0 ] || fail "$(number leaked) pages leaked with the interface"
say "interface deleted: $(cat "$TMP/app.err")"
