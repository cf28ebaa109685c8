#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# outside.sh BUILD SOURCE - xdp_app from a copy of its directory and of common/, against an installed pagepool
build=$1 source=$2
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
DESTDIR=$tmp/root meson install -C "$build" --no-rebuild >"$tmp/log" 2>&1 ||
	{ cat "$tmp/log"; exit 1; }
pc=$(dirname "$(find "$tmp/root" -name libpagepool-xsk.pc)")
cp -r "$source/examples/xdp_app" "$source/examples/common" "$tmp" || exit 1
rm -f "$tmp"/*/meson.build
export PKG_CONFIG_PATH="$pc" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
CFLAGS="-O1 -Wall -Werror ${SANITIZE-}" make -C "$tmp/xdp_app" || exit 1
LD_LIBRARY_PATH=$(dirname "$pc") "$tmp/xdp_app/xdp_app" --version
