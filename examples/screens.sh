#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# screens.sh - run ppstat in a terminal (tmux) and put what it shows into doc/ppstat.md
#
#   screens.sh [BUILD]    the build directory (build), in which ppfwd and ppstat are
#
# A block of doc/ppstat.md after the line "<!-- screen: NAME -->" is replaced by screen NAME.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
doc=doc/ppstat.md
tmp=$(mktemp -d) || exit 1
session=ppscreens$$
fwd=

die() {
	echo "screens: $*" >&2
	exit 1
}

end() {
	tmux -L "$session" kill-server 2>/dev/null
	[ -z "$fwd" ] || kill "$fwd" 2>/dev/null
	rm -rf "$tmp"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

command -v tmux >/dev/null || die "tmux is not installed: apt-get install tmux"
for prog in ppfwd ppstat; do
	[ -x "$build/examples/$prog/$prog" ] || die "$build has no $prog: meson compile -C $build"
	PATH=$PWD/$build/examples/$prog:$PATH
done
[ "$(nproc)" -gt 1 ] || die "two CPUs are needed, of which one is idle in the pictures"

# screen NAME SECONDS COMMAND: what it shows after so long
screen() {
	tmux -L "$session" new-session -d -x 80 -y 30 "$3; sleep 60" || die "tmux does not start"
	sleep "$2"
	tmux -L "$session" capture-pane -p >"$tmp/raw" || die "tmux has no picture of $1"
	tmux -L "$session" kill-server
	# a screen ends with empty lines
	sed -e :a -e '/^\n*$/{$d;N;ba' -e '}' "$tmp/raw" >"$tmp/$1.screen"
	grep -q '^ppstat\|^zone\|^ ' "$tmp/$1.screen" || die "$1: the screen is empty"
}

ppfwd --engine flowgen --packets 5000 --port "pcap:tx=$tmp/in.pcap" >/dev/null ||
	die "ppfwd cannot write a file"
cd "$tmp" || exit 1
ppfwd --cores 0-1 --trace --port null --port null --port pcap:rx=in.pcap --port pcap:tx=out.pcap \
	--control s --duration 60 >/dev/null &
fwd=$!
sleep 1
screen watch 3.5 "ppstat s --watch 1"
screen drain 1 "ppstat drain s --zone ppfwd --core 1; ppstat s | tail -n +3"
screen disable 2 "ppstat disable s --lease 10; ppstat s --watch 0.5"
kill "$fwd"
wait "$fwd"
fwd=
cd - >/dev/null || exit 1

awk -v tmp="$tmp" '
/^<!-- screen: / { print; file = tmp "/" $3 ".screen"; next }
file && /^```/ { print; while ((getline line < file) > 0) print line; skip = 1; file = ""; next }
skip && /^```/ { skip = 0 }
!skip' "$doc" >"$tmp/doc" && [ -s "$tmp/doc" ] || die "$doc cannot be read"
cat "$tmp/doc" >"$doc"
grep -c '^<!-- screen: ' "$doc" | sed "s,\$, screens in $doc,"
