#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# musl.sh BUILDDIR - build the library and the programs with musl, and run them
#
# The kernel's headers are the system's: musl-tools has none.
set -u

top=$(realpath "$(dirname "$0")/../..")
build=$1
machine=$(gcc -print-multiarch)

command -v musl-gcc >/dev/null || {
	echo "SKIP musl: musl-gcc is not installed; apt-get install musl-tools"
	exit 77
}

fail() {
	echo "musl: $*"
	exit 1
}

rm -rf "$build" "$build-headers"
mkdir -p "$build-headers" || exit 1
for headers in linux asm-generic "$machine/asm"; do
	ln -s "/usr/include/$headers" "$build-headers/${headers##*/}"
done
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
CC=musl-gcc CFLAGS="-idirafter $build-headers" meson setup "$build" "$top" -Dwerror=true \
	--auto-features=disabled >"$log" 2>&1 && ninja -C "$build" >>"$log" 2>&1 || {
	tail -40 "$log"
	fail "does not build"
}

musl-gcc -std=gnu11 -D_GNU_SOURCE -I "$top/lib/include" -o "$build/conformance" \
	"$top/test/cross/conformance.c" -L "$build/lib" -lpagepool -Wl,-rpath,"$build/lib" &&
	"$build/conformance" "${SEED:-1}" rseq || fail "a policy failed"
musl-gcc -static -std=gnu11 -D_GNU_SOURCE -I "$top/lib/include" -o "$build/static" \
	"$top/test/cross/conformance.c" "$build/lib/libpagepool.a" || fail "does not link statically"
"$build/static" "${SEED:-1}" rseq >"$log" || fail "a policy failed in a static program"
"$build/examples/ppfwd/ppfwd" --port null --port null --engine csum --packets 10000 >"$log" &&
	grep '^ledger: .* 0 leaked, 0 freed twice$' "$log" || fail "ppfwd failed"
"$build/examples/ppbench/ppbench" cross --quick --repeat 1 >"$log" || fail "ppbench failed"
