#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# live.sh - the line is for terminals: there it shows rates, elsewhere nothing
# usage: live.sh PPFWD
ppfwd=$1
. "$(dirname "$0")/common.sh"
two="--port null --port null --duration 0.7"
run "$ppfwd" $two --stats-period 0.1
ok "no line without a terminal" clean

command -v script >/dev/null || skip "script (util-linux, bsdutils) is not installed"
# the rate of the first period, and of another one: where the machine is busy, longer
for duration in 0.7 3 12; do
	run script -qec "'$ppfwd' --port null --port null --duration $duration --stats-period 0.2" \
		"$dir/typescript"
	tr '\r' '\n' <"$dir/typescript" >"$dir/out"
	[ "$(grep -c ' Mpps .* dropped ' "$dir/out")" -lt 2 ] || break
done
ok "rates, drops, cache hits" grep -Eq \
	'^ +[0-9]+\.[0-9] s +[1-9][0-9.]* Mpps +[1-9][0-9]* packets +0 dropped +cache +[0-9.]+ %' "$dir/out"
ok "more than one" [ "$(grep -c ' Mpps .* dropped ' "$dir/out")" -ge 2 ]
ok "then the table" grep -q ' 0 leaked, 0 freed twice$' "$dir/out"
run script -qec "'$ppfwd' $two --stats-period 0" "$dir/typescript"
cp "$dir/typescript" "$dir/out"
ok "none with --stats-period 0" [ "$(grep -c dropped "$dir/out")" -eq 1 ]
finish
