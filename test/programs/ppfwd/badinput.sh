#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# badinput.sh - every bad input is refused in one line, with the right status, and changes nothing
# usage: badinput.sh PPFWD PCAP(0|1)
ppfwd=$1 pcap=$2
. "$(dirname "$0")/common.sh"
two="--port null --port null --packets 1000"

# bad STATUS WORD OPTION...: refused with a line that has WORD
bad() {
	status=$1 word=$2
	shift 2
	run "$ppfwd" "$@"
	ok "$*" refused "$status" "$word"
}

bad 2 "no port"
bad 2 "no port" --duration 1
bad 2 "--nonsense" $two --nonsense
bad 2 "-x" $two -x
bad 2 "-x" -p null -xh
bad 2 "-b" $two -b
bad 2 "--packets 0" $two -n 0
bad 2 "--help" $two --help=yes
bad 2 "eth0" $two eth0
bad 2 "--burst" $two --burst
bad 2 "--trace" $two --trace=1
bad 2 "bogus" $two --engine bogus
bad 2 "bogus" $two --policy bogus
bad 2 "bogus" $two --memory bogus
bad 2 "anon, memfd" $two --memory bogus
bad 2 "eager, lazy, thread" $two --accept bogus
bad 2 "--control" $two --control ""
for opt in burst refill cache ring pages page-size headroom order node batch high drain-hz packets; do
	bad 2 "--$opt" $two --$opt nonsense
	bad 2 "--$opt" $two --$opt -1
	bad 2 "--$opt" $two --$opt 99999999999999999999999
	bad 2 "--$opt" $two --$opt 5x
	bad 2 "--$opt" $two --$opt ""
done
for opt in burst refill cache ring pages page-size batch high drain-hz packets; do
	bad 2 "--$opt 0" $two --$opt 0
done
bad 2 "--burst 513" $two --burst 513
bad 2 "--refill 513" $two --refill 513
bad 2 "--refill 129" $two --refill 129
bad 2 "--refill 65" $two --refill 65 --cache 64
bad 2 "--cache 4097" $two --cache 4097
bad 2 "--ring 1000" $two --ring 1000
bad 2 "--ring 1" $two --ring 1
bad 2 "--ring 32768" $two --ring 32768
bad 2 "--page-size 4097" $two --page-size 4097
bad 2 "--page-size 1024" $two --page-size 1024
bad 2 "--page-size 131072" $two --page-size 131072
bad 2 "--order 10" $two --order 10
bad 2 "--order 6" $two --order 6 --page-size 65536
bad 2 "--order" $two --order 1 --node set
bad 2 "--headroom 4096" $two --headroom 4096
bad 2 "--pages 4294967296" $two --pages 4294967296
bad 2 "--batch 65" $two --batch 65 --high 64
bad 2 "--duration" $two --duration 0
bad 2 "--duration" $two --duration nan
bad 2 "--duration" $two --duration inf
bad 2 "--duration" $two --duration -1
bad 2 "--duration" $two --duration 1s
bad 2 "--stats-period" $two --stats-period -1
bad 2 "--stats-period" $two --stats-period x
bad 2 "--cores" $two --cores ""
bad 2 "--cores" $two --cores a
bad 2 "--cores" $two --cores 0-
bad 2 "--cores" $two --cores 1-0
bad 2 "--cores" $two --cores 0,
bad 2 "--cores" $two --cores -1
bad 2 "--cores" $two --cores 1000
bad 2 "--cores" $two --cores 99999999999
for size in 63 0 x 64- -64 64-63 64-x imix2 65001 0000000000001500-1600 ""; do
	bad 2 "--size" $two --size "$size"
done
bad 2 "do not fit" $two --size 4000
bad 2 "do not fit" $two --size 64-1501 --page-size 2048 --headroom 548
for rate in 0 0.5 -1 x 1x 1kk 1Mbits 1.1T nan inf 2000G ""; do
	bad 2 "--rate" $two --rate "$rate"
