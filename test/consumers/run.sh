#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh DIR - the blocks of doc/building.md, each as it is written: library only, pkg-config, static,
# meson subproject, CMake
set -u

top=$(realpath "$(dirname "$0")/../..")
rm -rf "$1"
mkdir -p "$1/subproject/subprojects" "$1/cmake" && dir=$(realpath "$1") || exit 1

fail() {
	tail -n 30 "$dir/log"
	echo "consumers: $*"
	exit 1
}

# the block after "<!-- run: NAME -->"
block() {
	awk -v name="<!-- run: $1 -->" '
	$0 == name { seen = 1; next }
	seen == 1 && /^```/ { seen = 2; next }
	seen == 2 && /^```/ { exit }
	seen == 2' "$top/doc/building.md" >"$dir/block"
	[ -s "$dir/block" ] || fail "doc/building.md: no block $1"
	cat "$dir/block"
}

command -v cmake >/dev/null || {
	echo "SKIP cmake is not installed; apt-get install cmake"
	exit 77
}
: >"$dir/log"

# the first block works in the tree: a copy of the names there is enough
mkdir "$dir/tree" && ln -s "$top"/* "$dir/tree" || exit 1
rm -f "$dir/tree/build-library" "$dir/tree/root"
block library >"$dir/library.sh"
(cd "$dir/tree" && sh -e "$dir/library.sh") >"$dir/log" 2>&1 || fail "the libraries alone do not build"
[ "$(meson introspect --tests "$dir/tree/build-library")" = "[]" ] || fail "the libraries alone have tests"
if find "$dir/tree/root" -path '*/bin/*' | grep .; then
	fail "the libraries alone install programs"
fi

root=$dir/tree/root
pc=$(dirname "$(find "$root" -name libpagepool.pc)")
export PKG_CONFIG_PATH="$pc" PKG_CONFIG_SYSROOT_DIR="$root" LD_LIBRARY_PATH="${pc%/pkgconfig}"
cp "$top/test/consumers/program.c" "$top/examples/minfwd.c" "$dir"
for name in pkg-config static static-ports; do
	block $name >"$dir/$name.sh"
	(cd "$dir" && sh -e "$dir/$name.sh") >"$dir/log" 2>&1 || fail "$name: see above"
done

cp "$dir/program.c" "$dir/cmake"
block CMakeLists.txt >"$dir/cmake/CMakeLists.txt"
(cd "$dir/cmake" && cmake -S . -B build && cmake --build build && build/program) >"$dir/log" 2>&1 ||
	fail "CMake: see above"

unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
cp "$dir/program.c" "$dir/subproject"
block meson.build >"$dir/subproject/meson.build"
ln -s "$top" "$dir/subproject/subprojects/pagepool"
(cd "$dir/subproject" && meson setup build --force-fallback-for=libpagepool --auto-features=disabled &&
	meson compile -C build && build/program) >"$dir/log" 2>&1 || fail "meson subproject: see above"
[ "$(meson introspect --tests "$dir/subproject/build")" = "[]" ] || fail "a subproject has tests"
echo "library only, pkg-config, static, CMake and a meson subproject: each builds and runs"
