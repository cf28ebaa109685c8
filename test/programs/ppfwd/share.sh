#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# share.sh SHARE - the example of a shared zone: the creator is killed, and the others go on
share=$1
dir=$(mktemp -d) || exit 1
pids=
trap 'for p in $pids; do kill -KILL "$p" 2>/dev/null; done; rm -rf "$dir"' EXIT

fail() {
	echo "share: FAILED: $*" >&2
	cat "$dir"/* >&2
	exit 1
}

start() { # NAME ARGUMENT...
	name=$1
	shift
	"$share" "$@" >"$dir/$name" 2>"$dir/$name.err" &
	pid=$!
	pids="$pids $pid"
	until [ -s "$dir/$name" ]; do
		kill -0 "$pid" 2>/dev/null || fail "$name ended"
		sleep 0.02
	done
}

"$share" null >"$dir/usage" 2>&1
[ $? = 2 ] || fail "no usage"
"$share" --attach $$ null null >"$dir/none" 2>&1
[ $? = 1 ] && grep -q "shares no zone" "$dir/none" || fail "attached to a shell"
start one null null
one=$pid
start two --attach "$one" null null
two=$pid
grep -q ': 2 on the zone' "$dir/two" || fail "two are not two"
kill -KILL "$one"
wait "$one" 2>/dev/null
start three --attach "$two" null null
kill -INT "$two"
wait "$two" || fail "two: exit status $?"
kill -TERM "$pid"
wait "$pid" || fail "three: exit status $?"
grep -q '^0 pages with processes, 0 here$' "$dir/three" || fail "pages are lost"
