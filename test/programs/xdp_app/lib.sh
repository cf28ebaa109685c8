# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# lib.sh - a client and xdp_app, each in a namespace, with two queues between them
#
#        C                    S
#     [ client ] -------- [ server ]
#     10.79.0.1            10.79.0.2    IPv4
#     fd79::1              fd79::2      IPv6
#
# A test sources this file and calls topology. Everything goes away with the shell; what a killed
# run left behind is removed by the next one.

. "$(dirname "$0")/../../root/lib.sh"

TAG=ppa
C=$TAG-$$-c
S=$TAG-$$-s
NAMESPACES="$C $S"
ADDR4=10.79.0.2
ADDR6=fd79::2
APP=

fail() {
	say "FAILED: $*" >&2
	for log in "$TMP"/*.err "$TMP"/*.out; do
		[ -s "$log" ] && tail -n 12 "$log" | sed "s|^|  $(basename "$log"): |" >&2
	done
	exit 1
}

topology() {
	require_af_xdp
	need dig dnsperf python3 "$XDP_APP" "$XFER"
	make_namespaces
	make_cable || fail "cannot make the veth pair"
}

make_cable() {
	ip link add client netns "$C" numrxqueues 2 numtxqueues 2 type veth \
		peer name server netns "$S" numrxqueues 2 numtxqueues 2 &&
		ip -n "$C" addr add 10.79.0.1/24 dev client &&
		ip -n "$S" addr add 10.79.0.2/24 dev server &&
		ip -n "$C" addr add fd79::1/64 dev client nodad &&
		ip -n "$S" addr add fd79::2/64 dev server nodad &&
		ip -n "$C" link set client up && ip -n "$S" link set server up
}

in_c() {
	nsenter --net="/var/run/netns/$C" "$@"
}

in_s() {
	nsenter --net="/var/run/netns/$S" "$@"
}

# ---- the program ----------------------------------------------------------------------------

app_start() { # OPTIONS
	rm -f "$TMP/app.json" "$TMP/app.out"
	nsenter --net="/var/run/netns/$S" "$XDP_APP" --json "$TMP/app.json" \
		--name www.example.org=192.0.2.7 --name slow.example.org=192.0.2.8 "$@" server \
		>"$TMP/app.out" 2>"$TMP/app.err" &
	APP=$!
}

ready_or_ended() {
	grep -q '^xdp_app: ready' "$TMP/app.out" 2>/dev/null || has_ended "$APP"
}

app_ready() {
	soon ready_or_ended || fail "xdp_app does not get ready"
	grep -q '^xdp_app: ready' "$TMP/app.out" || fail "xdp_app ended: $(cat "$TMP/app.err")"
}

without_program() {
	! ip -n "$S" link show | grep -q xdp
}

number() { # KEY in the report
	grep -o "\"$1\":[0-9]*" "$TMP/app.json" | head -n 1 | grep -o '[0-9]*$'
}

app_stop() {
	kill -INT "$APP" || fail "xdp_app has ended by itself"
	gone "$APP" || fail "xdp_app does not stop at SIGINT"
	wait "$APP" || fail "xdp_app ended with status $?"
	no_program
	[ "$(number leaked)" = 0 ] || fail "$(number leaked) pages leaked"
	[ "$(number double_free)" = 0 ] || fail "$(number double_free) pages were freed twice"
	[ "$(number home)" = "$(number managed)" ] || fail "not all pages are home"
	[ "$(number errors)" = 0 ] || fail "$(number errors) addresses from the kernel were wrong"
	sum=$(sed -n '/"verdicts"/,/}/p' "$TMP/app.json" | grep -o '[0-9]*' |
		awk '{ sum += $1 } END { print sum }')
	[ "$(number received)" = "$sum" ] || fail "$(number received) received, but $sum accounted for"
}

# ---- its clients ----------------------------------------------------------------------------

# dig of the answer section, or of the status
expect_answer() { # SERVER NAME TYPE STATUS ANSWER
	in_c dig +tries=3 +time=5 "@$1" "$2" "$3" >"$TMP/dig.out" 2>&1
	grep -q "status: $4," "$TMP/dig.out" || fail "dig @$1 $2 $3: not $4"
	got=$(awk '/^[^;]/ && $4 == "A" { print $5 }' "$TMP/dig.out")
	[ "$got" = "$5" ] || fail "dig @$1 $2 $3: '$got' instead of '$5'"
}

# TCP to the same port is the kernel's, which refuses it at once
kernel_keeps_tcp() {
	for server in "$ADDR4" "$ADDR6"; do
		in_c dig +tcp +tries=1 +time=10 "@$server" www.example.org >"$TMP/dig.out" 2>&1
		grep -q 'connection refused' "$TMP/dig.out" || fail "TCP to port 53 of $server"
	done
}

answers() {
	for server in "$ADDR4" "$ADDR6"; do
		expect_answer "$server" www.example.org A NOERROR 192.0.2.7
		expect_answer "$server" WWW.Example.Org A NOERROR 192.0.2.7
		expect_answer "$server" slow.example.org A NOERROR 192.0.2.8
		expect_answer "$server" www.example.org AAAA NOERROR ''
		expect_answer "$server" nobody.example.org A NXDOMAIN ''
	done
}
