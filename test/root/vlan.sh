#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# vlan.sh - tags that the far end leaves to a device: lost and told, or kept with offloads=fix
. "$(dirname "$0")/lib.sh"

topology
need tcpdump ethtool tc
[ -n "${VLAN-}" ] || skip "needs clang, for the programs that stand in for a VLAN device"
defaults() { # as a veth is made
	for end in "$A va" "$B vb"; do
		# shellcheck disable=SC2086 # two words
		set -- $end
		ip netns exec "$1" ethtool -K "$2" tx on txvlan on tx-vlan-stag-hw-insert on >/dev/null ||
			fail "cannot set $2's offloads"
	done
}
features() { # of all four ends
	for end in "$A va" "$B vb" "$R west" "$R east"; do
		# shellcheck disable=SC2086 # two words
		set -- $end
		ip netns exec "$1" ethtool -k "$2" || fail "ethtool -k $2"
	done
}
vlan() { # SECTION of vlan.bpf.c: A and B send with the tags of this program, and drop what arrives without
	section=$1
	for end in "$A va" "$B vb"; do
		# shellcheck disable=SC2086 # two words
		set -- $end "$section"
		tc -n "$1" qdisc replace dev "$2" clsact && ip netns exec "$1" sh -c \
			"tc filter replace dev $2 egress prio 1 handle 1 bpf da obj $VLAN sec $3 &&
			 tc filter replace dev $2 ingress prio 1 handle 1 bpf da obj $VLAN sec pop" ||
			fail "cannot load the programs that stand in for a VLAN device"
	done
}
no_vlan() {
	tc -n "$A" qdisc del dev va clsact
	tc -n "$B" qdisc del dev vb clsact
}

has_lines() { # REGEX N
	[ "$(grep -Ec "$1" "$TMP/fwd.err")" = "$2" ]
}
lines() { # REGEX N: as many lines of ppfwd's stderr match
	soon has_lines "$@" || fail "not $2 lines \"$1\""
}
same_features() { # WHEN: the offloads are as at the beginning
	features >"$TMP/after"
	cmp -s "$TMP/before" "$TMP/after" || fail "$1: offloads are not as before: $(diff "$TMP/before" "$TMP/after")"
}
lost() { # no tag comes through, of three pings
	! in_a ping -q -c 3 -i 0.1 -W 2 "$ADDR_B" >/dev/null 2>&1
}
ping_once() {
	in_a ping -q -c 1 -W 1 "$ADDR_B" >/dev/null 2>&1
}

# without it: one line for each port, and what the line says is so
defaults
features >"$TMP/before"
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
vlan push_q
lost || fail "a tag passes without offloads=fix: this test shows nothing"
no_vlan
lines '^ppfwd: port af_xdp:west: VLAN tags.* va, the other end of west,.* are lost; on that end: ethtool -K va txvlan off.*offloads=fix$' 1
lines '^ppfwd: port af_xdp:east: VLAN tags.* vb, the other end of east,' 1
fwd_stop
[ "$(wc -l <"$TMP/fwd.err")" = 2 ] || fail "not one line a port"
grep -q 'va needs txvlan off' "$TMP/fwd.json" || fail "the report does not say it"
say "told: $(head -n 1 "$TMP/fwd.err")"

# what it names, done by hand, works, and nothing is said any more
command=$(sed -n 's/.*on that end: \(ethtool -K va .* off\), or.*/\1/p' "$TMP/fwd.err")
in_a sh -c "$command" >/dev/null || fail "the command does not work: $command"
in_b sh -c "$(echo "$command" | sed 's/ va / vb /')" >/dev/null || fail "nor on vb: $command"
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
vlan push_q
soon ping_once || fail "no ping in the VLAN after: $command"
no_vlan
fwd_stop
[ ! -s "$TMP/fwd.err" ] || fail "it complains: $(cat "$TMP/fwd.err")"
defaults

