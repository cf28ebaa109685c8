#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# lint.sh - the rules of the house that a machine can check
#
#   sh test/lint.sh [CHECK]...   all checks, or those named: see the end of this file
#
# Prints a line for each finding and exits 1 if there is any. Works on the files that git
# knows, or on all of them where there is no git. PP_BUILD_DIR (build) has the programs; their
# options are compared with their man pages.

cd "$(dirname "$0")/.." || exit 1
build=${PP_BUILD_DIR:-build}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/pplint.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
: >"$tmp/findings"

# What is left of faults from before their rule. Each number may only fall.
words_left_product=0
words_left_doc=0
words_left_test=0
long_files_left=0
long_functions_left=0

# Longer than the limit, with the reason: "PATH" or "PATH:FUNCTION", a line each.
long_ones='
drivers/pcap/pcap.c one file an external library: files and live capture both use libpcap
drivers/include/pagepool/netdev.h one header a noun, and its docstrings
drivers/include/pagepool/xsk.h one header a noun, and its docstrings
lib/include/pagepool/page_pool.h one header a noun, and its docstrings
lib/include/pagepool/zone.h one header a noun, and its docstrings
lib/zone/create.c:zone_init the parts of a zone, in the order in which they need each other
test/drivers/test_pcap.c mirrors drivers/pcap/pcap.c
test/lib/depot/depot.c mirrors depot.h
test/lib/pool/pool_ops.c a table of operations, and what each means to a naive model
test/lib/depot/depot_step.c the scenes, and what is done with each of them
'

finding() {
	echo "$*" >>"$tmp/findings"
}

# ratchet LEFT: the lines of standard input are findings if there are more than LEFT
ratchet() {
	cat >"$tmp/ratchet"
	n=$(wc -l <"$tmp/ratchet")
	[ "$n" -gt "$1" ] || return 0
	cat "$tmp/ratchet" >>"$tmp/findings"
	[ "$1" -eq 0 ] || finding "these are $n; test/lint.sh allows $1 from before"
}

need() {
	command -v "$1" >/dev/null 2>&1 && return 0
	finding "$1 is not installed: $2 was not checked; apt-get install $3"
	return 1
}

list_files() {
	if [ -e .git ] && git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . -type f ! -path './build*/*' ! -path './.git/*' | sed 's,^\./,,'
	fi | sort | while read -r f; do
		[ -f "$f" ] && echo "$f"
	done
}

list_files >"$tmp/all"
grep -E '\.[ch]$' "$tmp/all" >"$tmp/c"
grep -E '^(lib|drivers|examples)/' "$tmp/c" >"$tmp/product"
grep -E '/include/pagepool/[a-z_]*\.h$' "$tmp/c" >"$tmp/public"
[ -s "$tmp/public" ] || finding "no public headers found: nothing was checked"

# greps FILES for PATTERN (extended), prints path:line of each match, with MESSAGE
forbid() {
	files=$1 pattern=$2 message=$3
	[ -s "$files" ] || return 0
	xargs grep -nHE -e "$pattern" <"$files" 2>/dev/null | cut -d: -f1,2 |
		while read -r where; do finding "$where: $message"; done
}

without() {
	grep -vE "$2" "$1" >"$tmp/subset"
	echo "$tmp/subset"
}

# ---- layers: includes go down only ------------------------------------------------------------

