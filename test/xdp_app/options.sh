#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# options.sh PROGRAM GUIDE - the guide has every option that --help has, and no other
program=$1 guide=$2
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
"$program" --help >"$tmp/help" || exit 1
"$program" --version | grep -qx 'xdp_app [0-9.]*' || { echo "no version"; exit 1; }
grep -oE -e '--[a-z][-a-z]*' "$tmp/help" | sort -u >"$tmp/has"
grep -oE -e '^\| `--[a-z][-a-z]*' "$guide" | grep -oE -e '--[a-z][-a-z]*' | sort -u >"$tmp/told"
[ -s "$tmp/has" ] || { echo "no options found"; exit 1; }
diff "$tmp/has" "$tmp/told"