# tcpdump gets packets by the block, some time after B does, and prints none after its signal
ping_seen() { # TCPDUMP-REGEX
	ping_once && grep -Eq "$1.*echo request" "$TMP/seen"
}
tagged() { # SECTION TCPDUMP-REGEX: its pings pass, tagged so, as B gets them
	vlan "$1"
	ip netns exec "$B" tcpdump -i vb -Q in -e -nn -l >"$TMP/seen" 2>"$TMP/tcpdump" &
	dump=$!
	until grep -q listening "$TMP/tcpdump" 2>/dev/null; do
		kill -0 "$dump" 2>/dev/null || fail "tcpdump: $(cat "$TMP/tcpdump")"
		sleep 0.05
	done
	soon ping_once || fail "$mode, $1: no ping"
	# what checksums and segments left to a device would stall; two tags are beyond veth's MTU
	[ "$1" = push_both ] || transfer 1
	soon ping_seen "$2" || fail "$mode, $1: not \"$2\": $(head "$TMP/seen")"
	kill -INT "$dump"
	wait "$dump"
	no_vlan
}
all_tags() { # MODE OPTIONS: they pass through ports with these, which leave the offloads as they were
	mode=$1
	fwd_start --port "af_xdp:west,$2" --port "af_xdp:east,$2"
	fwd_ping
	tagged push_q '802.1Q \(0x8100\).*vlan 100'
	tagged push_ad '802.1Q-QinQ \(0x88a8\).*vlan 300'
	tagged push_both 'vlan 300.*vlan 7'
	fwd_stop
	[ ! -s "$TMP/fwd.err" ] || fail "$mode: it complains: $(cat "$TMP/fwd.err")"
	same_features "$mode"
	say "$mode: VLAN, S-VLAN and both pass tagged; the offloads are as before"
}
for mode in native skb; do
	all_tags "$mode" "offloads=fix,mode=$mode"
done
# the offloads stay as they are, and the port puts the tag back
all_tags insert vlan=insert,tx_csum=sw

# killed: the next start knows, and restores, also without offloads=fix
for next in ,offloads=fix ''; do
	fwd_start --port af_xdp:west,offloads=fix --port af_xdp:east,offloads=fix
	fwd_ping
	kill -KILL "$FWD"
	wait "$FWD" 2>/dev/null
	no_program_soon
	features >"$TMP/after"
	cmp -s "$TMP/before" "$TMP/after" && fail "a kill restores offloads: this test shows nothing"
	fwd_start --port "af_xdp:west$next" --port "af_xdp:east$next"
	fwd_ping
	fwd_stop
	same_features "after a kill and a start with '$next'"
done
[ -z "$(find /run/pagepool -name 'offloads-*' 2>/dev/null)" ] || fail "a record was left behind"
say "restored after kill -9"
expect_error 'offloads=maybe is not one of keep, fix' ip netns exec "$R" "$PPFWD" --port af_xdp:west,offloads=maybe

promiscuity() {
	ip -n "$R" -d link show "$1" | sed -n 's/.*promiscuity \([0-9]*\).*/\1/p'
}
promiscuity_is() { # LINK N
	[ "$(promiscuity "$1")" = "$2" ]
}
wait_promisc() { # LINK N
	soon promiscuity_is "$@" || fail "promiscuity of $1 is $(promiscuity "$1"), not $2"
}
wait_promisc west 0 # without ppfwd
fwd_start --port af_xdp:west --port af_xdp:east,promisc=off
fwd_ping
wait_promisc west 1
wait_promisc east 0
fwd_stop
wait_promisc west 0
fwd_start --port af_xdp:west,promisc=on --port af_xdp:east
fwd_ping
wait_promisc east 1
kill -KILL "$FWD"
wait "$FWD" 2>/dev/null
wait_promisc west 0
wait_promisc east 0
expect_error 'promisc=maybe is not one of off, on' ip netns exec "$R" "$PPFWD" --port af_xdp:west,promisc=maybe
say "promiscuous while it runs, by default, and not after kill -9"
