#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# rights.sh - with no more capabilities than are needed, and with programs that are not ours
. "$(dirname "$0")/lib.sh"

topology
need setpriv prlimit
readable "$PPFWD" "$AF_XDP_RIGHTS"
as_nobody=$READABLE/$(basename "$PPFWD")
export LD_LIBRARY_PATH="$READABLE"

# $! has to be ppfwd itself: every command on the way becomes the next one
fwd_start_with() { # WAY... -- CAPABILITIES PORT PORT
	way=
	while [ "$1" != -- ]; do way="$way $1"; shift; done
	[ -z "$way" ] || way="$way --"
	caps=$2 one=$3 two=$4
	: >"$TMP/fwd.json"
	chmod 666 "$TMP/fwd.json"
	# shellcheck disable=SC2086 # words
	ip netns exec "$R" $way prlimit --memlock=8388608 setpriv --reuid=65534 --regid=65534 \
		--clear-groups --bounding-set="-all$caps" --inh-caps="-all$caps" \
		--ambient-caps="-all$caps" "$as_nobody" --json "$TMP/fwd.json" --pages 512 \
		--port "$one" --port "$two" >"$TMP/fwd.out" 2>"$TMP/fwd.err" &
	FWD=$!
}

fwd_start_with -- ,+net_raw,+net_admin,+bpf af_xdp:west af_xdp:east
fwd_ping
fwd_stop
say "CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF are enough"

# without the right to know a program's name, a port waits for it too
for round in $(seq 10); do
	fwd_start_with -- ,+net_raw,+net_admin,+bpf af_xdp:west af_xdp:east
	connected || fail "round $round: no ping after kill -9 and restart without CAP_SYS_ADMIN"
	kill -KILL "$FWD"
done
gone "$FWD"
no_program_soon
say "10 restarts after kill -9 with no more than those"

fwd_start_with "$XDP_HOLD" exec west east -- ,+net_raw af_xdp:west,prog=none,map=20 \
	af_xdp:east,map=21
fwd_ping
transfer 8
fwd_stop
say "CAP_NET_RAW is enough with the map of a program that is there"

refused() { # REGEX CAPABILITIES SPEC [WAY...]
	want=$1 caps=$2 spec=$3
	shift 3
	expect_error "$want" ip netns exec "$R" "$@" prlimit --memlock="${memlock:-8388608}" \
		setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set="-all$caps" \
		--inh-caps="-all$caps" --ambient-caps="-all$caps" "$as_nobody" --pages 512 --port "$spec"
}

# without one of them, one line that names those missing, and no other
refused 'no permission to .* add CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF$' '' af_xdp:west
refused 'no permission to .* add CAP_NET_RAW and CAP_BPF$' ,+net_admin af_xdp:west
refused 'no permission to .* add CAP_BPF$' ,+net_raw,+net_admin af_xdp:west
refused 'no permission to .* add CAP_NET_ADMIN$' ,+net_raw,+bpf af_xdp:west
refused 'no permission to .* add CAP_NET_RAW$' ,+net_admin,+bpf af_xdp:west
refused 'no permission to .* add CAP_NET_RAW$' ,+net_admin,+sys_admin af_xdp:west
refused 'no permission to open an AF_XDP socket for west; .* add CAP_NET_RAW$' '' \
	af_xdp:west,map=20 "$XDP_HOLD" exec west east --
refused 'no AF_XDP socket' '' af_xdp:west,socket=0
refused 'map=/nowhere of west: No such file' ,+net_raw,+bpf af_xdp:west,map=/nowhere
refused 'map=1 is no XSKMAP' ,+net_raw,+bpf af_xdp:west,map=1
memlock=65536
refused 'not allowed to lock 2048 KiB.*ulimit -l.*CAP_IPC_LOCK' ,+net_raw,+net_admin,+bpf af_xdp:west
memlock=8388608
expect_error 'no permission to .*, with the capabilities for it; .*user namespaces' \
	ip netns exec "$R" unshare --user --map-root-user "$as_nobody" --port af_xdp:west
no_program

# no capability at all: a bound socket, and memory as a memfd
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
in_r timeout 60 "$READABLE/$(basename "$AF_XDP_RIGHTS")" parent px0 px1 || fail "af_xdp_rights: status $?"

# programs that are not ours
if [ -n "${REDIRECT:-}" ]; then
	fwd_start --port "af_xdp:west,prog=$REDIRECT" --port "af_xdp:east,prog=$REDIRECT"
	fwd_ping
	ip -n "$R" -d link show dev west | grep -q 'name redirect' || fail "not the program given"
	fwd_stop
	expect_error 'cannot read the XDP program in /dev/null' ip netns exec "$R" "$PPFWD" --port af_xdp:west,prog=/dev/null
	expect_error 'no map of type .* named xsks_map' ip netns exec "$R" "$PPFWD" --port "af_xdp:west,prog=$OTHER_MAP"
	say "a program of the user's own"
else
	fail "clang is missing, with which the test's XDP program is compiled; sh test/deps.sh test installs it"
fi
expect_error 'prog=none needs map' ip netns exec "$R" "$PPFWD" --port af_xdp:west,prog=none

mkdir "$TMP/bpf" && mount -t bpf bpf "$TMP/bpf" || fail "cannot mount a bpffs"
UNDO='umount "$TMP/bpf"'
held "$R" pin west "$TMP/bpf/west"
fwd_start --port "af_xdp:west,map=$TMP/bpf/west" --port af_xdp:east
fwd_ping
kill -TERM "$FWD"
wait "$FWD" || fail "ppfwd ended with status $?"
check_ledger
ip -n "$R" link show dev west | grep -q xdp || fail "the other program is gone"
release
no_program
say "a map by its path"
