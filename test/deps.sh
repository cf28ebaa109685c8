#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# deps.sh build|demo|test|ci - install what is missing of the Debian packages that are needed
#
#   build  to build everything
#   demo   and to run examples/demo.sh
#   test   and to run every test; with a kernel for test/numa, see kernel.sh there
#   ci     and for .ci/run
#
# Exit status: 0 everything is there (now), 1 it is not, and the packages are named.

# dpkg-dev tells meson the library directory that Debian's linker searches
BUILD='gcc meson ninja-build dpkg-dev pkg-config libc6-dev libpcap-dev libxdp-dev libbpf-dev
	libjson-c-dev systemtap-sdt-dev'
DEMO='iproute2 ethtool iputils-ping'
TEST='tmux openvswitch-switch-dpdk clang clang-format libclang-rt-14-dev libcmocka-dev libnuma-dev libdpdk-dev dpdk dpdk-dev dpdk-doc tcpdump socat strace
	valgrind mandoc g++ python3 python3-cffi python3-markdown-it rustc bindgen spin chromium libmimalloc2.0 libjemalloc2
	libtcmalloc-minimal4 qemu-user
	qemu-system-x86 cpio bind9-dnsutils dnsperf make ccache'
PORTS='gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-powerpc64le-linux-gnu libc6-dev-ppc64el-cross
	gcc-riscv64-linux-gnu libc6-dev-riscv64-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross
	musl-tools cmake abigail-tools'
CI_ONLY='debootstrap git gcc-11 clang-19 debhelper lintian rpm systemd fakeroot'

case ${1-} in
build) wanted=$BUILD ;;
demo) wanted="$BUILD $DEMO" ;;
test) wanted="$BUILD $DEMO $TEST $PORTS" ;;
ci) wanted="$BUILD $DEMO $TEST $PORTS $CI_ONLY" ;;
*)
	echo "usage: deps.sh build|demo|test|ci" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: not a Debian system, so nothing is installed; needed are the likes of:"
	echo "$wanted"
	exit 0
fi

missing=
for package in $wanted; do
	status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null)
	case $status in
	?i*) ;;
	*) missing="$missing $package" ;;
	esac
done

# not a package that is installed: the machine keeps the kernels that it has
kernel() {
	case $1 in
	test | ci) ;;
	*) return 0 ;;
	esac
	[ "$(uname -m)" != x86_64 ] ||
		sh "$(dirname "$0")/numa/kernel.sh" >/dev/null
}

if [ -z "$missing" ]; then
	kernel "$1"
	exit
fi

by_hand() {
	echo "deps: $1; install by hand and start again: apt-get install$missing" >&2
	exit 1
}

if [ "$(id -u)" = 0 ]; then
	as_root=
elif ! command -v sudo >/dev/null; then
	by_hand "packages are missing, and this is neither root nor is there sudo"
elif sudo -n true 2>/dev/null; then
	as_root='sudo -n'
elif [ -t 0 ]; then
	as_root=sudo
else
	by_hand "packages are missing, and sudo wants a password"
fi

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
echo "deps: installing$missing"
apt() {
	# shellcheck disable=SC2086 # one word or two, or none
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" \
		>>"$log" 2>&1
}
# A package may bring a service, which the tests do not want: it starts neither now nor at the next boot.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$log"; $as_root rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod 755 "$policy"
fi
# shellcheck disable=SC2086 # a list
if ! { apt update && apt install -y --no-install-recommends $missing; }; then
	tail -n 5 "$log" >&2
	by_hand "apt-get failed"
fi
case $missing in
*openvswitch-switch-dpdk*) $as_root systemctl --quiet disable openvswitch-switch 2>>"$log" ;;
esac
kernel "$1"
