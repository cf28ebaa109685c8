#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# kernel.sh - print the path of a kernel for test/numa/run.sh, or say why there is none
#
# PP_NUMA_KERNEL if it is set; else what was fetched before; else a kernel of Debian's in /boot;
# else Debian's kernel for clouds (27 MB) is fetched with apt-get and the image taken out: it is
# not installed, for then the machine might boot it.
#
# Exit status: 0; 1 there is none, with one line on stderr.
set -u

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/pagepool

die() {
	echo "numa: $*" >&2
	exit 1
}

if [ -n "${PP_NUMA_KERNEL-}" ]; then
	[ -r "$PP_NUMA_KERNEL" ] || die "PP_NUMA_KERNEL: $PP_NUMA_KERNEL cannot be read"
	echo "$PP_NUMA_KERNEL"
	exit 0
fi
for image in "$cache"/vmlinuz-*-amd64 /boot/vmlinuz-*-amd64; do
	[ -r "$image" ] && echo "$image" && exit 0
done

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
	die "no kernel, and no apt-get to fetch one; set PP_NUMA_KERNEL to an x86-64 image"
find_package() {
	package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
}
fetch() {
	(cd "$tmp" && apt-get -qq download "$package") >"$tmp/log" 2>&1
}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ppkernel.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp" # apt's own user fetches
find_package
# lists that are old name packages that are gone
if { [ -z "$package" ] || ! fetch; } && [ "$(id -u)" = 0 ]; then
	apt-get -qq update >"$tmp/log" 2>&1
	find_package
fi
[ -n "$package" ] ||
	die "apt knows no linux-image-cloud-amd64; apt-get update, or set PP_NUMA_KERNEL to an image"
ls "$tmp"/*.deb >/dev/null 2>&1 || fetch ||
	die "apt-get download $package failed: $(tail -n 1 "$tmp/log")"
mkdir -p "$cache" || die "$cache cannot be made"
dpkg-deb --fsys-tarfile "$tmp/$package"_*.deb | tar -x -C "$tmp" --wildcards './boot/vmlinuz-*' &&
	mv "$tmp"/boot/vmlinuz-* "$cache/" || die "$package has no kernel image"
echo "$cache/${package#linux-image-}" | sed 's,/\([^/]*\)$,/vmlinuz-\1,'
