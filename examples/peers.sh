#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# peers.sh - ppfwd and dpdk-testpmd forward the same packets in turns
#
# Both run on the same CPU, one after the other, A B A B ..., so that what the
# machine does meanwhile hits both. Medians, spread and ratio are printed.
#
#   sh examples/peers.sh             two null ports, engines io and macswap
#   sh examples/peers.sh --af-xdp    also AF_XDP over veth, as root
set -u
. "$(dirname "$0")/peers_lib.sh"

usage() {
	cat <<-END
	usage: peers.sh [--af-xdp] [--repeat N] [--duration S] [--ppfwd FILE] [--no-huge]
	  --af-xdp      also forward between two veth pairs, in namespaces made for it (root)
	  --repeat N    measurements of each program (default: 5)
	  --duration S  seconds of each measurement, at least 2 (default: 3)
	  --ppfwd FILE  program to measure (default: build/examples/ppfwd/ppfwd)
	  --no-huge     reserve no hugepages for testpmd, although it is slow without
	END
}

root=$(cd "$(dirname "$0")/.." && pwd)
ppfwd=$root/build/examples/ppfwd/ppfwd
af_xdp=no huge=yes repeat=5 duration=3
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--af-xdp) af_xdp=yes ;;
	--no-huge) huge=no ;;
	--repeat | --duration | --ppfwd)
		[ $# -gt 1 ] || fail "a value must follow $1; see --help" 2
		case $1 in
		--repeat) repeat=$2; number "$1" "$2" ;;
		--duration) duration=$2; number "$1" "$2" ;;
		--ppfwd) ppfwd=$2 ;;
		esac
		shift ;;
	*) fail "unknown option '$1'; see --help" 2 ;;
	esac
	shift
done
[ "$duration" -ge 2 ] || fail "--duration $duration: testpmd needs at least 2 s to report a rate" 2

[ -x "$ppfwd" ] || fail "no $ppfwd; build it with 'meson setup build && ninja -C build'"
check_testpmd
[ "$(nproc)" -ge 2 ] || fail "needs two CPUs: testpmd's main core and the forwarding one"
if [ $af_xdp = yes ] && [ "$(id -u)" != 0 ]; then
	fail "--af-xdp makes namespaces and needs root; run it with sudo, or without --af-xdp"
fi

begin pppeers
! lend_memory $huge || echo "testpmd: 2 MiB hugepages; ppfwd: its default, small pages"
echo "burst 32, 64-byte packets, one forwarding CPU ($fwd_cpu)," \
	"$repeat times $duration s in turns, Mpps"

# stdin: numbers, one a line; "median min max"
median() {
	sort -n | awk '{ v[NR] = $1 }
		END {
			if (!NR) exit 1
			m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			printf "%.3f %.3f %.3f\n", m, v[1], v[NR]
		}'
}

# a table line from the files of rates $2 (ours) and $3 (theirs)
report() {
	ours=$(median <"$2") && theirs=$(median <"$3") || fail "$1: no rates were measured"
	echo "$1 $ours $theirs" | awk '{
		printf "%-16s ppfwd %8.3f (%.3f .. %.3f)   ", $1, $2, $3, $4
		printf "testpmd %8.3f (%.3f .. %.3f)   ", $5, $6, $7
		printf "ratio %.2f\n", ($5 > 0 ? $2 / $5 : 0) }'
}

null_ppfwd() {
	"$ppfwd" --port null --port null --engine "$1" --cores $fwd_cpu --duration "$duration" \
		--json "$tmp/ppfwd.json" >"$tmp/ppfwd.out" 2>"$tmp/ppfwd.err" ||
		fail "ppfwd $1 failed: $(tail -n 1 "$tmp/ppfwd.err")"
	awk -F'[:,]' '/"mpps"/ { print $2 + 0; exit }' "$tmp/ppfwd.json"
}

