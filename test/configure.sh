#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# configure.sh [--again] DIR [MESON ARGUMENTS] - make DIR a build directory of this tree
#
# DIR may be new, or from another commit, another place of the tree or another time of this
# machine. Options once given for DIR stay. A directory that needs nothing is left alone.
#
# --again  look for every part again: packages came or went, and meson remembers them

again=
[ "${1-}" != --again ] || {
	again=1
	shift
}
[ $# -ge 1 ] || {
	echo "usage: configure.sh [--again] DIR [MESON ARGUMENTS]" >&2
	exit 2
}
cd "$(dirname "$0")/.." || exit 1
dir=$1
shift

[ -f "$dir/build.ninja" ] || exec meson setup "$dir" "$@"

# in a copied or moved tree, DIR would build the files of the old place
if grep -qF "\"source\": \"$(pwd -P)\"" "$dir/meson-info/meson-info.json" 2>/dev/null; then
	[ -n "$again" ] || [ $# -gt 0 ] || ! ninja -C "$dir" build.ninja || exit 0
	meson configure --clearcache "$dir" >/dev/null 2>&1 &&
		meson setup --reconfigure "$dir" "$@" && exit 0
fi
echo "configure: $dir is configured from the start, with the options that it had"
meson setup --wipe "$dir" "$@" && exit 0
echo "configure: $dir cannot be configured: see above, or remove it" >&2
exit 1
