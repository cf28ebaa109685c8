#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Let spin explore every interleaving of a model, and compare with what is expected.
#
# usage: run.sh MODEL.pml ok|violated [-DVARIANT ...] [ltl=NAME]
#
# "ok" holds only if the whole state space was searched. With ltl= the named formula is
# checked under weak fairness, otherwise assertions and deadlocks.
set -u

if [ $# -lt 2 ]; then
	echo "usage: run.sh MODEL.pml ok|violated [-DVARIANT ...] [ltl=NAME]" >&2
	exit 2
fi
model=$(realpath "$1") expect=$2
shift 2
if ! command -v spin >/dev/null; then
	echo "skipped: spin is not installed; apt-get install spin"
	exit 77
fi

name=$(basename "$model") defs='' ltl=''
for arg; do
	case $arg in
	ltl=*) ltl=${arg#ltl=} ;;
	*) defs="$defs $arg" ;;
	esac
done
safety=-DSAFETY search=
[ -z "$ltl" ] || { safety='-DNFAIR=4' search="-a -f -N $ltl"; }

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
# shellcheck disable=SC2086 # lists of words
if ! spin $defs -a "$model" >spin.log 2>&1 || ! [ -f pan.c ] ||
	! ${CC:-cc} -O1 -w $safety -DMEMLIM=1024 -o pan pan.c >cc.log 2>&1; then
	cat spin.log cc.log 2>/dev/null
	echo "$name: spin could not turn the model into a checker"
	exit 1
fi
# shellcheck disable=SC2086
timeout 60 ./pan -m1000000 -w20 $search >pan.log 2>&1 || [ $? -lt 124 ] || {
	echo "$name$defs: not finished after 60 s"
	exit 1
}

errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.log)
states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
why=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' pan.log | head -1)
case $errors in
0) found=ok ;;
[1-9]*) found=violated ;;
*) found='no verdict' ;;
esac
if grep -Eq 'max search depth|not complete|out of memory|hash table size' pan.log &&
	[ "$found" = ok ]; then
	found='search not exhaustive'
fi
echo "$name$defs${ltl:+ ltl $ltl}: $found, $states states${why:+, $why}"
[ "$found" = "$expect" ] && exit 0
echo "expected: $expect"
cat pan.log
[ "$found" != violated ] || ./pan -r -n 2>&1 | tail -60
exit 1
