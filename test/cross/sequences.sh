#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# sequences.sh BUILDDIR - disassemble the restartable sequences of an arm64 build
#
# qemu-user runs no restartable sequences. The disassembly shows the signature before each
# abort label, and as many of them as there are descriptors (of 32 bytes).
set -u

fail() {
	echo "aarch64: $*"
	exit 1
}

object=$(find "$1/lib" -path '*.so*' -name 'stock_sync_rseq.c.o' | head -1)
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
echo "aarch64: $descriptors restartable sequences assembled, each abort label signed"
