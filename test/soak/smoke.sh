#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# smoke.sh BUILD - a short soak passes, one that is ended early leaves nothing, a failure is shown
build=$1
tmp=$(mktemp -d /tmp/ppk-smoke-XXXXXX) || exit 1
soak=
trap '[ -z "$soak" ] || kill "$soak" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
here=$(dirname "$0")

fail() {
	echo "smoke: FAILED: $*"
	sed 's/^/  /' "$tmp/page" "$tmp/said" 2>/dev/null
	exit 1
}

[ "$(id -u)" = 0 ] || {
	echo "SKIP: needs root, for network namespaces and AF_XDP"
	exit 77
}
sh "$here/../soak.sh" "${PP_SOAK_HOURS:-0.003}" --result "$tmp/page" --build-dir "$build" \
	>"$tmp/said" 2>&1 || fail "a round failed"
for part in pft life depot af_xdp; do
	grep -Eq "^\| $part: .* \| [1-9][0-9]* \| [0-9,]+ \| 0 \|" "$tmp/page" || fail "no round of $part"
done

sh "$here/../soak.sh" 1 --result "$tmp/page" --build-dir "$build" >"$tmp/said" 2>&1 &
soak=$!
until grep -q 'until' "$tmp/said"; do kill -0 "$soak" || fail "does not start"; done
sleep 0.5
kill -TERM "$soak"
wait "$soak"
[ $? -le 1 ] || fail "SIGTERM ends it without its page"
soak=
grep -q '^| end: .* | 1 | 0 | 0 |' "$tmp/page" || fail "something is left after SIGTERM"

# a page about a round that failed says so, and so does its exit status
printf 'name: value\n' >"$tmp/about.txt"
printf 'life\t10\t20\t0\t5\t0\t0\t0\t\naf_xdp\t20\t30\t1\t7\t2\t3\t1\tpages leaked: 3\n' \
	>"$tmp/rounds.tsv"
python3 "$here/page.py" "$tmp" >"$tmp/page" && fail "a failure is no failure"
grep -q '^| af_xdp: .* | 1 | 10 | 1 | 7 | 2 | 3 | 1 |$' "$tmp/page" || fail "figures are wrong"
grep -q '^\* af_xdp, 10 s after the start, status 1: pages leaked: 3$' "$tmp/page" ||
	fail "the failure is not told"

# the reason is that of the round itself, whatever the one before left
: >"$tmp/rounds.tsv"
# shellcheck disable=SC2016
SOAK_DIR=$tmp SOAK_END=0 sh -c '. "$(dirname "$0")/lib.sh"
	seq 500 >"$TMP/fwd.out"
	round life fail "its own reason"' "$here/lane" 2>/dev/null
grep -q "lane: FAILED: its own reason;$" "$tmp/rounds.tsv" ||
	fail "the reason of a round: $(cut -c-200 "$tmp/rounds.tsv")"
echo "smoke: ok"
