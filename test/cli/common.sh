# SPDX-License-Identifier: BSD-3-Clause
# common.sh - sourced by the tests of the programs: run, check, count
#
# run CMD...        (a minute at most) leaves status in $rc, output in $dir/out and $dir/err
# ok MESSAGE TEST   counts one check; prints and remembers a failure

dir=$(mktemp -d "${TMPDIR:-/tmp}/ppcli.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
checks=0
failed=0

run() {
	timeout -k 5 60 "$@" >"$dir/out" 2>"$dir/err"
	rc=$?
}

ok() {
	what=$1
	shift
	checks=$((checks + 1))
	if "$@"; then
		return 0
	fi
	failed=$((failed + 1))
	echo "FAIL: $what"
	echo "  status $rc"
	sed 's/^/  stdout: /' "$dir/out" | head -n 20
	sed 's/^/  stderr: /' "$dir/err" | head -n 20
}

lines() {
	wc -l <"$1" | tr -d ' '
}

# the run was clean: status 0, nothing on stderr, every page home
clean() {
	[ "$rc" -eq 0 ] && [ ! -s "$dir/err" ] && grep -q ' 0 leaked, 0 freed twice$' "$dir/out"
}

# refused STATUS WORD: the last run failed with STATUS, one line that has WORD, and no output
refused() {
	[ "$rc" -eq "$1" ] && [ ! -s "$dir/out" ] && [ "$(lines "$dir/err")" -eq 1 ] &&
		grep -q '^ppfwd: ..*: ..*' "$dir/err" && grep -qF -e "$2" "$dir/err"
}

# man_options PROGRAM PAGE MIN: the page has the options of --help and no others, at least MIN
man_options() {
	"$1" --help | grep -o -- '--[a-z-]*' | sort -u >"$dir/help"
	sed -n 's/^\.It Fl \\-\([a-z-]*\).*/--\1/p' "$2" | sort -u >"$dir/page"
	run diff "$dir/help" "$dir/page"
	ok "the same options in --help and man page" [ "$rc" -eq 0 ]
	ok "there are options" [ "$(lines "$dir/page")" -ge "$3" ]
}

# man_lint PAGE: whether pages that it refers to are installed says nothing about this one
man_lint() {
	if ! command -v mandoc >/dev/null; then
		echo "not run: mandoc -T lint; mandoc is not installed"
		return
	fi
	mandoc -T lint "$1" 2>&1 | grep -vE 'mandoc.db|referenced manual not found' >"$dir/out"
	ok "mandoc -T lint" [ ! -s "$dir/out" ]
}

skip() {
	echo "SKIP: $1"
	exit 77
}

finish() {
	echo "$checks checks, $failed failed"
	[ "$failed" -eq 0 ] && [ "$checks" -gt 0 ]
	exit
}
