# SPDX-License-Identifier: BSD-3-Clause
# common.sh - sourced by the tests of the programs: run, check, count
#
# run CMD...        (a minute at most) leaves status in $rc, output in $dir/out and $dir/err
# ok MESSAGE TEST   counts one check; prints and remembers a failure
# soon TEST         until it holds, half a minute at most

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

soon() {
	soon_end=$(($(date +%s) + 30))
	until "$@"; do
		[ "$(date +%s)" -lt "$soon_end" ] || return 1
		sleep 0.02
	done
}

# catches PID SIGNAL: it has a handler for it, and does not die of it any more
catches() {
	mask=$(sed -n 's/^SigCgt:[[:space:]]*........//p' "/proc/$1/status" 2>/dev/null)
	case $2 in
	HUP) [ $((0x${mask:-0} & 1)) -ne 0 ] ;;
	INT) [ $((0x${mask:-0} >> 1 & 1)) -ne 0 ] ;;
	TERM) [ $((0x${mask:-0} >> 14 & 1)) -ne 0 ] ;;
	esac
}

# works PID: its workers had 50 ms of a CPU, however long they waited for one; without any, 500 ms
works() {
	cat "/proc/$1/task/"*/stat 2>/dev/null | awk -v pid="$1" '
		$1 == pid { main = $14 + $15; next }
		{ workers += $14 + $15 }
		END { exit !(workers >= 5 || main >= 50) }'
}

# at_work PID SIGNAL: it is past its start, and can be signalled
at_work() {
	soon catches "$1" "$2" && soon works "$1"
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
	# an option begins a line, or follows another: words of the text may refer to options, too
	"$1" --help | sed -n 's/^  \(--*[a-zA-Z].*\)/ \1/p' | cut -c 1-40 |
		grep -oE -e ' --?[a-zA-Z][-a-z]*' | tr -d ' ' | sort -u >"$dir/help"
	sed -n 's/^\.It Fl //p' "$2" | grep -oE -e '(^| Fl )(\\-)?[a-zA-Z][-a-z]*' |
		sed 's/^ Fl //; s/^\\-/-/; s/^/-/' | sort -u >"$dir/page"
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
