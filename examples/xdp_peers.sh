#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# xdp_peers.sh - packets forwarded between two veths by ppfwd, dpdk-testpmd and the kernel itself
#
#   generator --- fwd0 | forwarder | fwd1 --- sink (XDP_DROP)
#
# All on the same interfaces, one after the other, in turns, so that what the machine does
# meanwhile hits all of them. As root; makes namespaces and removes them.
#
# The generator has one CPU, the forwarder the other. The kernel's rows are the bound: a bridge,
# which copies nothing but makes an skb a packet, and an XDP program that redirects. For them the
# receiving side of fwd0 is a thread of the kernel on the forwarder's CPU.
#
# Then the same at a fixed load (--rate): how much CPU time a packet takes where all packets pass. A
# forwarder that spins takes all of its CPU at any load, one that sleeps what the packets cost.
set -u
. "$(dirname "$0")/peers_lib.sh"

usage() {
	cat <<-END
	usage: xdp_peers.sh [OPTION ...]
	  --repeat N       measurements of each (default: 5)
	  --duration S     seconds of each (default: 3)
	  --bursts LIST    of ppfwd and testpmd (default: 32 64, in quotes)
	  --rate N         packets a second of the second table; 0: none (default: 50000)
	  --pages N        ppfwd's buffers of 2048 bytes (default: 1024, which is 2 MiB)
	  --generator G    live: frames that the kernel makes; af_xdp: ppfwd (default: live)
	  --build DIR      where ppfwd and livegen are (default: build)
	  --mode M         of ppfwd's XDP program: native or skb (default: native)
	  --no-huge        reserve no hugepages for testpmd, although it is slow without
	END
}

root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build
repeat=5 duration=3 bursts='32 64' pages=1024 generator=live huge=yes mode=native rate_load=50000
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--no-huge) huge=no ;;
	--rate | --repeat | --duration | --bursts | --pages | --generator | --build | --mode)
		[ $# -gt 1 ] || fail "a value must follow $1; see --help" 2
		case $1 in
		--rate) rate_load=$2; [ "$2" = 0 ] || number "$1" "$2" ;;
		--repeat) repeat=$2; number "$1" "$2" ;;
		--duration) duration=$2; number "$1" "$2" ;;
		--bursts) bursts=$2; for b in $2; do number "$1" "$b"; done ;;
		--pages) pages=$2; number "$1" "$2" ;;
		--generator) generator=$2 ;;
		--build) build=$2 ;;
		--mode) mode=$2 ;;
		esac
		shift ;;
	*) fail "unknown option '$1'; see --help" 2 ;;
	esac
	shift
done
case $generator in live | af_xdp) ;; *) fail "--generator '$generator': need live or af_xdp" 2 ;; esac
case $mode in native | skb) ;; *) fail "--mode '$mode': need native or skb" 2 ;; esac

ppfwd=$build/examples/ppfwd/ppfwd
livegen=$build/examples/xdp_peers/livegen
[ "$(id -u)" = 0 ] || fail "makes namespaces and needs root; run it with sudo"
for tool in "$ppfwd" "$livegen"; do
	[ -x "$tool" ] || fail "no $tool; build it with 'meson setup build && ninja -C build'"
done
for tool in ip ethtool clang taskset nsenter; do
	command -v $tool >/dev/null || fail "$tool is missing; sh test/deps.sh test installs it"
done
check_testpmd
[ "$(nproc)" -ge 2 ] || fail "needs two CPUs: the generator's and the forwarder's"

begin ppxp

# ---- interfaces --------------------------------------------------------------------------------