# The sum of the ports' rates, second by second; the first two reports cover the start.
null_testpmd() {
	timeout -s INT -k 5 $((duration + 2)) stdbuf -oL dpdk-testpmd $eal \
		--vdev net_null0 --vdev net_null1 -- --forward-mode="$1" --nb-cores=1 \
		--total-num-mbufs=8192 --stats-period 1 </dev/null >"$tmp/testpmd.out" 2>&1
	awk '/Tx-pps:/ { sum += $2; if (++n % 2 == 0) { if (n > 4) print sum / 1e6; sum = 0 } }' \
		"$tmp/testpmd.out" | median | cut -d' ' -f1
}

compare_null() {
	: >"$tmp/ours"
	: >"$tmp/theirs"
	i=0
	while [ $i -lt "$repeat" ]; do
		null_ppfwd "$1" >>"$tmp/ours" || exit 1
		null_testpmd "$1" >>"$tmp/theirs"
		[ -s "$tmp/theirs" ] ||
			fail "testpmd $1 gave no rate: $(tail -n 1 "$tmp/testpmd.out")"
		i=$((i + 1))
	done
	report "null,$1" "$tmp/ours" "$tmp/theirs"
}

compare_null io
compare_null macswap
[ $af_xdp = yes ] || exit 0

# ---- AF_XDP over veth: generator (other CPU) -> forwarder -> sink ----

# The sink runs on the forwarder's CPU, so it should cost next to nothing: drop in XDP if clang is
# here to build the two instructions, otherwise let the network stack drop.
sink() {
	cat >"$tmp/drop.c" <<-END
	__attribute__((section("xdp"), used)) int drop(void *ctx) { return 1; } /* XDP_DROP */
	END
	if clang -O2 -target bpf -c "$tmp/drop.c" -o "$tmp/drop.o" 2>/dev/null &&
		in_ns sink ip link set sink0 xdpdrv obj "$tmp/drop.o" sec xdp 2>/dev/null; then
		echo "sink: XDP_DROP"
	else
		in_ns sink ethtool -K sink0 gro on 2>/dev/null
		echo "sink: the network stack (no clang to build an XDP program)"
	fi
}

make_row
sink

# Mpps that reach the sink, once everything has had a second to start
sink_rate() {
	sleep 1
	a=$(received) from=$(date +%s%N)
	sleep "$duration"
	b=$(received) to=$(date +%s%N)
	kill -0 "$fwd_pid" 2>/dev/null ||
		fail "$1 ended early: $(tail -n 1 "$tmp/fwd.out")"
	awk "BEGIN { print ($b - $a) * 1e3 / ($to - $from) }"
}

start_generator() {
	nsenter --net=/var/run/netns/$tag-gen "$ppfwd" --port af_xdp:gen0 --engine txonly \
		--cores $main_cpu >"$tmp/gen.out" 2>&1 </dev/null &
	gen_pid=$!
	check_generator
}

xdp_ppfwd() {
	nsenter --net=/var/run/netns/$tag-fwd "$ppfwd" --port af_xdp:fwd0 --port af_xdp:fwd1 \
		--engine io --cores $fwd_cpu >"$tmp/fwd.out" 2>&1 </dev/null &
	fwd_pid=$!
	sink_rate ppfwd >>"$tmp/ours"
	stop $fwd_pid
	fwd_pid=
}

xdp_testpmd() {
	nsenter --net=/var/run/netns/$tag-fwd stdbuf -oL dpdk-testpmd $eal \
		--vdev net_af_xdp0,iface=fwd0,force_copy=1 \
		--vdev net_af_xdp1,iface=fwd1,force_copy=1 \
		-- --forward-mode=io --nb-cores=1 --total-num-mbufs=16384 --stats-period 60 \
		>"$tmp/fwd.out" 2>&1 </dev/null &
	fwd_pid=$!
	sink_rate testpmd >>"$tmp/theirs"
	stop $fwd_pid
	fwd_pid=
}

: >"$tmp/ours"
: >"$tmp/theirs"
start_generator
i=0
while [ $i -lt "$repeat" ]; do
	xdp_ppfwd
	sleep 1
	xdp_testpmd
	sleep 1
	i=$((i + 1))
done
report af_xdp,io "$tmp/ours" "$tmp/theirs"
