#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# guide.sh - every command of doc/ppfwd.md runs clean, and has every option that it tells of
# usage: guide.sh PPFWD GUIDE PCAP(0|1)
ppfwd=$(realpath "$1") guide=$2 pcap=$3
. "$(dirname "$0")/common.sh"
awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$guide" >"$dir/commands"
while read -r command; do
	case $command in
	*pcap:*) [ "$pcap" = 1 ] || { echo "not run: $command; built without libpcap"; continue; } ;;
	esac
	run sh -c "cd '$dir' && '$ppfwd' ${command#ppfwd }"
	ok "$command" [ "$rc" -eq 0 ]
	ok "$command: ledger" grep -q ' 0 leaked, 0 freed twice$' "$dir/out"
	ok "$command: a line" grep -Eq '^[a-z0-9]+: [0-9]+ packets' "$dir/out"
done <"$dir/commands"
ok "there are commands" [ "$checks" -ge 15 ]
"$ppfwd" --help >"$dir/help"
for option in $(grep -oE '`--[a-z][a-z-]*' "$guide" | tr -d '`' | grep -v -- '-$' | sort -u); do
	case $option in
	--record-burst-stats | --record-core-cycles) ;; # testpmd's
	*) ok "$option is an option" grep -qE -e "$option( |$|,)" "$dir/help" ;;
	esac
done
finish
