#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# errors.sh - what can be wrong at start: one line that says so, and nothing changed
. "$(dirname "$0")/lib.sh"

topology
need setpriv prlimit

bad() { # REGEX SPEC [OPTIONS]
	want=$1
	spec=$2
	shift 2
	expect_error "$want" ip netns exec "$R" "$PPFWD" --port "$spec" "$@"
}

bad 'no interface nowhere' af_xdp:nowhere
bad 'no interface given' af_xdp:
bad 'no queue 1: it has 1' af_xdp:west,queue=1
bad 'no queue 1: it has 1' af_xdp:west,queues=2
bad 'no interface nowhere' af_xdp:west --port af_xdp:nowhere
bad 'fill=100 is no power of two' af_xdp:west,fill=100
bad 'cannot do zero-copy' af_xdp:west,zerocopy=on
bad 'zerocopy=on needs native' af_xdp:west,mode=skb,zerocopy=on
bad 'mode' af_xdp:west,mode=fast
bad 'speed' af_xdp:west,speed=10
bad 'pages of 2048 or 4096 bytes, not 8192' af_xdp:west --page-size 8192

ip -n "$R" link set west down
bad 'west is down' af_xdp:west
ip -n "$R" link set west up

ip -n "$R" link set west mtu 9000
bad 'MTU 9000.*holds 37' af_xdp:west
ip -n "$R" link set west mtu 3600
bad 'MTU 3600.*pages of 4096, take sg=on, or set the MTU' af_xdp:west --page-size 2048
ip -n "$R" link set west mtu 1500

held "$R" socket west 0
bad 'queue 0 of west is in use by another socket' af_xdp:west
release

for mode in native skb; do
	held "$R" prog west "$mode"
	bad 'XDP program already \(id [0-9]+, stranger\), which was left alone' af_xdp:west
	ip -n "$R" link show dev west | grep -q 'prog/xdp' || fail "the other's program is gone"
	release
done

fwd_start --port af_xdp:west --port af_xdp:east
fwd_ping
bad 'another pagepool program is running on west' af_xdp:west
fwd_ping
fwd_stop

privileges() { # REGEX CAPABILITIES
	expect_error "$1" ip netns exec "$R" prlimit --memlock=65536 \
		setpriv --bounding-set "$2" --inh-caps "$2" "$PPFWD" --port af_xdp:west
}

privileges 'no permission.*CAP_NET_RAW' -all
privileges 'no permission.*CAP_NET_RAW' -net_raw
privileges 'not allowed to lock.*CAP_IPC_LOCK' -ipc_lock
no_program
