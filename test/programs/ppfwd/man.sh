#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# man.sh - the man page is well formed, and tells of the options that --help tells of, and no others
# usage: man.sh PPFWD PAGE
ppfwd=$1 page=$2
. "$(dirname "$0")/common.sh"
man_options "$ppfwd" "$page" 21

for engine in $("$ppfwd" --help | sed -n 's/^           \([a-z0-9]*\) .*/\1/p'); do
	ok "engine $engine in the man page" grep -q "^\.It Cm $engine\$" "$page"
	echo "$engine" >>"$dir/engines"
done
ok "there are eleven engines" [ "$(lines "$dir/engines")" -eq 11 ]

man_lint "$page"
finish
