#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# man.sh - the man page is well formed, and tells of the options that --help tells of, and no others
# usage: man.sh PPSTAT PAGE
ppstat=$1 page=$2
. "$(dirname "$0")/../ppfwd/common.sh"
man_options "$ppstat" "$page" 10

for verb in $("$ppstat" --help | sed -n 's/^ *ppstat \([a-z][a-z]*\).*/\1/p'); do
	ok "$verb in the man page" grep -q "^\.It Cm $verb\$" "$page"
	echo "$verb" >>"$dir/verbs"
done
ok "there are verbs" [ "$(lines "$dir/verbs")" -ge 4 ]

man_lint "$page"
finish
