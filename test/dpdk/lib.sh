# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# lib.sh - the namespaces of test/root/lib.sh with ethdev ports between them
#
# pmd_port PMD IF: the spec of a port of that PMD on an interface of R. net_tap makes an interface
# of its own, which takes the place of A's or B's end of the cable.

. "$(dirname "$0")/../root/lib.sh"

# EAL's runtime directory has a fixed name: each test has one of its own
if [ -z "${PP_OWN_RUN:-}" ] && unshare -m true 2>/dev/null; then
	PP_OWN_RUN=1 exec unshare -m sh "$0" "$@"
fi
[ -z "${PP_OWN_RUN:-}" ] || { mkdir -p /run/dpdk && mount -t tmpfs tmpfs /run/dpdk; } ||
	fail "no tmpfs on /run/dpdk"

pmd_port() { # PMD INTERFACE NUMBER
	case $1 in
	net_pcap) echo "dpdk:net_pcap$3,rx_iface_in=$2,tx_iface=$2" ;;
	net_tap) echo "dpdk:net_tap$3,iface=pptap$3" ;;
	*) echo "dpdk:$1$3,iface=$2" ;;
	esac
}

# nothing of DPDK's is left
no_runtime_dirs() {
	[ ! -e /var/run/dpdk/pagepool ] || fail "left behind: /var/run/dpdk/pagepool"
}

# what came in went out or was dropped and counted, in both directions
check_counts() {
	rx=$(json_sum rx_packets)
	tx=$(json_sum tx_packets tx_dropped)
	[ "$rx" -gt 0 ] || fail "nothing was received"
	[ "$rx" = "$tx" ] || fail "$rx packets received, $tx sent or dropped"
}

tap_end() { # NS OLD TAP ADDRESS: the tap instead of the cable's end
	ip -n "$1" link del "$2" &&
		ip -n "$R" link set "$3" netns "$1" &&
		no_ipv6 "$1" &&
		ip -n "$1" addr add "$4/24" dev "$3" &&
		ip -n "$1" link set "$3" up
}

# the port is opened when the tap is up
tap_or_end() {
	ip -n "$R" link show pptap1 up 2>/dev/null | grep -q pptap1 || has_ended "$FWD"
}

# wait until ppfwd has made its taps, and give them away
move_taps() {
	soon tap_or_end || fail "ppfwd made no tap"
	kill -0 "$FWD" 2>/dev/null || fail "ppfwd has ended"
	tap_end "$A" va pptap0 "$ADDR_A" && tap_end "$B" vb pptap1 "$ADDR_B" ||
		fail "cannot move the taps"
}

pmd_start() { # PMD [ARGUMENTS of ppfwd]
	pmd=$1
	shift
	fwd_start --port "$(pmd_port "$pmd" west 0)" --port "$(pmd_port "$pmd" east 1)" "$@"
	[ "$pmd" != net_tap ] || move_taps
}
