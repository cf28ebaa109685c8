#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# man.sh - the man page is well formed, and tells of the options that --help tells of, and no others
# usage: man.sh PPFWD PAGE
ppfwd=$1 page=$2
. "$(dirname "$0")/common.sh"
"$ppfwd" --help | grep -o -- '--[a-z-]*' | sort -u >"$dir/help"
sed -n 's/^\.It Fl \\-\([a-z-]*\).*/--\1/p' "$page" | sort -u >"$dir/page"
run diff "$dir/help" "$dir/page"
ok "the same options in --help and man page" [ "$rc" -eq 0 ]
ok "there are options" [ "$(lines "$dir/page")" -gt 20 ]

for engine in $("$ppfwd" --help | sed -n 's/^           \([a-z0-9]*\) .*/\1/p'); do
	ok "engine $engine in the man page" grep -q "^\.It Cm $engine\$" "$page"
	echo "$engine" >>"$dir/engines"
done
ok "there are nine engines" [ "$(lines "$dir/engines")" -eq 9 ]

if command -v mandoc >/dev/null; then
	# whether pages that it refers to are installed says nothing about this one
	mandoc -T lint "$page" 2>&1 | grep -vE 'mandoc.db|referenced manual not found' >"$dir/out"
	ok "mandoc -T lint" [ ! -s "$dir/out" ]
else
	echo "not run: mandoc -T lint; mandoc is not installed"
fi
finish