check_include() {
	file=$1 quoted=$2
	top=${file%%/*}
	case $top in
	lib) return ;;
	examples) program=$(echo "$file" | cut -d/ -f1,2) ;;
	*) program=$top ;;
	esac
	# one object without a call: the only header of lib/ that is meant for a driver
	[ "$file $quoted" != 'drivers/dpdk_mempool/mempool.c depot/one.h' ] || return 0
	for at in "$(dirname "$file")/$quoted" "$program/$quoted" "$top/$quoted"; do
		[ -f "$at" ] || continue
		case $(realpath --relative-to=. "$at") in
		lib/*) finding "$file: includes $quoted of lib/; public headers only" ;;
		drivers/*) [ "$top" = examples ] &&
			finding "$file: includes $quoted of drivers/; public headers only" ;;
		esac
		return
	done
	# made by meson in the build directory
	[ -f "$(dirname "$file")/$quoted.in" ] && return
	finding "$file: includes \"$quoted\", which is no file of its program; public headers only"
}

check_layers() {
	grep -E '^(drivers|examples)/' "$tmp/c" >"$tmp/upper"
	[ -s "$tmp/upper" ] && xargs grep -HoE '^#include "[^"]*"' <"$tmp/upper" |
		sed 's/:#include "/ /; s/"$//' >"$tmp/quoted"
	[ -s "$tmp/quoted" ] && while read -r file quoted; do
		check_include "$file" "$quoted"
	done <"$tmp/quoted"

	grep '^lib/' "$tmp/c" >"$tmp/lib"
	forbid "$tmp/lib" '#include.*netdev' "the library knows no drivers"
	forbid "$(without "$tmp/c" '^lib/stock/sync/[^/]*\.c$')" '#include.*pcp_impl\.h' \
		"only lib/stock/sync/*.c includes pcp_impl.h"
	forbid "$tmp/product" '#include <numa' "nothing includes libnuma; see lib/base/node.c"
	forbid "$(without "$tmp/product" '^drivers/(af_xdp|xsk)/|\.bpf\.c$|^examples/(xsk|xdp_app|xdp_peers)/')" \
		'#include <(xdp|bpf)/' \
		"only drivers/{af_xdp,xsk}/ and the examples with sockets of their own include libxdp and libbpf"
	forbid "$(without "$tmp/product" '^drivers/pcap/')" '#include <pcap' \
		"only drivers/pcap/ includes libpcap"
	forbid "$(without "$tmp/product" 'dpdk[^/]*\.[ch]$|^drivers/dpdk(_mempool)?/')" '#include <rte_' \
		"only drivers/dpdk*/ and *dpdk*.c include DPDK"
}

# no identifier of a higher floor, and no circle of files
check_floors() {
	need python3 "the floors" python3 || return
	python3 test/floors.py --check >>"$tmp/findings"
}

# ---- words ------------------------------------------------------------------------------------

# The subject of a sentence is a thing with a name. These words may only ask, as in "who?".
nameless='wh(o|om|oever|omever|ose)|somebody|someone|anybody|anyone'

# nameless_lines PATTERN: "path:line: ..." of each such line of the files whose path has PATTERN
nameless_lines() {
	grep -E "$1" "$tmp/all" | grep -vE '^test/lint' >"$tmp/texts"
	[ -s "$tmp/texts" ] || return 0
	xargs grep -nwiHIE -e "$nameless" <"$tmp/texts" |
		grep -viE "[^a-z]($nameless)[^a-z].*\?" | sed -E 's/^([^:]*:[0-9]+):[ \t]*/\1: name the thing: /'
}

check_language() {
	nameless_lines '^(lib|drivers|examples)/' | ratchet "$words_left_product"
	nameless_lines '^doc/.*\.md$|^[A-Z]*\.md$' | ratchet "$words_left_doc"
	nameless_lines '^(test|\.ci)/' | ratchet "$words_left_test"
}

# #if is for internal.h; elsewhere only header guards, C++, and a template's own arguments
conditional_lines() {
	awk '
	FNR == 1 { guard = 0 }
	held && /^#[ \t]*(define|error)/ { held = ""; depth_ok = 1; next_ok = 1 }
	held { print held; held = "" }
	/^[ \t]*#[ \t]*ifndef/ { held = FILENAME ":" FNR; next }
	/^[ \t]*#[ \t]*ifdef[ \t]+__cplusplus/ { next }
	/^[ \t]*#[ \t]*(if|ifdef|elif|else)/ { print FILENAME ":" FNR }
	' "$@"
}

check_words() {
	without "$tmp/product" '^lib/base/internal\.h$' >/dev/null
	while read -r f; do
		conditional_lines "$f"
	done <"$tmp/subset" | while read -r where; do
		finding "$where: #if outside lib/base/internal.h; let meson choose a file, or use an ops table"
	done
	# but for asm volatile(), and the one type that C gives signal handlers
	forbid "$tmp/c" '(^|[^_A-Za-z])volatile( +([^s ]|s[^i])|[^_A-Za-z( ]|$)' \
		"volatile; use relaxed atomics"
	# an error in err and its copy in ret, and one day the wrong one is returned
	xargs awk '
	/^\{/ { err = other = 0 }
	/^\t+(int|long).*[ *,]err[ ,;]/ { err = 1 }
	/^\t+(int|long).*[ *,](ret|rc|res|retval)[ ,;]/ { other = FNR }
	/^\}/ && err && other { print FILENAME ":" other }
	/^\}/ { err = other = 0 }
	' <"$tmp/product" | while read -r where; do
		finding "$where: an error is called err, and there is one of it"
	done
	forbid "$tmp/product" '^typedef struct' "struct x without typedef"
	forbid "$tmp/product" '^[ 	]+//|;[ 	]+//' "comments are /* */"
	forbid "$tmp/all" '[ 	]+$' "blanks at the end of the line"
	forbid "$tmp/all" '(^|[^A-Za-z0-9_.$}])/(wor[k]|hom[e]|Users)/' "a path of one machine"
	while read -r f; do
		expand "$f" | awk -v f="$f" 'length > 100 { print f ":" FNR }'
	done <"$tmp/c" | while read -r where; do
		finding "$where: longer than 100 columns"
	done
}

