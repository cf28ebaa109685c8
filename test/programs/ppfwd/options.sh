#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# options.sh - every option of ppfwd does what the man page says
# usage: options.sh PPFWD JSONGET|"" PCAP(0|1)
ppfwd=$1 jsonget=$2 pcap=$3
. "$(dirname "$0")/common.sh"
two="--port null --port null"
cpu=$(taskset -cp $$ | sed 's/.*: *//; s/[,-].*//')
n="--packets 100000"

# one value of the report of a run with further options
json() {
	key=$1
	shift
	run "$ppfwd" $two $n --json "$dir/json" "$@"
	"$jsonget" "$dir/json" "$key"
}

is() {
	[ "$1" = "$2" ]
}

# keys KIND PREFIX: the counters that there are, as the headers list them
keys() {
	python3 "$(dirname "$0")/../../counters.py" --keys "$1" | sed "s/^/$2/"
}

for engine in io mac macswap 5tswap csum rxonly txonly flowgen noisy recycle; do
	run "$ppfwd" $two $n --engine $engine
	ok "--engine $engine" clean
	ok "--engine $engine forwards" grep -q "^$engine: 100000 packets" "$dir/out"
done
run "$ppfwd" $two --duration 0.1 --engine icmpecho
ok "--engine icmpecho answers nothing to UDP" grep -q "^icmpecho: 0 packets" "$dir/out"
ok "--engine icmpecho" clean

for opt in "--burst 1" "--burst 512" "--refill 1" "--refill 128" "--cache 1" "--cache 4096" \
	"--ring 2" "--ring 16384" "--pages 2048" "--page-size 2048" "--page-size 65536" \
	"--order 2" "--order 1 --accept lazy" \
	"--order 9 --accept lazy --burst 4 --refill 4 --cache 8" \
	"--headroom 0" "--headroom 2000" "--memory anon" "--memory memfd" \
	"--memory hugetlb,fallback" "--policy trylock" "--policy spin" "--batch 1" \
	"--high 64" "--batch 8 --high 8" "--drain-hz 1000" "--trace" "--stats-period 0" \
	"--cores $cpu"; do
	run "$ppfwd" $two $n $opt
	ok "$opt" clean
	ok "$opt forwards all" grep -q "^io: 100000 packets" "$dir/out"
done

# all four kinds of work, also where the last block is a part of one; longer if that was too short
worked() {
	tr -s '\n ' '  ' <"$dir/out" | sed 's/ \(memory: \)/\n\1/; s/ ledger: .*//' >"$dir/line"
	for work in '[1-9][0-9]* ranges isolated' '[1-9][0-9]* hard contiguous' \
		'[1-9][0-9]* blocks offlined' '[1-9][0-9]* MiB given back$'; do
		grep -q "^memory: .*$work" "$dir/line" || return 1
	done
}
for pages in 65536 40001; do
	for seconds in 0.5 2 8; do
		run "$ppfwd" $two --memory-hz 1000 --pages $pages --duration $seconds
		worked && break
	done
	ok "--memory-hz, $pages pages" clean
	ok "--memory-hz, $pages pages: each kind of work" worked
done

# a policy that the machine refuses says why
for policy in $("$ppfwd" --help | sed -n '/shared (/{n;p}'); do
	run "$ppfwd" $two $n --policy "$policy" --trace
	if [ "$rc" -eq 1 ] && [ "$(wc -l <"$dir/err")" -eq 1 ] && grep -q 'can not: ' "$dir/err"; then
		echo "not run: $(cat "$dir/err")"
		continue
	fi
	ok "--policy $policy --trace" clean
	ok "--policy $policy forwards all" grep -q "^io: 100000 packets" "$dir/out"
	ok "--policy $policy has windows" grep -q "^windows: [1-9]" "$dir/out"
done
ok "--policy auto was among them" [ "$policy" = auto ]
run env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$ppfwd" $two $n --policy rseq
ok "--policy rseq without rseq is status 1" [ "$rc" -eq 1 ]
ok "--policy rseq without rseq says why" grep -q 'policy rseq: this machine can not: ' "$dir/err"
run env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$ppfwd" $two $n --policy auto
ok "--policy auto without rseq" clean

