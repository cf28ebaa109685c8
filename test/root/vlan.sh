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

lines() { # REGEX N: as many lines of ppfwd's stderr match, within 3 s
	tries=60
	until [ "$(grep -Ec "$1" "$TMP/fwd.err")" = "$2" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "not $2 lines \"$1\""
		sleep 0.05
	done
}
pings() {
	in_a ping -q -c 3 -i 0.1 -W 2 "$ADDR_B" >/dev/null 2>&1
}

# without it: one line for each port, and what the line says is so
defaults
features >"$TMP/before"
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
vlan push_q
pings && fail "a tag passes without offloads=fix: this test shows nothing"
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
pings || fail "no ping in the VLAN after: $command"
no_vlan
fwd_stop
[ ! -s "$TMP/fwd.err" ] || fail "it complains: $(cat "$TMP/fwd.err")"
defaults

tagged() { # SECTION TCPDUMP-REGEX: its pings pass, tagged so, as B gets them
	vlan "$1"
	ip netns exec "$B" tcpdump -i vb -Q in -e -nn -l >"$TMP/seen" 2>"$TMP/tcpdump" &
	dump=$!
	until grep -q listening "$TMP/tcpdump" 2>/dev/null; do
		kill -0 "$dump" 2>/dev/null || fail "tcpdump: $(cat "$TMP/tcpdump")"
		sleep 0.05
	done
	pings || fail "$mode, $1: no ping"
	# what checksums and segments left to a device would stall; two tags are beyond veth's MTU
	[ "$1" = push_both ] || transfer 1
	kill -INT "$dump"
	wait "$dump"
	grep -Eq "$2.*echo request" "$TMP/seen" || fail "$mode, $1: not \"$2\": $(head "$TMP/seen")"
	no_vlan
}
for mode in native skb; do
	fwd_start --port "af_xdp:west,offloads=fix,mode=$mode" --port "af_xdp:east,offloads=fix,mode=$mode"
	fwd_ping
	tagged push_q '802.1Q \(0x8100\).*vlan 100'
	tagged push_ad '802.1Q-QinQ \(0x88a8\).*vlan 300'
	tagged push_both 'vlan 300.*vlan 7'
	fwd_stop
	[ ! -s "$TMP/fwd.err" ] || fail "$mode: it complains: $(cat "$TMP/fwd.err")"
	features >"$TMP/after"
	cmp -s "$TMP/before" "$TMP/after" || fail "$mode: offloads are not as before: $(diff "$TMP/before" "$TMP/after")"
	say "$mode: VLAN, S-VLAN and both pass tagged; offloads are back"
done

# vlan=insert: the offloads stay as they are, and the port puts the tag back
mode=insert
fwd_start --port af_xdp:west,vlan=insert,tx_csum=sw --port af_xdp:east,vlan=insert,tx_csum=sw
fwd_ping
tagged push_q '802.1Q \(0x8100\).*vlan 100'
tagged push_ad '802.1Q-QinQ \(0x88a8\).*vlan 300'
tagged push_both 'vlan 300.*vlan 7'
fwd_stop
[ ! -s "$TMP/fwd.err" ] || fail "vlan=insert: it complains: $(cat "$TMP/fwd.err")"
features >"$TMP/after"
cmp -s "$TMP/before" "$TMP/after" || fail "vlan=insert changes offloads: $(diff "$TMP/before" "$TMP/after")"
say "vlan=insert: VLAN, S-VLAN and both pass tagged through interfaces that strip them"

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
	features >"$TMP/after"
	cmp -s "$TMP/before" "$TMP/after" || fail "after a kill and a start with '$next': $(diff "$TMP/before" "$TMP/after")"
done
[ -z "$(find /run/pagepool -name 'offloads-*' 2>/dev/null)" ] || fail "a record was left behind"
say "restored after kill -9"
expect_error 'offloads=maybe is not one of keep, fix' ip netns exec "$R" "$PPFWD" --port af_xdp:west,offloads=maybe

promiscuity() {
	ip -n "$R" -d link show "$1" | sed -n 's/.*promiscuity \([0-9]*\).*/\1/p'
}
wait_promisc() { # LINK N: within 3 s
	tries=60
	until [ "$(promiscuity "$1")" = "$2" ]; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail "promiscuity of $1 is $(promiscuity "$1"), not $2"
		sleep 0.05
	done
}
[ "$(promiscuity west)" = 0 ] || fail "west is promiscuous without ppfwd"
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
