#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# control.sh - settings that a port makes, and restores: at its end, by Ctrl-C, after kill -9
. "$(dirname "$0")/lib.sh"

topology 2
need python3
# NAPIs that outlive the port, with settings of their own
in_r ethtool -K west gro on >/dev/null && in_r ethtool -K east gro on >/dev/null || fail "cannot switch GRO on"
napis() { # IF [SETTING=VALUE...]
	in_r python3 -I -S "$(dirname "$0")/netdev.py" "$@" | tr '\n' ';' || fail "cannot ask for the NAPIs of $1"
}
inode=$(in_r stat -L -c %i /proc/self/ns/net)
records() {
	find /run/pagepool -name "*-$inode-*" 2>/dev/null
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

# each of them, at both queues, and several at one
fwd_start --port af_xdp:west,queues=2,defer_irqs=50 --port af_xdp:east,queues=2
running west "50 7000 0;50 7000 0;"
fwd_stop
restored
fwd_start --port af_xdp:west,queues=2,gro_flush=21,defer_irqs=0,threaded=on --port af_xdp:east,queues=2
running west "0 21000 1;0 21000 1;"
kill -INT "$FWD"
gone "$FWD" || fail "ppfwd does not stop at SIGINT"
restored
say "set at two queues, and restored"

# two ports on one interface, with a queue each
fwd_start --port af_xdp:west,threaded=on --port af_xdp:west,queue=1,gro_flush=0
soon has_napis west "3 7000 1;3 0 0;" || fail "two ports: $(napis west)"
fwd_stop
restored
say "two ports on one interface"

# after a kill: by a port without the options, and by one with others
for next in 3: 9:,defer_irqs=9; do
	fwd_start --port af_xdp:west,queues=2,threaded=on,gro_flush=20 --port af_xdp:east,queues=2
	running west "3 20000 1;3 20000 1;"
	kill -KILL "$FWD"
	gone "$FWD"
	same "records after a kill" 2 "$(records | wc -l)"
	fwd_start --port "af_xdp:west,queues=2${next#*:}" --port af_xdp:east,queues=2
	running west "${next%:*} 7000 0;${next%:*} 7000 0;"
	fwd_stop
	restored
done
say "restored after kill -9"

# refused, in one line
in_r ethtool -K west gro off >/dev/null
expect_error 'defer_irqs of west is not set: its driver names no NAPI for queue 0; leave defer_irqs out' \
	ip netns exec "$R" "$PPFWD" --port af_xdp:west,mode=skb,defer_irqs=1
in_r ethtool -K west gro on >/dev/null
expect_error 'threaded=yes is not one of' ip netns exec "$R" "$PPFWD" --port af_xdp:west,threaded=yes
expect_error 'gro_flush of west is not set: no permission .* add CAP_NET_ADMIN$' ip netns exec "$R" "$XDP_HOLD" \
	exec west east -- setpriv --bounding-set=-net_admin --inh-caps=-net_admin "$PPFWD" \
	--port af_xdp:west,prog=none,map=20,gro_flush=1
same records "" "$(records)"
