#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# soak.sh HOURS [--result FILE] [--build-dir DIR] - hours of use and abuse, and one page about it
#
#   HOURS            how long, as 2 or 0.05
#   --result FILE    where the page goes (soak.md)
#   --build-dir DIR  what is soaked (build)
#
# Two lanes run beside each other, at low priority: AF_XDP forwarding, killed and left alone in turn;
# and page faults with 100 drains a second, life of blocks, depots of several processes, DPDK
# forwarding and dpdk-testpmd, each in turn. As root. It makes namespaces and files of its own,
# takes no hugepages, and may run beside the test suites. SIGINT and SIGTERM end it with the page so
# far. Exit status: 0 no round failed, 1 one did, 2 usage.

cd "$(dirname "$0")/.." || exit 1
build=build
result=soak.md
hours=

die() {
	echo "soak: $1" >&2
	exit "${2:-1}"
}

while [ $# -gt 0 ]; do
	case $1 in
	--result | --build-dir)
		[ $# -ge 2 ] || die "$1 needs a value; see the head of test/soak.sh" 2
		[ "$1" = --result ] && result=$2 || build=$2
		shift
		;;
	*[!0-9.]* | '' | .) die "$1: need a number of hours; see the head of test/soak.sh" 2 ;;
	*) hours=$1 ;;
	esac
	shift
done
seconds=$(awk -v h="$hours" 'BEGIN { printf "%d", h * 3600 }')
[ "$seconds" -ge 10 ] || die "need a number of hours, 0.003 or more; see the head of test/soak.sh" 2
[ "$(id -u)" = 0 ] || die "needs root, for network namespaces and AF_XDP"
build=$(realpath "$build")
[ -x "$build/test/lib/test-life" ] || die "$build has no tests; run meson compile -C build first"
: >"$result" || die "$result: cannot be written; name another file with --result"
result=$(realpath "$result")

SOAK_DIR=$(mktemp -d /tmp/ppk-soak-XXXXXX) || exit 1
mkdir "$SOAK_DIR/live"
start=$(date +%s)
SOAK_END=$((start + seconds))
# a life of the AF_XDP forwarder and a turn of the other lane, seconds
SOAK_LIFE=$((seconds / 6 < 600 ? seconds / 6 : 600))
SOAK_TURN=$((seconds / 60 < 60 ? seconds / 60 + 2 : 60))
SOAK_PFT='--threads 8 --repeat 3'
[ "$seconds" -ge 1800 ] || SOAK_PFT='--threads 4 --repeat 3 --quick'
[ "$seconds" -ge 60 ] || SOAK_PFT='--threads 2 --repeat 2 --quick'
PPFWD=$build/examples/ppfwd/ppfwd
PPBENCH=$build/examples/ppbench/ppbench
XFER=$build/test/root/xfer
XDP_HOLD=$build/test/root/xdp_hold
LIFE=$build/test/lib/test-life
DEPOT_PROCESS=$build/test/lib/test-depot_process
PP_PLUGIN=$build/drivers/librte_mempool_pagepool.so
WITH_DPDK=
"$PPFWD" --port dpdk:net_null0 --duration 0.01 >/dev/null 2>&1 && WITH_DPDK=yes
TESTPMD=
[ -e "$PP_PLUGIN" ] && TESTPMD=$(command -v dpdk-testpmd)
export SOAK_DIR SOAK_END SOAK_LIFE SOAK_TURN SOAK_PFT PPFWD PPBENCH XFER XDP_HOLD LIFE \
	DEPOT_PROCESS PP_PLUGIN WITH_DPDK TESTPMD PYTHONDONTWRITEBYTECODE=1
lanes=
sampler=

about() {
	echo "time: $(date -u -d "@$start" +%Y-%m-%dT%H:%MZ), $(($(date +%s) - start)) s of $seconds"
	echo "command: sh test/soak.sh $hours"
	echo "commit: $(git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null || echo unknown)"
	echo "machine: $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, $(($(
		awk '/^MemTotal/ { print $2 }' /proc/meminfo) / 1048576)) GiB"
	echo "kernel: $(uname -sr)"
	echo "load average at the end: $(cut -d' ' -f1-3 /proc/loadavg)"
	[ -n "$WITH_DPDK" ] || echo "left out: DPDK ports, which this build does not have"
	[ -n "$TESTPMD" ] || echo "left out: dpdk-testpmd, which is not installed"
}

running() {
	for pid in $lanes; do
		kill -0 "$pid" 2>/dev/null && return
	done
	return 1
}

# the group of each lane: what a lane waits for goes first, and the lane takes away what it made
end_lanes() { # SIGNAL
	for pid in $lanes; do
		kill -s "$1" -- "-$pid" 2>/dev/null
	done
}

left_behind() {
	for pid in $lanes; do
		ip netns list | grep -o "^ppk-$pid-[a-z]"
		ls -d "/tmp/ppk-$pid-"* "/var/run/dpdk/ppk$pid" 2>/dev/null
	done
	return 0
}

finish() {
	trap '' HUP INT TERM
	trap - EXIT
	end_lanes TERM
	tries=150
	while running && [ "$tries" -gt 0 ]; do
		tries=$((tries - 1))
		sleep 0.1
	done
	end_lanes KILL
	kill "$sampler" 2>/dev/null
	wait "$sampler"
	what=$(left_behind | tr '\n' ' ')
	printf 'end\t%s\t%s\t%s\t0\t0\t0\t0\t%s\n' "$(date +%s)" "$(date +%s)" \
		"$([ -z "$what" ] && echo 0 || echo 1)" "$what" >>"$SOAK_DIR/rounds.tsv"
	about >"$SOAK_DIR/about.txt"
	python3 test/soak/page.py "$SOAK_DIR" >"$result"
	status=$?
	rm -rf "$SOAK_DIR"
	sed -n 3p "$result"
	echo "soak: $result"
	exit "$status"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

renice -n 10 -p $$ >/dev/null
python3 test/soak/sample.py "$SOAK_DIR" &
sampler=$!
for lane in xdp turns; do
	setsid sh "test/soak/$lane.sh" </dev/null >/dev/null 2>"$SOAK_DIR/$lane.err" &
	lanes="$lanes $!"
done
echo "soak: until $(date -u -d "@$SOAK_END" +%H:%MZ); SIGTERM to $$ ends it earlier"
# a lane that is at its last round may take a while on a busy machine
while running && [ "$(date +%s)" -lt $((SOAK_END + 180)) ]; do
	sleep 1 &
	wait $!
done
if running; then
	printf 'end\t%s\t%s\t1\t0\t0\t0\t0\t%s\n' "$SOAK_END" "$(date +%s)" \
		"a lane did not end within 180 s" >>"$SOAK_DIR/rounds.tsv"
fi
