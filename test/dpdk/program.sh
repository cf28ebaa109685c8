#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# program.sh PPFWD - ppfwd with ethdev ports that need no interface: options, bad input, signals
ppfwd=$1
. "$(dirname "$0")/../programs/ppfwd/common.sh"
two="--port dpdk:net_null0 --port dpdk:net_null1"
n="--packets 100000"

# bad STATUS WORD OPTION...: refused with a line that has WORD
bad() {
	status=$1 word=$2
	shift 2
	run "$ppfwd" "$@"
	ok "$*" refused "$status" "$word"
}

forwards() { # OPTION...
	run "$ppfwd" "$@" $n
	ok "$*" clean
	ok "$* forwards all" grep -q ': 100000 packets' "$dir/out"
}

forwards $two
forwards $two --engine macswap
forwards $two --engine txonly
forwards $two --engine flowgen
forwards $two --burst 1
forwards $two --burst 512
forwards $two --page-size 2048 --headroom 0
forwards $two --page-size 65536
forwards $two --memory memfd
forwards $two --eal "--no-huge -m 48 --no-pci --file-prefix=ppdpdk$$ --no-shconf --no-telemetry"
rmdir "/var/run/dpdk/ppdpdk$$" "${XDG_RUNTIME_DIR:-/none}/dpdk/ppdpdk$$" 2>/dev/null
forwards --port dpdk:net_null0 --port null
forwards --port null --port dpdk:net_null0
forwards --port null --port dpdk:net_null0 --headroom 0
forwards --port dpdk:net_ring0 --engine flowgen
forwards --port dpdk:net_null0,queues=2,size=128 --port dpdk:net_null1,queues=2 \
	--cores "$(taskset -cp $$ | sed 's/.*: *//')"

run "$ppfwd" $two $n --json -
ok "--json - is JSON alone" [ "$rc" -eq 0 ]
ok "--json - begins with {" [ "$(head -c 1 "$dir/out")" = "{" ]

bad 1 "unknown option or wrong value" $two --eal "--nonsense"
bad 1 "EAL does not start" $two --eal "--no-huge -m 99999999"
bad 1 "EAL does not start" $two --eal "--lcores=900@900"
bad 1 "EAL does not start" $two --eal "--no-huge --in-memory"
bad 1 "quote does not end" $two --eal "--no-huge 'x"
bad 2 "no port is DPDK's" --port null --eal "--no-huge"
bad 2 "--eal" $two --eal
bad 1 "no device is named" --port dpdk:
bad 1 "net_nul0" --port dpdk:net_nul0
bad 1 "nonsense" --port dpdk:net_null0,nonsense=1
bad 1 "queues=0" --port dpdk:net_null0,queues=0
bad 1 "is open already" --port dpdk:net_null0 --port dpdk:net_null0
bad 1 "0000:ff:1f.7" --port dpdk:0000:ff:1f.7
bad 1 "No such file" --port dpdk:net_pcap0,rx_pcap=/nowhere/x
bad 1 "nowhere" --port dpdk:net_af_packet0,iface=nowhere
bad 1 "not an Ethernet port" --port dpdk:crypto_null0

for sig in INT TERM; do
	env --default-signal=INT "$ppfwd" $two >"$dir/out" 2>"$dir/err" &
	pid=$!
	at_work $pid $sig
	kill -$sig $pid
	wait $pid
	rc=$?
	ok "SIG$sig" clean
done
# killed at any time, nothing is in the way of the next one
for delay in 0.02 0.1 0.3 0.5; do
	"$ppfwd" $two >/dev/null 2>&1 &
	pid=$!
	sleep $delay
	kill -KILL $pid
	wait $pid 2>/dev/null
	forwards $two
done
finish
