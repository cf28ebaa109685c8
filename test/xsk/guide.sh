#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# guide.sh - the guide's program before and after: fewer than 50 lines differ, both reflect
# packets, and afterwards every frame is home
#
# Also steps 1 and 2 of doc/tutorial-xdp.md; step 3 is the program after. Run by meson, which sets
# BEFORE, AFTER, STEP1 and STEP2. As root: two namespaces and a veth pair.
set -u

here=$(dirname "$0")
examples=$here/../../examples/xsk
app=pxk-$$-a
peer=pxk-$$-p
tmp=
pid=

fail() {
	echo "guide: FAILED: $*" >&2
	[ -z "$tmp" ] || cat "$tmp"/* >&2
	exit 1
}

cleanup() {
	status=$?
	trap - EXIT
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	for ns in "$app" "$peer"; do
		[ ! -e "/var/run/netns/$ns" ] || ip netns del "$ns"
	done
	[ -z "$tmp" ] || rm -rf "$tmp"
	exit "$status"
}

rows=$(diff -y -W 240 --suppress-common-lines "$examples/before.c" "$examples/after.c" | wc -l)
gone=$(diff "$examples/before.c" "$examples/after.c" | grep -c '^<')
new=$(diff "$examples/before.c" "$examples/after.c" | grep -c '^>')
echo "guide: $rows lines changed: $gone gone, $new new"
[ "$rows" -gt 0 ] && [ "$rows" -lt 50 ] || fail "$rows lines differ; fewer than 50 were promised"

# what the guide quotes is what is there
quotes() { # FILE
	awk -v mark="<!-- $1 -->" '$0 == mark { wanted = 1; next }
		/^```/ { on = wanted; wanted = 0; next }
		on' "$here/../../doc/xdp.md"
}
check_quotes() { # FILE LINES
	[ "$(quotes "$1" | wc -l)" -ge "$2" ] || fail "doc/xdp.md does not quote $1"
	quotes "$1" | while IFS= read -r line; do
		grep -qxF -e "$line" "$here/../../$1" || echo "$line"
	done | grep . && fail "doc/xdp.md quotes lines that are not in $1"
}
check_quotes examples/xsk/after.c 20
check_quotes test/xsk/rings_chunk_tx.c 9

if [ "$(id -u)" != 0 ]; then
	echo "SKIP: the programs were not run: needs root, for namespaces and AF_XDP"
	exit 77
fi
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
tmp=$(mktemp -d "${TMPDIR:-/tmp}/pxk.XXXXXX") || exit 1
ip netns add "$app" && ip netns add "$peer" &&
	ip link add name va netns "$app" type veth peer name vp netns "$peer" &&
	ip -n "$app" link set va up && ip -n "$peer" link set vp up || fail "cannot make a veth pair"
for ns in "$app" "$peer"; do
	ip netns exec "$ns" sh -c 'f=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $f ] || echo 1 >$f'
done

# what a program reflects of 20000 frames, sent no faster than they come back
ping_pong() {
	ip netns exec "$peer" timeout 60 python3 - <<'PY'
import socket, sys, time

s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
s.bind(('vp', 0))
s.settimeout(0.2)
out, back = bytes(range(2, 14)), bytes(range(8, 14)) + bytes(range(2, 8))
got = sent = 0
end = time.time() + 30
while got < 20000 and time.time() < end:
    for _ in range(32):
        s.send(out + b'\x88\xb5' + b'%050d' % sent)
        sent += 1
    seen = 0
    try:
        while seen < 32:
            frame, at = s.recvfrom(2048)
            if at[2] != socket.PACKET_OUTGOING:
                seen += frame[:12] == back
    except TimeoutError:
        pass
    got += seen
print(got)
sys.exit(0 if got >= 20000 else 1)
PY
}

# PROGRAM: its report in $received, $home
reflects() {
	# not through ip netns exec, because its /sys has no bpffs; $! has to be the program itself
	nsenter --net="/var/run/netns/$app" "$1" va 0 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	ping_pong >"$tmp/back" || fail "$1: reflected $(cat "$tmp/back") of 20000 frames"
	kill -TERM "$pid"
	wait "$pid" || fail "$1: exit status $?"
	pid=
	grep -Eq '^[0-9]+ received, [0-9]+ sent(, [0-9]+ of 4096 frames home)?$' "$tmp/out" ||
		fail "$1: no report"
	received=$(sed 's/ received.*//' "$tmp/out")
	home=$(sed 's/.* sent, //; s/ of .*//' "$tmp/out")
	[ "$received" -ge 20000 ] || fail "$1: received $received"
	echo "guide: $(basename "$1"): $(cat "$tmp/out")"
}

reflects "$BEFORE"
[ "$home" -lt 4096 ] || fail "before: has lost no frame, and the guide says that it does"
if [ -n "${STEP1-}" ]; then
	reflects "$STEP1"
	[ "$home" -lt 4096 ] || fail "step 1: has lost no frame, and the tutorial says that it does"
	reflects "$STEP2"
else
	echo "guide: not run: the tutorial's steps; patch is not installed"
fi
reflects "$AFTER"
[ "$home" -eq 4096 ] || fail "after: $home of 4096 frames are home"
