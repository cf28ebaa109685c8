#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# syscalls.sh - forwarding a million packets takes no more system calls than forwarding a thousand
# usage: syscalls.sh PPFWD
ppfwd=$1
. "$(dirname "$0")/common.sh"
command -v strace >/dev/null || skip "strace is not installed"
strace -c -f -o "$dir/probe" true 2>/dev/null || skip "strace may not trace here"

# calls OPTION...: $calls, the system calls of all threads of a run
calls() {
	# the leak checker of an ASan build traces too, and only one can
	run env ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" strace -c -f -o "$dir/trace" "$ppfwd" "$@"
	calls=$(awk '$NF == "total" { print $4 }' "$dir/trace")
}

for ports in "--port null --port null" "--port null --port null --engine macswap" \
	"--port loop:a,peer=b --port loop:b,peer=a --engine flowgen"; do
	calls $ports --packets 1000
	few=$calls
	ok "$ports: 1000 packets" clean
	calls $ports --packets 1000000
	many=$calls
	ok "$ports: 1000000 packets" clean
	echo "$ports: $few calls for 1000 packets, $many for 1000000"
	# idle waiting and thread starts make a few more or less; a packet's would be 31250 bursts
	ok "$ports: system calls" [ "${few:-0}" -gt 20 -a "${many:-99999}" -lt $((few + 100)) ]
done
finish
