#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# clients.sh native|skb [SECONDS] - real clients at xdp_app, while TCP goes through to the kernel
#
# dig; dnsperf over IPv4; a client that looks at every byte over IPv6; broken packets; a TCP
# transfer with checksums, again and again. Each second the pages and the memory of xdp_app are
# looked at: they must be flat. PP_SOAK_SECONDS=7200 makes it two hours, PP_SOAK_LOG=FILE keeps
# the samples.
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
mode=${1:-native}
seconds=${PP_SOAK_SECONDS:-${2:-60}}
shown=xdp
[ "$mode" = skb ] && shown=xdpgeneric

transfers() { # until $TMP/stop is there; each 128 MiB
	n=0
	while [ ! -e "$TMP/stop" ]; do
		rm -f "$TMP/recv.out"
		in_s timeout 60 "$XFER" recv 5001 >"$TMP/recv.out" 2>&1 &
		receiver=$!
		until grep -q ready "$TMP/recv.out" 2>/dev/null; do
			kill -0 $receiver 2>/dev/null || return 1
			sleep 0.05
		done
		in_c timeout 60 "$XFER" send "$ADDR4" 5001 128 >"$TMP/send.out" 2>&1 || return 1
		wait $receiver || return 1
		[ "$(tail -n 1 "$TMP/recv.out")" = "$(cat "$TMP/send.out")" ] || return 1
		n=$((n + 1))
		sleep 0.2
	done
	echo $n >"$TMP/transfers"
}

start() { # NAME COMMAND...: in the background, to be collected
	name=$1
	shift
	"$@" >"$TMP/$name.out" 2>"$TMP/$name.err" &
	eval "${name}_pid=$!"
}

collect() { # NAME
	eval "pid=\$${1}_pid"
	wait "$pid" || fail "$1: exit status $?"
}

topology
app_start --mode "$mode" --stats-period 1 --slow-ms 100
app_ready
ip -n "$S" link show dev server | grep -q "$shown " || fail "no $mode XDP on server"
answers
kernel_keeps_tcp

printf '%s\n' 'www.example.org A' 'nobody.example.org A' 'www.example.org AAAA' >"$TMP/queries"
mac=$(ip -n "$S" link show dev server | awk '/link\/ether/ { print $2 }')
start perf nsenter --net="/var/run/netns/$C" dnsperf -s "$ADDR4" -d "$TMP/queries" \
	-l "$seconds" -Q 10000 -q 64 -t 2
start load4 nsenter --net="/var/run/netns/$C" python3 "$here/udpload.py" "$ADDR4" "$seconds" 1000
start load6 nsenter --net="/var/run/netns/$C" python3 "$here/udpload.py" "$ADDR6" "$seconds" 1000
start broken nsenter --net="/var/run/netns/$C" python3 "$here/malformed.py" client "$mac" "$seconds"
start tcp transfers
end=$(($(date +%s) + seconds))
while [ "$(date +%s)" -lt $end ]; do
	answers
	sleep 1
	kill -0 "$APP" 2>/dev/null || fail "xdp_app ended: $(cat "$TMP/app.err")"
done
: >"$TMP/stop"
for name in perf load4 load6 broken tcp; do
	collect $name
done
sleep 2.2 # until a sample is of quiet times
answers
sleep 1.2
samples=$TMP/app.out
[ -z "${PP_SOAK_LOG-}" ] || cp "$samples" "$PP_SOAK_LOG"
app_stop

# ---- judgement ------------------------------------------------------------------------------

awk '/Queries sent/ { sent = $3 } /Queries lost/ { lost = $3 }
	END { exit !(sent && lost * 200 <= sent) }' "$TMP/perf.out" ||
	fail "dnsperf lost more than one in two hundred"
python3 "$here/flat.py" "$samples" || fail "pages or memory are not flat"
for what in address nodata nxdomain refused echoed slow malformed checksum unanswerable; do
	[ "$(number $what)" -gt 0 ] || fail "no packet was ever counted as $what"
done
[ "$(number other)" = 0 ] || fail "the BPF program sent $(number other) packets that are not for us"
[ "$(cat "$TMP/transfers")" -gt 0 ] || fail "no TCP transfer came through"
say "$(number received) packets, $(sed -n 's/.*Queries per second: *//p' "$TMP/perf.out") by dnsperf a s;" \
	"IPv4 $(cat "$TMP/load4.out"); IPv6 $(cat "$TMP/load6.out"); $(cat "$TMP/broken.out");" \
	"$(cat "$TMP/transfers") transfers of 128 MiB"
