#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# options.sh PROGRAM GUIDE QUEUE.C - the guide has the options that --help has, and quotes the code
program=$1 guide=$2 queue=$3
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$program" --help >"$tmp/help" || exit 1
"$program" --version | grep -qx 'xdp_app [0-9.]*' || { echo "no version"; exit 1; }
grep -oE -e '--[a-z][-a-z]*' "$tmp/help" | sort -u >"$tmp/has"
grep -oE -e '^\| `--[a-z][-a-z]*' "$guide" | grep -oE -e '--[a-z][-a-z]*' | sort -u >"$tmp/told"
[ -s "$tmp/has" ] || { echo "no options found"; exit 1; }
diff "$tmp/has" "$tmp/told" || exit 1
# the code that the guide quotes is there, in one piece
awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$guide" >"$tmp/quoted"
[ -s "$tmp/quoted" ] || { echo "no code in the guide"; exit 1; }
sed -n '/n = pp_xsk_rx(/,/sleep_idle(q);/p' "$queue" >"$tmp/there"
diff "$tmp/quoted" "$tmp/there"
