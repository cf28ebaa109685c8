#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# records.sh - what a killed port left is for its own interface, in its own namespace
. "$(dirname "$0")/lib.sh"

require_af_xdp
need ethtool "$PPFWD"
make_namespaces

queues() { # the interface is new, and has 4 queues of the 8 that it could have
	ip -n "$R" link add name west index 70 numrxqueues 8 numtxqueues 8 type veth \
		peer name far index 71 numrxqueues 8 numtxqueues 8 || fail "cannot make the veth pair"
	in_r ethtool -L west rx 4 tx 4 && ip -n "$R" link set west up && ip -n "$R" link set far up ||
		fail "cannot set the channels of west"
}
channels() {
	in_r ethtool -l west | awk '/^Current/ { c = 1 } c && /^RX:/ { print $2 }'
}
has_channels() {
	[ "$(channels)" = "$1" ]
}
inode() {
	in_r stat -L -c %i /proc/self/ns/net
}
records() { # of all namespaces with that inode
	find /run/pagepool -name "spread-$inode.*" 2>/dev/null | sort
}
kill_one() { # that set 2 channels, where there were 4
	fwd_start --port af_xdp:west,channels=2
	soon has_channels 2 || fail "channels: $(channels), not 2"
	kill -KILL "$FWD"
	wait "$FWD" 2>/dev/null
	[ "$(records | wc -l)" = 1 ] || fail "no record after a kill, or several: $(records)"
	record=$(records)
}
plain() { # a port without a request of its own
	in_r "$PPFWD" --port af_xdp:west --duration 0.01 >/dev/null || fail "a port without options: status $?"
}

# the interface itself: also under another name
inode=$(inode)
queues
kill_one
ip -n "$R" link set west down && ip -n "$R" link set west name tmp && ip -n "$R" link set tmp address 02:00:00:00:00:07 &&
	ip -n "$R" link set tmp name west && ip -n "$R" link set west up || fail "cannot rename west"
plain
[ "$(channels) $(records)" = "4 " ] || fail "the interface itself has $(channels) channels, not 4; $(records)"
say "restored on the interface itself"

# another interface with the same number, which has 2 channels of its own
kill_one
ip -n "$R" link del west
queues
in_r ethtool -L west rx 2 tx 2
plain
[ "$(channels) $(records)" = "2 " ] || fail "another interface got $(channels) channels, and not its 2; $(records)"
in_r ethtool -L west rx 4 tx 4
say "left alone on another interface with its number"

# another namespace with the same inode
again() {
	ip netns del "$R" && ip netns add "$R" || fail "cannot make the namespace anew"
	[ "$(inode)" = "$inode" ]
}
sweep() { # a port that makes a record looks for those of namespaces that are gone
	in_a "$PPFWD" --port af_xdp:lo,channels=1 --duration 0.01 2>/dev/null
	[ ! -e "$record" ]
}
ip -n "$A" link set lo up
kill_one
UNDO='rm -f "$record"'
sweep && fail "a record of a namespace that is there was removed"
soon again || skip "the kernel does not give an inode again"
queues
in_r ethtool -L west rx 2 tx 2
plain
has_channels 2 || fail "another namespace got $(channels) channels, and not its 2"
say "left alone in another namespace with its inode"

case $(uname -r) in
[1-5].* | 6.[0-9].* | 6.1[0-7].*) say "this kernel does not tell which namespaces are gone (Linux 6.18)" ;;
*)
	soon sweep || fail "the record of a namespace that is gone stays: $record"
	say "removed once the namespace is gone"
	;;
esac
