#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# man.sh - the man page is well formed, and tells of the options that --help tells of, and no others
# usage: man.sh PPSTAT PAGE
ppstat=$1 page=$2
. "$(dirname "$0")/../cli/common.sh"
"$ppstat" --help | grep -o -- '--[a-z-]*' | sort -u >"$dir/help"
sed -n 's/^\.It Fl \\-\([a-z-]*\).*/--\1/p' "$page" | sort -u >"$dir/page"
run diff "$dir/help" "$dir/page"
ok "the same options in --help and man page" [ "$rc" -eq 0 ]
ok "there are options" [ "$(lines "$dir/page")" -ge 10 ]
for verb in $("$ppstat" --help | sed -n 's/^ *ppstat \([a-z][a-z]*\).*/\1/p'); do
	ok "$verb in the man page" grep -q "^\.It Cm $verb\$" "$page"
	echo "$verb" >>"$dir/verbs"
done
ok "there are verbs" [ "$(lines "$dir/verbs")" -ge 4 ]
if command -v mandoc >/dev/null; then
	mandoc -T lint "$page" 2>&1 | grep -vE 'mandoc.db|referenced manual not found' >"$dir/out"
	ok "mandoc -T lint" [ ! -s "$dir/out" ]
else
	echo "not run: mandoc -T lint; mandoc is not installed"
fi
finish