done
for peer in x 1 1, 1,02 64,02:00:00:00:00:01 0,02:00:00:00:00:0g 0,02:00:00:00:00:01x -1,02:00:00:00:00:01; do
	bad 2 "--eth-peer" $two --eth-peer "$peer"
done
bad 2 "--noisy-tx-sw-buffer-size" $two --noisy-tx-sw-buffer-size 65537
bad 2 "--noisy-lkup-memory 0" $two --noisy-lkup-memory 0
bad 2 "--noisy-lkup-num-reads" $two --noisy-lkup-num-reads=-1
bad 2 "--vlan" $two --vlan 4095
bad 2 "--flows 0" $two --flows 0
bad 2 "--seed 0" $two --seed 0
bad 2 "--latency 0" $two --latency 0
cpu=$(taskset -cp $$ | sed 's/.*: *//; s/[,-].*//')
bad 2 "twice" $two --cores "$cpu,$cpu"

set -- $two
i=2
while [ $i -lt 65 ]; do
	set -- "$@" --port null
	i=$((i + 1))
done
bad 2 "too many ports" "$@"

bad 1 "memory" $two --pages 1000000000 --memory anon
bad 1 "memory" $two --pages 1000000000 --memory memfd
bad 1 "node" $two --node 1000
bad 1 "bogus" --port bogus --port null
bad 1 "bogus" --port null --port bogus:x
bad 1 "bogus" --port null:bogus=1
bad 1 "size" --port null:size=0
bad 1 "size" --port null:size=x
bad 1 "size" --port null:size=1000000
bad 1 "loop" --port loop
bad 1 "loop" --port loop:a --port loop:a
bad 1 "port" --port ""
bad 1 "/nonexistent/x" $two --json /nonexistent/x
run sh -c 'exec "$0" "$@" >/dev/full' "$ppfwd" $two --json -
ok "--json - on a full disk" refused 1 "--json -"
run "$ppfwd" $two --json /dev/full
ok "--json on a full disk" grep -q '^ppfwd: --json /dev/full: ' "$dir/err"
ok "--json on a full disk: status" [ "$rc" -eq 1 ]
echo precious >"$dir/json"
bad 1 "bogus" --port bogus --json "$dir/json"
ok "a failed run keeps the last report" grep -q precious "$dir/json"
run sh -c 'exec "$0" "$@" >/dev/full' "$ppfwd" $two
ok "table on a full disk" refused 1 "standard output"

# 32 MiB more hugepages than there are
huge=$(sed -n 's/^HugePages_Total: *//p' /proc/meminfo)
bad 1 "hugepages" $two --memory hugetlb --pages $(((${huge:-0} + 16) * 512))

if [ "$pcap" = 1 ]; then
	bad 1 "$dir/none.pcap" --port "pcap:rx=$dir/none.pcap" --port null
	: >"$dir/empty.pcap"
	bad 1 "empty.pcap" --port "pcap:rx=$dir/empty.pcap" --port null
	echo "this is no capture file at all" >"$dir/text.pcap"
	bad 1 "text.pcap" --port "pcap:rx=$dir/text.pcap" --port null
	# link type 228, raw IPv4
	printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\377\377\0\0\344\0\0\0' >"$dir/raw.pcap"
	bad 1 "raw.pcap" --port "pcap:rx=$dir/raw.pcap" --port null
	bad 1 "/nonexistent" --port pcap:tx=/nonexistent/out.pcap --engine txonly --packets 1
	bad 1 "ppwnone" --port pcap:iface=ppwnone
	bad 1 "pcap" --port pcap
else
	bad 1 "pcap" --port pcap:rx=x
	echo "not run: pcap files; built without libpcap"
fi
# a name on the screen moves no text: U+202E
if [ "$pcap" = 1 ]; then
	run "$ppfwd" --port "pcap:tx=$dir/$(printf 'a\342\200\256b')" --engine flowgen --packets 10
	ok "a name with a mark of direction" clean
	ok "is shown without it" grep -q '/a?b ' "$dir/out"
fi

finish
