#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# signals.sh - a signal stops ppfwd cleanly: status 0, the summary, every page home
# usage: signals.sh PPFWD MINFWD
ppfwd=$1 minfwd=$2
. "$(dirname "$0")/common.sh"

# signalled SIGNAL COUNT PROGRAM...: send it COUNT times while the program runs
signalled() {
	sig=$1 count=$2
	shift 2
	# a shell's background jobs ignore SIGINT, which exec passes on: reset that. A program that
	# they do not stop goes on until the time of this test is over.
	env --default-signal=INT "$@" >"$dir/out" 2>"$dir/err" &
	pid=$!
	at_work $pid "$sig"
	while [ "$count" -gt 0 ]; do
		kill -s "$sig" $pid 2>/dev/null
		count=$((count - 1))
	done
	wait $pid
	rc=$?
}

for sig in INT TERM HUP; do
	for ports in "--port null --port null" "--port null" \
		"--port loop:a,peer=b --port loop:b,peer=a --engine flowgen --trace"; do
		signalled $sig 1 "$ppfwd" $ports
		ok "$ports: SIG$sig" clean
		ok "$ports: SIG$sig: packets" grep -Eq '^[a-z]+: [1-9][0-9]* packets' "$dir/out"
	done
done
signalled INT 20 "$ppfwd" --port null --port null --drain-hz 1000
ok "SIGINT twenty times" clean
signalled TERM 1 "$ppfwd" --port loop:idle
ok "SIGTERM while nothing moves" clean
signalled INT 1 "$minfwd" null null
ok "minfwd: SIGINT" [ "$rc" -eq 0 ]
ok "minfwd: all home" grep -q '^32768 of 32768 pages home$' "$dir/out"

run sh -c '"$0" --port null --packets 1000 | true' "$ppfwd"
ok "a reader that left kills nobody" [ "$rc" -eq 0 ]
run "$minfwd"
ok "minfwd: usage" [ "$rc" -eq 2 ]
run "$minfwd" null bogus:
ok "minfwd: bad port" [ "$rc" -eq 1 ]
ok "minfwd: one line" [ "$(lines "$dir/err")" -eq 1 ]
finish