run "$ppfwd" --port null $n
ok "one port forwards to itself" clean
run "$ppfwd" --port null --port null --port null $n
ok "three ports" clean
run "$ppfwd" --port null:size=128,copy=1 --port null:copy=1 $n
ok "null:size=,copy=" clean
run "$ppfwd" --port null:size=9000,copy=1 --port null:copy=1 --order 2 $n
ok "--order 2 holds 9000 bytes" clean
run "$ppfwd" --port null:size=9000 --port null $n
ok "one page of 4096 bytes does not" [ "$rc" -eq 1 ]
run "$ppfwd" --port loop:a,peer=b --port loop:b,peer=a --engine flowgen $n
ok "loop:,peer=" clean
run "$ppfwd" --port loop:a --engine flowgen --duration 0.2
ok "loop:" clean
run "$ppfwd" $two --duration 0.3
ok "--duration" clean
ok "--duration is kept" grep -Eq ' in 0\.[34][0-9]* s,' "$dir/out"
run "$ppfwd" $two --packets 1 --burst 512
ok "--packets 1 is exact" grep -q '^io: 1 packets' "$dir/out"
if [ "$(taskset -cp $$ | sed 's/.*: *//')" != "${1%%[0-9]*}" ] && [ "$(nproc)" -gt 1 ]; then
	cores=$(taskset -cp $$ | sed 's/.*: *//')
	run "$ppfwd" $two --port null --port null --cores "$cores" --packets 1234567
	ok "--packets is exact with several workers" grep -q '^io: 1234567 packets' "$dir/out"
	run "$ppfwd" $two --port null --port null --cores "$cores" --drain-hz 10000 --duration 0.3
	ok "--cores and --drain-hz" clean
else
	echo "not run: several workers; this machine has one CPU"
fi

run "$ppfwd" --help
ok "--help" [ "$rc" -eq 0 ]
ok "--help prints" grep -q -- '--port SPEC' "$dir/out"
cp "$dir/out" "$dir/help"
run "$ppfwd" -h
ok "-h is --help" cmp -s "$dir/out" "$dir/help"
run "$ppfwd" -p null -p null -n 1000 -e mac -b 7 -t 100 -s 0 -l "$cpu" -j "$dir/json"
ok "letters" clean
ok "letters are the options" grep -q '^mac: 1000 packets' "$dir/out"
ok "letters are the options in --json" grep -q '"burst":7' "$dir/json"
run "$ppfwd" -V
ok "-V" grep -q '^ppfwd [0-9]' "$dir/out"
run "$ppfwd" --version
ok "--version" grep -Eq '^ppfwd [0-9]+\.[0-9]+\.[0-9]+$' "$dir/out"

