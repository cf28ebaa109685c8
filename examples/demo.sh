#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# demo.sh - from a fresh clone to packets going through the pool
#
# As root: two network namespaces that only ppfwd joins, over AF_XDP; ping and a
# TCP transfer go through it. Otherwise: in-memory ports and pcap files.
# Everything that it sets up is gone when it ends, but for the build directory.
set -u
cd "$(dirname "$0")/.." || exit 1

MIB=256
log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT
trap 'exit 1' HUP INT TERM

step() {
	printf '\n== %s\n' "$*"
}

die() {
	echo "demo: $*" >&2
	exit 1
}

quietly() { # NAME COMMAND...: show the end of the output only if it fails
	name=$1
	shift
	"$@" >"$log/$name" 2>&1 && return
	tail -n 30 "$log/$name" >&2
	die "$name failed: $*"
}

build() {
	step "build"
	quietly configure sh test/configure.sh build
	if ! ninja -C build examples/ppfwd/ppfwd test/root/xfer >"$log/compile" 2>&1; then
		# a package may have gone since the directory was configured
		quietly configure sh test/configure.sh --again build
		quietly compile ninja -C build examples/ppfwd/ppfwd test/root/xfer
	fi
	echo "build/examples/ppfwd/ppfwd is ready"
	PPFWD=$PWD/build/examples/ppfwd/ppfwd
	XFER=$PWD/build/test/root/xfer
}

# --- without root -------------------------------------------------------------

demo_memory() {
	step "in-memory ports: an endless source on each side, for 2 seconds"
	echo "\$ ppfwd --port null --port null --duration 2"
	"$PPFWD" --port null --port null --duration 2 || die "ppfwd failed"

	# a build without libpcap has no pcap ports, and says so when it is configured
	"$PPFWD" --port "pcap:tx=$log/probe" --duration 0.1 2>&1 | grep -q 'not built' && return
	step "pcap files: make 10000 packets, forward them from file to file"
	quietly record "$PPFWD" --engine flowgen --packets 10000 --port "pcap:tx=$log/in.pcap"
	echo "\$ ppfwd --port pcap:rx=in.pcap,tx=out.pcap"
	"$PPFWD" --port "pcap:rx=$log/in.pcap,tx=$log/out.pcap" || die "ppfwd failed"
	cmp "$log/in.pcap" "$log/out.pcap" || die "the files differ"
	echo "in.pcap and out.pcap are equal"
}

# --- as root ------------------------------------------------------------------

demo_af_xdp() {
	# namespaces, cables, checks, and taking all of it down again, for which it has a trap
	rm -rf "$log"
	export PPFWD XFER
	# shellcheck source=test/root/lib.sh
	. test/root/lib.sh

	step "three network namespaces, which only ppfwd joins"
	topology
	cat <<-MAP
		  A [va] ------- [west] R [east] ------- [vb] B
		  $ADDR_A          ppfwd          $ADDR_B
	MAP
	echo "R\$ ppfwd --port af_xdp:west --port af_xdp:east"
	fwd_start --port af_xdp:west --port af_xdp:east
	connected || fail "no packet comes through"

	step "ping through ppfwd"
	echo "A\$ ping -c 20 $ADDR_B"
	in_a ping -q -c 20 -i 0.05 "$ADDR_B" | tail -n 2

	step "$MIB MiB over TCP through ppfwd (bytes, and the same checksum at both ends)"
	start=$(date +%s%N)
	transfer "$MIB"
	ms=$((($(date +%s%N) - start) / 1000000))
	echo "$((MIB * 8389 / ms)) Mbit/s"

	step "Ctrl-C for ppfwd: what came by, and whether every page came home"
	fwd_stop
	cat "$TMP/fwd.out"
	remove_topology
}

can_af_xdp() {
	[ "$(id -u)" = 0 ] && grep -q '^XDP ' /proc/net/protocols && unshare -n true 2>/dev/null &&
		! "$PPFWD" --port af_xdp: 2>&1 | grep -q 'not built'
}

step "packages"
sh test/deps.sh demo || exit 1
echo "all there"
build
if can_af_xdp; then
	demo_af_xdp
else
	echo
	echo "AF_XDP between namespaces needs root and a kernel with AF_XDP; here is what needs neither."
	demo_memory
fi
step "done; sh test/run.sh runs every test"
