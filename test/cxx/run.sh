#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh LIBDIR - the public headers alone in C++11 to C++20, and a program in each, by g++ and clang++
#
# The structs of all headers are named without "struct": a function of the same name would hide them.
set -u

here=$(dirname "$(realpath "$0")")
cd "$here/../.." || exit 1
lib=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
compiled=0

for h in lib/include/pagepool/*.h drivers/include/pagepool/*.h; do
	name=${h##*/}
	{
		echo "#include <pagepool/$name>"
		sed -n 's/^struct \([a-z_0-9]*\) {$/static_assert(sizeof(\1) > 0, "");/p' "$h"
	} >"$dir/${name%.h}.cpp"
done

for cxx in g++ clang++; do
	command -v $cxx >/dev/null || {
		echo "SKIP $cxx is not installed; apt-get install g++ clang"
		exit 77
	}
	for std in 11 14 17 20; do
		set -- $cxx -std=c++$std -Wall -Wextra -Wpedantic -Werror -I lib/include -I drivers/include
		for f in "$dir"/*.cpp; do
			"$@" -fsyntax-only "$f" && compiled=$((compiled + 1)) || {
				echo "FAILED: pagepool/$(basename "$f" .cpp).h: $cxx -std=c++$std"
				failed=1
			}
		done
		"$@" -o "$dir/user" test/cxx/user.cpp -L "$lib" -lpagepool -Wl,-rpath,"$lib" &&
			"$dir/user" || {
			echo "FAILED: user.cpp: $cxx -std=c++$std"
			failed=1
		}
	done
done
echo "$compiled headers compiled alone"
[ "$compiled" -ge 80 ] && exit $failed
exit 1