program() { # NAME C-BODY
	echo "static long (*redirect)(unsigned int, unsigned long) = (void *)23;
	__attribute__((section(\"xdp\"), used)) int $1(void *ctx) { $2 }" >"$tmp/$1.c"
	clang -O2 -Wno-unused -target bpf -c "$tmp/$1.c" -o "$tmp/$1.o" ||
		fail "clang cannot build an XDP program"
}

make_row
program drop 'return 1;'
program redir "return redirect($(in_ns fwd ip -o link show fwd1 | cut -d: -f1), 0);"
in_ns sink ip link set sink0 xdpdrv obj "$tmp/drop.o" sec xdp || fail "cannot drop at the sink"
# live frames arrive only where there is NAPI, which the bridge has not by itself
in_ns fwd ethtool -K fwd0 gro on

# ---- one measurement ---------------------------------------------------------------------------

ticks() { # of CPU time of a process, user and system
	awk '{ print $14, $15 }' "/proc/$1/stat"
}

# Mpps at the sink into $rate; ns of user and system time a packet into $times
measure() { # NAME
	sleep 1
	[ -z "$fwd_pid" ] || cpu_a=$(ticks "$fwd_pid")
	a=$(received) from=$(date +%s%N)
	sleep "$duration"
	b=$(received) to=$(date +%s%N)
	times='- -'
	if [ -n "$fwd_pid" ]; then
		kill -0 "$fwd_pid" 2>/dev/null || fail "$1 ended early: $(tail -n 1 "$tmp/fwd.out")"
		times=$(echo "$cpu_a $(ticks "$fwd_pid") $((b - a)) $(getconf CLK_TCK)" |
			awk '$5 > 0 { printf "%.0f %.0f", ($3 - $1) / $6 / $5 * 1e9,
				($4 - $2) / $6 / $5 * 1e9 }')
	fi
	rate=$(awk "BEGIN { print ($b - $a) * 1e3 / ($to - $from) }")
}

record() { # NAME MORE...
	name=$1
	shift
	echo "$rate $*" >>"$tmp/$name.row"
}

run_ppfwd() { # BURST [NAME ARGUMENTS...]
	burst=$1 name=${2:-ppfwd-$1}
	shift $(($# > 1 ? 2 : 1))
	nsenter --net=/var/run/netns/$tag-fwd "$ppfwd" \
		--port "af_xdp:fwd0,mode=$mode" --port "af_xdp:fwd1,mode=$mode" --engine io \
		--cores $fwd_cpu --burst "$burst" "$@" --pages "$pages" --page-size 2048 \
		--json "$tmp/ppfwd.json" >"$tmp/fwd.out" 2>&1 </dev/null &
	fwd_pid=$!
	measure ppfwd
	stop $fwd_pid
	fwd_pid=
	cycles=$(awk -F'[:,]' '/"cycles_per_packet"/ { printf "%.0f", $2; exit }' "$tmp/ppfwd.json")
	leaked=$(awk -F'[:,]' '/"leaked"/ { print $2 + 0; exit }' "$tmp/ppfwd.json")
	[ "$leaked" = 0 ] || fail "ppfwd leaked $leaked pages"
	record "$name" "$times" "${cycles:--}"
}

run_testpmd() { # BURST [NAME]
	# shellcheck disable=SC2086
	nsenter --net=/var/run/netns/$tag-fwd stdbuf -oL dpdk-testpmd $eal \
		--vdev net_af_xdp0,iface=fwd0,force_copy=1 \
		--vdev net_af_xdp1,iface=fwd1,force_copy=1 \
		-- --forward-mode=io --nb-cores=1 --burst="$1" --total-num-mbufs=16384 \
		--stats-period 60 >"$tmp/fwd.out" 2>&1 </dev/null &
	fwd_pid=$!
	measure testpmd
	stop $fwd_pid
	fwd_pid=
	record "${2:-testpmd-$1}" "$times" -
	# a dispatcher or a plain program that it left
	in_ns fwd ip link set fwd0 xdp off 2>/dev/null
	in_ns fwd ip link set fwd1 xdp off 2>/dev/null
}

# NAPI of fwd0 in a thread on the forwarder's CPU; by ip netns exec, which has the namespace's /sys
threaded() { # 0 or 1
	ip netns exec $tag-fwd sh -c "echo $1 >/sys/class/net/fwd0/threaded" ||
		fail "no threaded NAPI on fwd0"
	[ "$1" = 0 ] || for task in /proc/[0-9]*/comm; do
		grep -q '^napi/fwd0-' "$task" 2>/dev/null || continue
		task=${task#/proc/}
		taskset -p -c $fwd_cpu "${task%/comm}" >/dev/null
	done
}

run_bridge() {
	in_ns fwd ip link add br0 type bridge || return
	in_ns fwd ip link set br0 up
	in_ns fwd ip link set fwd0 master br0
	in_ns fwd ip link set fwd1 master br0
	threaded 1
	measure bridge
	threaded 0
	in_ns fwd ip link del br0
	record bridge - - -
}

run_redirect() {
	in_ns fwd ip link set fwd0 xdpdrv obj "$tmp/redir.o" sec xdp ||
		fail "cannot redirect in the kernel"
	threaded 1
	measure redirect
	threaded 0
	in_ns fwd ip link set fwd0 xdpdrv off
	record redirect - - -
}

start_generator() { # [RATE]
	if [ -n "${1-}" ]; then
		nsenter --net=/var/run/netns/$tag-gen taskset -c $main_cpu "$livegen" gen0 60 "$1" \
			>"$tmp/gen.out" 2>&1 </dev/null &
	elif [ $generator = live ]; then
		nsenter --net=/var/run/netns/$tag-gen taskset -c $main_cpu "$livegen" gen0 \
			>"$tmp/gen.out" 2>&1 </dev/null &
	else
		nsenter --net=/var/run/netns/$tag-gen "$ppfwd" --port af_xdp:gen0 --engine txonly \
			--cores $main_cpu >"$tmp/gen.out" 2>&1 </dev/null &
	fi
	gen_pid=$!
	check_generator
}

# ---- the table ---------------------------------------------------------------------------------

# of column $1 in stdin: "median min max", or "- - -"
spread() {
	awk -v c="$1" '$c != "-" { print $c }' | sort -n | awk '{ v[NR] = $1 }
		END {
			if (!NR) { print "- - -"; exit }
			m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			print m, v[1], v[NR]
		}'
}

line() { # ROW WHAT BUFFERS PEER
	[ -s "$tmp/$1.row" ] || { printf '%-22s not possible here\n' "$2"; return; }
	peer=-
	[ -z "${4-}" ] || [ ! -s "$tmp/$4.row" ] || peer=$(spread 1 <"$tmp/$4.row" | cut -d' ' -f1)
	echo "$(spread 1 <"$tmp/$1.row") $(spread 2 <"$tmp/$1.row" | cut -d' ' -f1) $(spread 3 \
		<"$tmp/$1.row" | cut -d' ' -f1) $(spread 4 <"$tmp/$1.row" | cut -d' ' -f1) $peer" |
		awk -v what="$2" -v buffers="$3" '{
			printf "%-18s %-10s %6.3f (%.3f .. %.3f) %8s %8s %8s %8s\n", what, buffers,
				$1, $2, $3, $4, $5, $6, ($7 > 0 ? sprintf("%.2f", $1 / $7) : "-") }'
}

lend_memory $huge
start_generator
i=0
while [ $i -lt "$repeat" ]; do
	for burst in $bursts; do
		run_ppfwd "$burst"
		run_testpmd "$burst"
	done
	run_bridge
	[ $mode = skb ] || run_redirect
	i=$((i + 1))
done

echo "$(uname -r), $mode XDP, generator $generator, 60 bytes, one forwarding CPU ($fwd_cpu)," \
	"$repeat times $duration s in turns: median (smallest .. largest)"
printf '%-18s %-10s %-24s %8s %8s %8s %8s\n' '' buffers 'Mpps at the sink' 'user ns' 'sys ns' \
	'cycles' 'x peer'
for burst in $bursts; do
	line "ppfwd-$burst" "ppfwd $burst" "$((pages * 2)) KiB" "testpmd-$burst"
	line "testpmd-$burst" "testpmd $burst" '16384 mbufs' ''
done
line bridge 'kernel: bridge' - ''
[ $mode = skb ] || line redirect 'kernel: redirect' - ''
if [ "$rate_load" -gt 0 ]; then
	stop "$gen_pid"
	start_generator "$rate_load"
	i=0
	while [ $i -lt "$repeat" ]; do
		run_ppfwd 32 load-spin
		run_ppfwd 32 load-sleep --idle wait
		run_testpmd 32 load-testpmd
		i=$((i + 1))
	done
	echo "at $rate_load packets a second, burst 32"
	line load-spin 'ppfwd' "$((pages * 2)) KiB" load-testpmd
	line load-sleep 'ppfwd --idle wait' "$((pages * 2)) KiB" load-testpmd
	line load-testpmd 'testpmd' '16384 mbufs' ''
fi
echo "user, sys: CPU time of the process a packet; cycles: the forwarding thread's, as ppfwd reports them"
