#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# rights.sh - with no more capabilities than are needed; and with less, which it names
. "$(dirname "$0")/lib.sh"

topology
command -v setpriv >/dev/null || fail "setpriv is missing; sh test/deps.sh test installs it"
readable "$XDP_APP"
as_nobody=$READABLE/$(basename "$XDP_APP")
export LD_LIBRARY_PATH="$READABLE"

with() { # CAPABILITIES
	nsenter --net="/var/run/netns/$S" timeout 20 prlimit --memlock=8388608 setpriv \
		--reuid=65534 --regid=65534 --clear-groups --bounding-set="-all$1" \
		--inh-caps="-all$1" --ambient-caps="-all$1" \
		"$as_nobody" --queues 1 --pages 2048 --duration 1 server \
		>"$TMP/with.out" 2>"$TMP/with.err"
}

refused() { # REGEX CAPABILITIES
	with "$2" && fail "starts with no more than '$2'"
	[ "$(wc -l <"$TMP/with.err")" = 1 ] || fail "not one line with '$2'"
	grep -Eq "^xdp_app: no permission to .* for server; $1" "$TMP/with.err" ||
		fail "with '$2': not '$1'"
	say "ok: $(cat "$TMP/with.err")"
}

add='run as root, or add'
with ,+net_raw,+net_admin,+bpf || fail "the three are not enough"
say "CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF are enough"
refused "$add CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF\$" ''
refused "$add CAP_NET_ADMIN and CAP_BPF\$" ,+net_raw
refused "$add CAP_NET_RAW and CAP_BPF\$" ,+net_admin
refused "$add CAP_NET_RAW\$" ,+net_admin,+bpf
refused "$add CAP_NET_RAW\$" ,+net_admin,+sys_admin
refused "$add CAP_NET_ADMIN\$" ,+net_raw,+bpf
refused "$add CAP_BPF\$" ,+net_raw,+net_admin
in_s unshare --user --map-root-user "$as_nobody" --duration 1 server >"$TMP/with.out" 2>"$TMP/with.err" &&
	fail "starts in a user namespace without rights to its network namespace"
grep -Eq 'no permission to .* for server, with the capabilities for it; .*user namespaces' "$TMP/with.err" ||
	fail "not the line about user namespaces"
no_program