check_spdx() {
	while read -r f; do
		case $f in
		*.bpf.c) want='GPL-2.0-only OR BSD-2-Clause' line=1 ;;
		*.[ch]) want='/\* SPDX-License-Identifier: BSD-3-Clause \*/' line=1 ;;
		*.sh | .ci/run | *.py) want='# SPDX-License-Identifier: BSD-3-Clause' line=1,2 ;;
		*meson.build | meson_options.txt)
			want='# SPDX-License-Identifier: BSD-3-Clause' line=1 ;;
		*) continue ;;
		esac
		sed -n "${line}p" "$f" | grep -q "$want" ||
			finding "$f: the SPDX line is not on top"
	done <"$tmp/all"
}

# ---- sizes ------------------------------------------------------------------------------------

allowed_long() {
	echo "$long_ones" | grep -qE "^$1( |$)"
}

# FILES and the limits of a file and of a function, in lines; long files to $tmp/long_files
find_long() {
	: >"$tmp/long_files"
	: >"$tmp/long_functions"
	[ -s "$1" ] || return
	while read -r f; do
		n=$(wc -l <"$f")
		[ "$n" -le "$2" ] || allowed_long "$f" ||
			echo "$f: $n lines; the limit is $2" >>"$tmp/long_files"
	done <"$1"
	xargs awk -v limit="$3" '
	FNR == 1 { start = 0 }
	/^[A-Za-z].*\(/ { head = $0; sub(/\(.*/, "", head); sub(/.*[ *]/, "", head) }
	/^\{/ { start = FNR }
	/^\}/ && start {
		if (FNR - start - 1 > limit)
			print FILENAME ":" head, FNR - start - 1
		start = 0
	}
	' <"$1" | while read -r where n; do
		allowed_long "$where" ||
			echo "$where(): $n lines; the limit is $3" >>"$tmp/long_functions"
	done
}

check_sizes() {
	find_long "$tmp/product" 400 40
	ratchet "$long_files_left" <"$tmp/long_files"
	ratchet "$long_functions_left" <"$tmp/long_functions"
	find_long "$(without "$tmp/c" '^(lib|drivers|examples)/')" 500 60
	cat "$tmp/long_files" "$tmp/long_functions" >>"$tmp/findings"
}

check_format() {
	format=clang-format-14
	command -v $format >/dev/null 2>&1 || format=clang-format
	need $format "the format of C files" clang-format || return
	while read -r f; do
		"$format" --dry-run -Werror "$f" >/dev/null 2>"$tmp/format" ||
			finding "$(head -n 1 "$tmp/format" | cut -d: -f1,2): clang-format -i would change it"
	done <"$tmp/c"
}

# ---- public interface -------------------------------------------------------------------------

includes() {
	printf '%s\n' -Ilib/include -Idrivers/include
}

# names of the functions that a public header declares: "inline NAME" or "extern NAME"
declared() {
	echo "#include <pagepool/$(basename "$1")>" >"$tmp/decl.c"
	# shellcheck disable=SC2046
	gcc -std=gnu11 $(includes) -fsyntax-only -aux-info "$tmp/aux" "$tmp/decl.c" 2>/dev/null ||
		finding "$1: does not compile alone as C"
	grep -F "/$(basename "$1"):" "$tmp/aux" 2>/dev/null |
		sed -nE 's,^/\* [^ ]*:[NO]([CFI])[CFI]? \*/ (extern|static) .*[ *(]((pp|page_pool)_[a-z0-9_]*) \(.*,\2 \3,p'
}

check_map() {
	map=$1 headers=$2
	[ -f "$map" ] || return 0
	sed -n 's/^[ 	]*\([a-z_0-9]*\);.*/\1/p' "$map" | sort >"$tmp/mapped"
	: >"$tmp/declared"
	for h in $headers; do
		declared "$h" | sed -n 's/^extern //p' >>"$tmp/declared"
	done
	sort -u -o "$tmp/declared" "$tmp/declared"
	[ -s "$tmp/declared" ] || finding "$map: found no declarations in $headers"
	comm -23 "$tmp/mapped" "$tmp/declared" | while read -r name; do
		finding "$map: $name is in no public header"
	done
	comm -13 "$tmp/mapped" "$tmp/declared" | while read -r name; do
		finding "$map: $name is declared in a public header, and missing here"
	done
	grep -vE '^(pp|page_pool)_' "$tmp/mapped" | while read -r name; do
		finding "$map: $name: exported names begin with pp_ or page_pool_"
	done
	grep -q 'local: *\*;' "$map" || tr -d '\n\t ' <"$map" | grep -q 'local:\*;' ||
		finding "$map: local: * is missing"
}

check_docs() {
	while read -r h; do
		declared "$h" | while read -r _ name; do
			grep -qE "^(/\*\*| \*) $name\(\) - " "$h" ||
				finding "$h: $name() has no kernel-doc comment"
		done
	done <"$tmp/public"
}

check_headers() {
	while read -r h; do
		for lang in "c -std=gnu11" "c++ -std=c++17"; do
			{
				echo "#include <pagepool/$(basename "$h")>"
				[ "$(basename "$h")" = page.h ] &&
					echo "struct pp_list l = PP_LIST_INIT;"
			} >"$tmp/alone"
			# shellcheck disable=SC2046,SC2086
			gcc -x $lang $(includes) -Wall -Wextra -Werror -fsyntax-only "$tmp/alone" \
				2>"$tmp/alone.err" ||
				finding "$h: alone with -x $lang: $(grep -m1 error: "$tmp/alone.err")"
		done
	done <"$tmp/public"
}

check_public() {
	need gcc "the public interface" gcc || return
	need g++ "the public interface as C++" g++ || return
	check_headers
	check_map lib/libpagepool.map "$(grep ^lib/ "$tmp/public")"
	check_map drivers/libpagepool-xsk.map drivers/include/pagepool/xsk.h
	check_map drivers/libpagepool-netdev.map drivers/include/pagepool/netdev.h
	check_docs
}

# ---- documents --------------------------------------------------------------------------------

# each block of commands in a guide is run by a test, or says why not
check_guides() {
	[ -f test/docs/guides.py ] || return 0
	need python3 "the guides" python3 || return
	python3 test/docs/guides.py --check >"$tmp/guides" || cat "$tmp/guides" >>"$tmp/findings"
}

# --x in plain text, in man(7), and as mdoc(7) writes it: Fl -x
options_of() {
	sed 's/\\f[A-Z]//g; s/\\//g; s/^\.Fl -/ --/; s/ Fl -/ --/g' "$1" |
		grep -oE -e '(^|[^-A-Za-z0-9])--[a-z][-a-z0-9]*' | sed 's/^[^-]//' | sort -u
}

check_manual() {
	prog=$1
	bin=$build/examples/$prog/$prog
	page=$(grep -E "/$prog\.1(\.in)?$" "$tmp/all" | head -n 1)
	[ -x "$bin" ] || { echo "note: $bin is not built; its options were not compared"; return; }
	[ -n "$page" ] || { finding "$prog: has no man page $prog.1"; return; }
	"$bin" --help >"$tmp/help" 2>&1 || finding "$prog --help: exit status $?"
	options_of "$tmp/help" >"$tmp/help.opts"
	options_of "$page" >"$tmp/page.opts"
	comm -23 "$tmp/help.opts" "$tmp/page.opts" | while read -r o; do
		finding "$page: $o is missing; $prog --help has it"
	done
	comm -13 "$tmp/help.opts" "$tmp/page.opts" | while read -r o; do
		finding "$page: $o is not in $prog --help"
	done
}

check_version() {
	version=$(sed -n "s/^ *version: '\([0-9.]*\)',.*/\1/p" meson.build | head -n 1)
	[ -n "$version" ] || finding "meson.build: no version"
	if [ -f CHANGELOG.md ]; then
		top=$(sed -n 's/^## \[\{0,1\}\([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
		[ "$top" = "$version" ] ||
			finding "CHANGELOG.md: begins with ${top:-no version}, meson.build has $version"
	else
		finding "CHANGELOG.md: missing"
	fi
	for prog in ppfwd ppbench ppstat; do
		[ -x "$build/examples/$prog/$prog" ] || continue
		"$build/examples/$prog/$prog" --version 2>&1 | grep -qF "$version" ||
			finding "$prog --version does not say $version"
	done
}

check_manuals() {
	check_manual ppfwd
	check_manual ppbench
	check_manual ppstat
}

# a policy is a file and a line
check_policies() {
	sed -n 's/^POLICY(\(.*\))$/\1/p' lib/stock/sync/policies.def | sort >"$tmp/listed"
	sed -n 's,^lib/stock/sync/\([a-z0-9_]*\)\.c$,\1,p' "$tmp/all" | sort >"$tmp/there"
	comm -3 "$tmp/listed" "$tmp/there" | tr -d '\t' | while read -r policy; do
		finding "lib/stock/sync/: $policy: a policy is $policy.c and a line of policies.def"
	done
}

# what, arguments, text, then Context, Cost, Return and Source
check_docstrings() {
	need python3 "the comments of public functions" python3 || return
	xargs python3 test/docstrings.py <"$tmp/public" >>"$tmp/findings"
}

# every counter reaches its struct, its readers and its guide
check_counters() {
	need python3 "the counters" python3 || return
	python3 test/counters.py --check >>"$tmp/findings"
}

for name in ${*:-layers floors policies counters words language spdx sizes format public docstrings guides manuals version}; do
	"check_$name"
done

cat "$tmp/findings"
n=$(wc -l <"$tmp/findings")
echo "$(wc -l <"$tmp/all") files, $n findings"
[ "$n" -eq 0 ]
