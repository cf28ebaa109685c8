#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# control.sh - settings that a port makes, and restores: at its end, by Ctrl-C, after kill -9
. "$(dirname "$0")/lib.sh"

topology 4
need python3
for if in west east; do
	in_r ethtool -L "$if" rx 2 tx 2 || fail "cannot set the channels of $if"
done
in_a ethtool -L va tx 1 && in_b ethtool -L vb tx 1 || fail "cannot set the channels of va, or vb"
# NAPIs that outlive the port, with settings of their own
in_r ethtool -K west gro on >/dev/null && in_r ethtool -K east gro on >/dev/null || fail "cannot switch GRO on"
napis() { # IF [SETTING=VALUE...]
	in_r python3 -I -S "$(dirname "$0")/netdev.py" "$@" | tr '\n' ';' || fail "cannot ask for the NAPIs of $1"
}
inode=$(in_r stat -L -c %i /proc/self/ns/net)
records() {
	find /run/pagepool -name "*-$inode.*" 2>/dev/null
}
same() { # WHAT WANTED FOUND
	[ "$2" = "$3" ] || fail "$1: $3, not $2"
}
has_napis() { # IF WANTED
	[ "$(napis "$1")" = "$2" ]
}
running() { # IF NAPIS
	soon has_napis "$1" "$2" || fail "NAPIs of $1: $(napis "$1"), not $2"
	connected || fail "no ping through ppfwd"
}
restored() {
	same "NAPIs of west" "$napis_before" "$(napis west)"
	same records "" "$(records)"
}
[ -n "$(napis west)" ] || skip "this kernel names no NAPIs (Linux 6.8)"
napis_before=$(napis west defer-hard-irqs=3 gro-flush-timeout=7000)
same "NAPIs before" "3 7000 0;3 7000 0;" "$napis_before"

# at both queues
fwd_start --port af_xdp:west,queues=2,gro_flush=21,defer_irqs=0,threaded=on --port af_xdp:east,queues=2
running west "0 21000 1;0 21000 1;"
kill -INT "$FWD"
gone "$FWD" || fail "ppfwd does not stop at SIGINT"
restored
# two ports on one interface, with a queue each
fwd_start --port af_xdp:west,threaded=on --port af_xdp:west,queue=1,gro_flush=0
soon has_napis west "3 7000 1;3 0 0;" || fail "two ports: $(napis west)"
fwd_stop
restored
say "NAPIs set at two queues, and restored"

# after a kill: by a port with other options, and by one without
fwd_start --port af_xdp:west,queues=2,threaded=on,gro_flush=20 --port af_xdp:east
now="3 20000 1;3 20000 1;"
for next in ,defer_irqs=9 ""; do
	soon has_napis west "$now" || fail "NAPIs of west: $(napis west), not $now"
	kill -KILL "$FWD"
	gone "$FWD"
	same "records after a kill" 2 "$(records | wc -l)"
	fwd_start --port "af_xdp:west,queues=2$next" --port af_xdp:east
	now="9 7000 0;9 7000 0;"
done
soon has_napis west "$napis_before" || fail "NAPIs after a kill: $(napis west)"
fwd_stop
restored
say "NAPIs restored after kill -9"

# channels: fewer, by a port; more, by one of two
channels() { # IF: RX and TX
	in_r ethtool -l "$1" | awk '/^Current/ { c = 1 } c && /^(RX|TX):/ { printf "%s ", $2 }'
}
has_channels() { # IF WANTED
	[ "$(channels "$1")" = "$2" ]
}
channels_restored() {
	same "channels of west" "2 2 " "$(channels west)"
	same records "" "$(records)"
}
channels_restored
fwd_start --port af_xdp:west,channels=1 --port af_xdp:east
soon has_channels west "1 1 " || fail "channels=1: $(channels west)"
connected || fail "no ping through ppfwd"
kill -INT "$FWD"
gone "$FWD" || fail "ppfwd does not stop at SIGINT"
channels_restored
fwd_start --port af_xdp:west,channels=4 --port af_xdp:west,queue=3
soon has_channels west "4 4 " || fail "channels=4: $(channels west)"
kill -KILL "$FWD"
gone "$FWD"
same "records after a kill" 1 "$(records | wc -l)"
in_r "$PPFWD" --port af_xdp:west --duration 0.01 >/dev/null || fail "after a kill: status $?"
channels_restored
# a setting that ethtool has made after a kill stays
fwd_start --port af_xdp:west,channels=4 --port af_xdp:east
soon has_channels west "4 4 " || fail "channels=4: $(channels west)"
kill -KILL "$FWD"
gone "$FWD"
in_r ethtool -L west rx 3 tx 3
in_r "$PPFWD" --port af_xdp:west --duration 0.01 >/dev/null || fail "after a kill and ethtool -L: status $?"
same "channels of west" "3 3 " "$(channels west)"
in_r ethtool -L west rx 2 tx 2
channels_restored
say "channels set, and restored after Ctrl-C and kill -9"

# refused, in one line
in_r ethtool -K west gro off >/dev/null
expect_error 'defer_irqs of west is not set: its driver names no NAPI for queue 0; leave defer_irqs out' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:west,mode=skb,defer_irqs=1
in_r ethtool -K west gro on >/dev/null
expect_error 'threaded=yes is not one of' ip netns exec "$R" "$PPFWD" --port af_xdp:west,threaded=yes
expect_error 'gro_flush of west is not set: no permission .* add CAP_NET_ADMIN$' ip netns exec "$R" "$XDP_HOLD" \
	exec west east -- setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$PPFWD" \
	--port af_xdp:west,prog=none,map=20,gro_flush=1
expect_error 'channels of west is not set: it has 4 at most, not 5; ethtool -l shows them' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:west,channels=5
ip -n "$R" link set lo up
expect_error 'channels of lo is not set: its driver offers none; leave channels out' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:lo,channels=1
expect_error 'rss of west is not set: its driver offers none; leave rss out' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:west,channels=4,rss=2
expect_error 'channels of west is not set: another port has set it; give both the same' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:west,channels=4 --port af_xdp:west,queue=1,channels=3
expect_error 'channels of west is not set: no permission; run as root, or add CAP_NET_ADMIN' ip netns exec "$R" \
	"$XDP_HOLD" exec west east -- setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$PPFWD" \
	--port af_xdp:west,prog=none,map=20,channels=4
channels_restored
