#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh CPU BUILDDIR - build for another architecture, with libc only, and run it under qemu-user
#
# CPU names a machine file here: aarch64, ppc64le, riscv64 or s390x. The library, the drivers, the
# programs and the examples are built. The conformance program runs every policy, and ppfwd forwards.
set -u

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
cpu=$1 build=$2
case $cpu in
aarch64) triplet=aarch64-linux-gnu debian=arm64 ;;
ppc64le) triplet=powerpc64le-linux-gnu debian=ppc64el ;;
riscv64 | s390x) triplet=$cpu-linux-gnu debian=$cpu ;;
*)
	echo "run.sh: $cpu: use aarch64, ppc64le, riscv64 or s390x" >&2
	exit 2
	;;
esac
sysroot=/usr/$triplet

skip() {
	echo "SKIP $cpu: $1 is not installed; apt-get install $2"
	exit 77
}

fail() {
	echo "$cpu: $*"
	exit 1
}

command -v $triplet-gcc >/dev/null || skip $triplet-gcc gcc-$triplet
command -v "qemu-$cpu" >/dev/null || skip "qemu-$cpu" qemu-user
[ -f $sysroot/include/stdio.h ] || skip "a C library for $cpu" libc6-dev-$debian-cross

rm -rf "$build"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
rseq=disabled
[ "$cpu" != aarch64 ] || rseq=enabled
meson setup "$build" "$top" --cross-file "$here/$cpu.ini" -Dwerror=true --auto-features=disabled \
	-Drseq=$rseq >"$log" 2>&1 && ninja -C "$build" >>"$log" 2>&1 || {
	tail -40 "$log"
	fail 'does not build'
}

if [ "$cpu" = aarch64 ]; then
	sh "$here/sequences.sh" "$build" || exit 1
fi

emulated() {
	timeout 300 "qemu-$cpu" -L "$sysroot" "$@"
}
# -pthread brings libatomic where bytes have no atomic instruction (riscv64)
$triplet-gcc -std=gnu11 -D_GNU_SOURCE -pthread -I "$top/lib/include" -o "$build/conformance" "$here/conformance.c" \
	"$build/lib/libpagepool.a" || fail "the conformance program does not build"
emulated "$build/conformance" "${SEED:-1}" rseq ||
	fail "a policy failed under qemu-user (seed ${SEED:-1})"
emulated "$build/examples/ppfwd/ppfwd" --port null --port null --engine csum --packets 10000 >"$log" ||
	fail "ppfwd failed under qemu-user"
grep '^ledger: .* 0 leaked, 0 freed twice$' "$log" || {
	cat "$log"
	fail "ppfwd's ledger does not add up"
}
