#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# life.sh - what happens to interfaces under ppfwd is told in one line, and the other ports go on
. "$(dirname "$0")/lib.sh"

topology
# a third port, with its far end in a namespace of its own, and a fourth without a peer
C=ppx-$$-c
UNDO='ip netns del "$C" 2>/dev/null'
ip netns add "$C" && ip link add name far netns "$C" type veth peer name north netns "$R" &&
	ip link add name south netns "$R" type veth peer name dull netns "$R" ||
	fail "cannot make more veth pairs"
no_ipv6 "$C"
ip -n "$C" link set far up
for link in north south dull; do ip -n "$R" link set "$link" up; done
# what would be told as the ports open, and is not an event
for end in "$C far" "$R dull"; do
	# shellcheck disable=SC2086 # two words
	set -- $end
	ip netns exec "$1" ethtool -K "$2" tx off txvlan off tx-vlan-stag-hw-insert off >/dev/null
done

told() { # REGEX
	soon grep -Eq "$1" "$TMP/fwd.err" || fail "ppfwd does not say \"$1\""
}

fwd_start --port af_xdp:west --port af_xdp:east --port af_xdp:north --port af_xdp:south
fwd_ping

ip -n "$R" link set south mtu 1400
told '^ppfwd: port af_xdp:south: interface south has MTU 1400 now, not 1500$'
ip -n "$R" link set south down
told '^ppfwd: port af_xdp:south: interface south is down: '
ip -n "$R" link set south up
told '^ppfwd: port af_xdp:south: interface south is up again$'
fwd_ping

# the far end's namespace is deleted, and the interface with it
ip netns del "$C"
told '^ppfwd: port af_xdp:north: interface north is gone, deleted or moved: this port is done$'
fwd_ping
ip -n "$R" link del south
told '^ppfwd: port af_xdp:south: interface south is gone, '
fwd_ping
transfer 16

# both of the others go: nothing is left to wait for, and ppfwd ends by itself
ip -n "$R" link del west
told 'interface west is gone'
kill -0 "$FWD" || fail "ppfwd ended with a port that was still there"
ip -n "$R" link del east
gone "$FWD" || fail "all interfaces are gone, and ppfwd runs on"
wait "$FWD" || fail "ppfwd ended with status $?"
[ "$(wc -l <"$TMP/fwd.err")" = 7 ] || fail "not 7 lines for 7 events"
check_ledger
[ "$(json_numbers link_downs | tr '\n' ' ')" = "1 1 1 2 " ] ||
	fail "link_downs: $(json_numbers link_downs | tr '\n' ' ')"
say "7 events, 7 lines, no page lost"
