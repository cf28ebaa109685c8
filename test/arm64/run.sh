#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Build everything that needs no library but libc for arm64, look at the restartable sequences
# in its object files, and run the conformance program under qemu-user.
#
# usage: run.sh [BUILDDIR]
set -u

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/../..")
build=${1:-$top/build-arm64}
sysroot=/usr/aarch64-linux-gnu

for tool in aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu qemu-aarch64:qemu-user; do
	command -v "${tool%:*}" >/dev/null || {
		echo "skipped: ${tool%:*} is not installed; apt-get install ${tool#*:}"
		exit 77
	}
done
[ -f "$sysroot/include/sys/rseq.h" ] || {
	echo "skipped: no C library for arm64; apt-get install libc6-dev-arm64-cross"
	exit 77
}

fail()
{
	echo "arm64: $*"
	exit 1
}

rm -rf "$build"
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
meson setup "$build" "$top" --cross-file "$here/cross.ini" -Dwerror=true -Dnuma=disabled \
	-Dpcap=disabled -Daf_xdp=disabled -Djson=disabled -Ddpdk=disabled \
	-Dtests=disabled >"$log" 2>&1 && ninja -C "$build" >>"$log" 2>&1 || {
	tail -40 "$log"
	fail 'does not build'
}

# qemu-user has no restartable sequences, so what can be said about them is said by the
# disassembler: the signature comes right before each abort label, and there are as many
# as there are descriptors (of 32 bytes).
object=$(find "$build/lib" -path '*.so*' -name 'stock_sync_rseq.c.o' | head -1)
[ -n "$object" ] || fail 'sync/rseq.c was not built'
signatures=$(aarch64-linux-gnu-objdump -d "$object" | grep -c 'd428bc00')
size=$(aarch64-linux-gnu-readelf -SW "$object" |
	sed -n 's/.* __rseq_cs  *PROGBITS *[0-9a-f]* *[0-9a-f]* *\([0-9a-f]*\).*/\1/p')
descriptors=$((0x${size:-0} / 32))
[ "$descriptors" -gt 0 ] && [ "$descriptors" = "$signatures" ] ||
	fail "$descriptors descriptors of sequences, but $signatures signatures"
aborts=$(aarch64-linux-gnu-readelf -rW "$object" |
	awk '/rela__rseq_cs. /{on = 1; next} /^Relocation/{on = 0}
	     on && /ABS64/ && substr($1, length($1) - 1) ~ /[13579bdf]8/ {print $NF}')
code=$(aarch64-linux-gnu-objdump -d -j .text "$object")
for abort in $aborts; do
	before=$(printf '%x' $((0x$abort - 4)))
	echo "$code" | grep -Eq "^ *$before:	d428bc00" ||
		fail "no signature before the abort label at .text + 0x$abort"
done
echo "arm64: $descriptors restartable sequences assembled, each abort label signed"

timeout 300 qemu-aarch64 -L "$sysroot" "$build/test/arm64/conformance" "${SEED:-1}" rseq ||
	fail "a policy failed under qemu-user (seed ${SEED:-1})"
