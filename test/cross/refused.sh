#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# refused.sh BUILDDIR - meson refuses a 32-bit machine in one sentence
set -u

here=$(dirname "$(realpath "$0")")
rm -rf "$1"
out=$(meson setup "$1" "$here/../.." --cross-file "$here/x86.ini" 2>&1) && {
	echo "a 32-bit machine was not refused"
	exit 1
}
echo "$out" | grep -q 'ERROR: .*pagepool needs a 64-bit machine, and x86 is one of 32 bits' || {
	echo "$out" | tail -5
	exit 1
}