if [ -n "$jsonget" ]; then
	ok "json burst" is "$(json burst --burst 7)" 7
	ok "json refill" is "$(json refill --refill 9)" 9
	ok "json packets" is "$(json packets)" 100000
	ok "json policy" is "$(json policy --policy spin)" spin
	ok "json engine" is "$(json engine --engine mac)" mac
	ok "json pages" is "$(json zones.0.managed --pages 3000)" 3000
	ok "json page_size" is "$(json zones.0.page_size --page-size 8192)" 8192
	ok "json managed, --order 3" is "$(json zones.0.managed --order 3 --pages 30000)" 30000
	ok "json batch" is "$(json zones.0.batch --batch 5 --high 50)" 5
	ok "json high" is "$(json zones.0.high --batch 5 --high 50)" 50
	ok "json memory" is "$(json zones.0.memory --memory memfd)" memfd
	ok "json node" is "$(json zones.0.node)" 0
	ok "json node 0" is "$(json zones.0.node --node 0)" 0
	ok "json node local" is "$(json zones.0.managed --node local --pages 3000)" 3000
	ok "json node set" is "$(json zones.0.managed --node set --pages 3000)" 3000
	ok "json irqoff.windows" [ "$(json irqoff.windows --trace)" -gt 0 ]
	ok "json mask_cycles_per_burst" is \
		"$(json irqoff.mask_cycles_per_burst --trace --policy spin)" 0
	ok "json mask_cycles_per_burst, irqsave" [ "$(json irqoff.mask_cycles_per_burst --trace \
		--policy irqsave | cut -d. -f1)" -gt 0 ]
	ok "json policy auto" [ "$(json policy --policy auto)" != auto ]
	ok "json memory_work" [ "$(json memory_work.offlined --memory-hz 1000)" -ge 0 ]
	ok "json drains" [ "$(json zones.0.drains --drain-hz 1000 --duration 0.2 \
		--packets 99999999999)" -gt 0 ]
	ok "--json FILE prints the table too" clean

	# a hundred bursts of 7, each received and sent whole: buckets are 0, 1, 2-3, 4-7 ..
	run "$ppfwd" --port null --burst 7 --packets 700 --json "$dir/json"
	ok "bursts" is "$("$jsonget" "$dir/json" ports.0.rx_bursts.3 ports.0.tx_bursts.3 \
		ports.0.polls ports.0.empty_polls | tr '\n' ' ')" "100 100 100 0 "
	ok "bursts in the table" grep -q '^port 0  rx   0.0   0.0   0.0 100.0   0.0' "$dir/out"
	run "$ppfwd" --port null --burst 1 --packets 50 --json "$dir/json"
	ok "bursts of 1" is "$("$jsonget" "$dir/json" ports.0.rx_bursts.1 ports.0.rx_bursts.10 \
		ports.0.tx_bursts.1 | tr '\n' ' ')" "50 0 50 "
	run "$ppfwd" --port null --burst 512 --packets 5120 --json "$dir/json"
	ok "bursts of 512" is "$("$jsonget" "$dir/json" ports.0.rx_bursts.10)" 10
	run "$ppfwd" --port loop:a --engine rxonly --duration 0.2 --json "$dir/json"
	ok "all polls are empty" [ "$("$jsonget" "$dir/json" ports.0.empty_polls)" -gt 0 ]
	ok "none is not" is "$("$jsonget" "$dir/json" ports.0.polls)" \
		"$("$jsonget" "$dir/json" ports.0.empty_polls)"
	ok "no cycle is busy" is "$("$jsonget" "$dir/json" workers.0.busy_cycles)" 0
	ok "of many" [ "$("$jsonget" "$dir/json" workers.0.cycles)" -gt 1000000 ]
	ok "worker's CPU" is "$("$jsonget" "$dir/json" workers.0.cpu)" "$cpu"
	ok "no cycle is busy, in the table" grep -q '^worker on CPU [0-9]*: busy 0.0 %' "$dir/out"

	run "$ppfwd" $two $n --json -
	cp "$dir/out" "$dir/json"
	ok "--json - is status 0" [ "$rc" -eq 0 ]
	# shellcheck disable=SC2046
	ok "--json - is nothing but JSON" "$jsonget" "$dir/json" version command machine.cpu \
		machine.cores machine.kernel machine.tsc_hz policy engine burst refill duration_s \
		mpps cycles_per_packet ports.1.name ports.1.driver pools.1.name zones.0.memory \
		$(keys port ports.1.) $(keys pool pools.1.) $(keys zone zones.0.) \
		ledger.leaked ledger.double_free >/dev/null
	cp "$dir/json" "$dir/out"
	ok "ledger.leaked" is "$("$jsonget" "$dir/json" ledger.leaked)" 0
	ok "ledger.double_free" is "$("$jsonget" "$dir/json" ledger.double_free)" 0
	ok "zones.free is zones.managed" is "$("$jsonget" "$dir/json" zones.0.free)" \
		"$("$jsonget" "$dir/json" zones.0.managed)"
	ok "all pages left the pools" is "$("$jsonget" "$dir/json" pools.0.outstanding)" 0
	ok "tx_packets add up" is 100000 \
		$(($("$jsonget" "$dir/json" ports.0.tx_packets) +
			$("$jsonget" "$dir/json" ports.1.tx_packets)))

	# four pools that need 32 pages each in a zone of 100: one that runs short empties others
	run "$ppfwd" $two $two $n --pages 100 --refill 64 --json "$dir/json"
	ok "a small zone" clean
	ok "json trims" [ "$("$jsonget" "$dir/json" pools.0.trims)" -gt 100 ]
	ok "json trimmed" [ "$("$jsonget" "$dir/json" pools.0.trimmed)" -ge \
		"$("$jsonget" "$dir/json" pools.0.trims)" ]
	ok "json inflight_max" is "$("$jsonget" "$dir/json" pools.0.inflight_max)" 64
	ok "json: nothing was refused" is "$("$jsonget" "$dir/json" pools.0.double_puts \
		pools.0.alloc_limited pools.0.reserve pools.0.alloc_reserve | tr '\n' ' ')" "0 0 0 0 "

	# bursts of 512 over a cache of 8 and a ring of 64
	run "$ppfwd" $two $n --cache 8 --burst 512 --ring 64 --json "$dir/json"
	ok "json ring_max" is "$("$jsonget" "$dir/json" pools.0.ring_max pools.0.inflight_max |
		tr '\n' ' ')" "64 512 "

	run "$ppfwd" --port loop:x,peer=y --port loop:y,peer=x --engine flowgen --duration 0.3 \
		--json "$dir/json"
	ok "loop: ledger" is "$("$jsonget" "$dir/json" ledger.leaked ledger.double_free |
		tr '\n' ' ')" "0 0 "
else
	run "$ppfwd" $two $n --json "$dir/json"
	ok "--json" clean
	echo "not run: what --json says; jsonget needs json-c"
fi
[ "$pcap" = 1 ] || echo "not run: pcap ports; built without libpcap"
finish
