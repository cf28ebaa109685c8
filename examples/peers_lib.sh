# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# peers_lib.sh - what peers.sh and xdp_peers.sh share: three namespaces in a row, and the way out
#
#   gen [gen0] ------ [fwd0] fwd [fwd1] ------ [sink0] sink
#
# A script sources it, looks at its options, and calls begin TAG. Whatever it starts as $gen_pid and
# $fwd_pid ends with it.

fail() {
	echo "$(basename "$0"): $1" >&2
	exit "${2:-1}"
}

number() { # OPTION VALUE
	case $2 in
	'' | *[!0-9]* | 0*) fail "$1 '$2': need a number above 0; see --help" 2 ;;
	esac
}

check_testpmd() {
	command -v dpdk-testpmd >/dev/null ||
		fail "dpdk-testpmd is missing, and ppfwd is compared with it; install dpdk-dev or dpdk"
}

# ---- coming and going --------------------------------------------------------------------------

# The forwarding CPU of both programs; testpmd's main core and generators have the other one.
main_cpu=0
fwd_cpu=1
old_huge= gen_pid= fwd_pid=

stop() {
	[ -z "$1" ] || { kill "$1" && wait "$1"; } 2>/dev/null
}

cleanup() {
	trap - EXIT
	stop "$fwd_pid"
	stop "$gen_pid"
	for ns in gen fwd sink; do
		ip netns del "$tag-$ns" 2>/dev/null
	done
	[ -z "$old_huge" ] || echo "$old_huge" >/proc/sys/vm/nr_hugepages
	rm -rf "$tmp" "/var/run/dpdk/$tag"
}

begin() { # TAG
	tag=$1$$
	tmp=$(mktemp -d) || fail "cannot make a temporary directory"
	trap cleanup EXIT
	trap 'exit 1' INT TERM HUP
}

# ---- testpmd's memory --------------------------------------------------------------------------

free_huge() {
	awk '/HugePages_Free/ { print $2 }' /proc/meminfo
}

# Without hugepages testpmd's buffers lie one a 4 KiB page, all on the same cache sets, and it
# runs at a fraction of its speed: lend it some, for as long as the script runs. EAL's arguments
# come in $eal; false, and said: without hugepages.
lend_memory() { # yes or no
	eal="-l $main_cpu,$fwd_cpu --no-pci --no-telemetry --log-level error"
	if [ "$1" = yes ] && [ "$(free_huge)" -lt 64 ] && [ "$(id -u)" = 0 ]; then
		old_huge=$(cat /proc/sys/vm/nr_hugepages)
		echo $((old_huge + 64)) >/proc/sys/vm/nr_hugepages
	fi
	if [ "$1" = yes ] && [ "$(free_huge)" -ge 64 ]; then
		eal="$eal --in-memory -m 100"
		return 0
	fi
	eal="$eal --no-huge --no-shconf --file-prefix $tag -m 256"
	echo "testpmd: WITHOUT hugepages (none free and no right to reserve them, or --no-huge):" \
		"its figures are too low"
	return 1
}

# ---- interfaces --------------------------------------------------------------------------------

# nsenter leaves the mounts alone, unlike ip netns exec, which hides /sys/fs/bpf
in_ns() { # gen, fwd or sink
	at=/var/run/netns/$tag-$1
	shift
	nsenter --net="$at" "$@"
}

veth() { # NS IF NS IF
	ip link add "$2" netns "$tag-$1" numrxqueues 1 numtxqueues 1 type veth \
		peer name "$4" netns "$tag-$3" numrxqueues 1 numtxqueues 1 ||
		fail "cannot make a veth pair: is the veth module there?"
	in_ns "$1" ip link set "$2" up
	in_ns "$3" ip link set "$4" up
}

make_row() {
	for ns in gen fwd sink; do
		ip netns add "$tag-$ns" || fail "cannot make a network namespace"
		in_ns $ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 \
			net.ipv6.conf.default.disable_ipv6=1
		in_ns $ns ip link set lo up
	done
	veth gen gen0 fwd fwd0
	veth fwd fwd1 sink sink0
}

received() {
	in_ns sink ip -s -j link show sink0 | sed 's/.*"rx":{[^}]*"packets":\([0-9]*\).*/\1/'
}

check_generator() {
	sleep 1
	kill -0 "$gen_pid" 2>/dev/null || fail "the generator ended: $(tail -n 1 "$tmp/gen.out")"
}
