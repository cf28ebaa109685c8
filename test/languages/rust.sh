#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# rust.sh RUSTC SOURCE LIBDIR... - the Rust example builds without crates, and two threads share a pool
set -eu
rustc=$1 source=$2
shift 2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
path=
for dir in "$@"; do
	path="$path${path:+:}$dir"
	set -- "$@" -L "$dir"
	shift
done
"$rustc" --edition 2021 -D warnings -C opt-level=1 -o "$tmp/threads" "$source" "$@" -lpagepool-ffi -lpagepool-netdev -lpagepool
LD_LIBRARY_PATH=$path "$tmp/threads" | tee "$tmp/out"
grep -qE '^([1-9][0-9]+) pages written, \1 read, ([0-9]+) of \2 home$' "$tmp/out"
