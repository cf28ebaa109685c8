#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# csum.sh - a sender leaves its checksums to hardware that is not there: tx_csum=sw computes them,
# tx_csum=on leaves them to the device; for packets of one page and of several
. "$(dirname "$0")/lib.sh"

topology
ip -n "$R" link add name px0 type veth peer name px1 || fail "cannot make the veth pair"
ip -n "$R" link set px0 up && ip -n "$R" link set px1 up
for mode in native skb; do
	in_r timeout 30 "$AF_XDP_CSUM" "$mode" || fail "af_xdp_csum $mode: status $?"
done
for end in "$A va" "$B vb"; do
	# shellcheck disable=SC2086 # two words
	set -- $end
	ip netns exec "$1" ethtool -K "$2" tx on tso off gso off >/dev/null || fail "cannot set $2's offloads"
done
wrong() { # TCP segments that B has received with a wrong checksum, ever
	in_b awk '/^Tcp:/ && c { print $c; exit }
		/^Tcp:/ { for (i = 1; i <= NF; i++) if ($i == "InCsumErrors") c = i }' /proc/net/snmp
}

# without it nothing but wrong checksums arrives
fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
in_b timeout 3 "$XFER" recv 5002 >/dev/null 2>&1 &
in_a timeout 2 "$XFER" send "$ADDR_B" 5002 1 >/dev/null 2>&1 &&
	fail "the sender computes checksums itself: this test shows nothing"
[ "$(wrong)" -gt 0 ] || fail "no wrong checksum arrived: this test shows nothing"
fwd_stop

right() { # OPTIONS of both ports, WHAT is said
	had=$(wrong)
	fwd_start --port "af_xdp:west,$1" --port "af_xdp:east,$1"
	fwd_ping
	transfer 16
	fwd_stop
	[ "$(wrong)" = "$had" ] || fail "$(($(wrong) - had)) wrong checksums"
	[ "$(json_sum errors)" = 0 ] || fail "ppfwd counts $(json_sum errors) errors"
	say "$2"
}

for mode in native skb; do
	right "tx_csum=sw,mode=$mode" "$mode: checksums computed by the port"
done

# left to a device: a veth hands the request on to the stack behind it
fwd_start --port af_xdp:west,tx_csum=on --port af_xdp:east,tx_csum=on
fwd_ping
transfer 16
fwd_stop
expect_error 'tx_csum' ip netns exec "$R" "$PPFWD" --port af_xdp:west,tx_csum=maybe
say "checksums left to the device"

# of any kind; with the far end's offload off the kernel finishes what it was asked for
frames=$(dirname "$0")/csum_frames.py
in_r ethtool -K west tx off >/dev/null || fail "cannot set west's offloads"
n=$(python3 "$frames" write "$TMP/in.pcap") || fail "no frames to send"
for csum in on sw; do
	in_a timeout 20 tcpdump -i va -c "$n" -w "$TMP/out.pcap" ether src 02:00:00:00:00:01 \
		>"$TMP/tcpdump" 2>&1 &
	capture=$!
	until grep -q listening "$TMP/tcpdump" 2>/dev/null; do
		kill -0 "$capture" 2>/dev/null || fail "tcpdump: $(cat "$TMP/tcpdump")"
		sleep 0.05
	done
	fwd_start --port "pcap:rx=$TMP/in.pcap" --port "af_xdp:west,tx_csum=$csum"
	wait "$capture" || fail "tx_csum=$csum: not all of $n frames arrived"
	fwd_stop
	python3 "$frames" check "$TMP/out.pcap" || fail "tx_csum=$csum"
	say "tx_csum=$csum: $n frames, every sum right"
done

# chains: a segment of 9000 bytes is three pages
in_r ethtool -K west tx on >/dev/null || fail "cannot set west's offloads"
for link in "$A va" "$R west" "$R east" "$B vb"; do
	# shellcheck disable=SC2086 # two words
	set -- $link
	ip -n "$1" link set "$2" mtu 9000 || fail "cannot set the MTU of $2"
done
for csum in on sw; do
	right "sg=on,tx_csum=$csum" "packets of several pages, tx_csum=$csum"
done
