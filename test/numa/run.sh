#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh - boot a machine with several NUMA nodes under qemu and run guest.c in it
#
#   run.sh GUEST 2|4 [COMMAND]...
#
# GUEST is the program; each COMMAND is a program's absolute path and its arguments, run after it
# in the same machine. 2: two nodes with two CPUs each. 4: two with CPUs and memory, one with
# memory only, one with a CPU only, at different distances.
#
# Software emulation, one of qemu's threads for each CPU. Exit status: 0 all was well, 1 not, or
# the machine took more than PP_NUMA_SECONDS (120), 77 this machine has no qemu or no kernel for
# it, with the reason. With CI=true that is a failure, too.
set -u

here=$(dirname "$(realpath "$0")")
guest=$1
nodes=$2
shift 2
seconds=${PP_NUMA_SECONDS:-120}

skip() {
	echo "SKIP: $*"
	[ "${CI-}" != true ] || exit 1
	exit 77
}

for tool in qemu-system-x86_64:qemu-system-x86 cpio:cpio; do
	command -v "${tool%:*}" >/dev/null ||
		skip "${tool%:*} is not installed; apt-get install ${tool#*:}, or sh test/deps.sh test"
done
[ "$(uname -m)" = x86_64 ] || skip "the programs are for $(uname -m), the machine would be x86-64"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/ppnuma.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
kernel=$(sh "$here/kernel.sh" 2>"$tmp/why") || skip "$(cat "$tmp/why")"

# a program and the libraries that the loader finds for it, each where it is here
add() {
	ldd "$1" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p; s/^[ \t]*\(\/[^ ]*\) (.*/\1/p' |
		while read -r lib; do
			mkdir -p "$tmp/root$(dirname "$lib")"
			cp -L "$lib" "$tmp/root$lib"
		done
	mkdir -p "$tmp/root$(dirname "$1")"
	cp -L "$1" "$tmp/root$1"
}

mkdir -p "$tmp/root/proc" "$tmp/root/sys" "$tmp/root/dev" "$tmp/root/tmp"
guest=$(realpath "$guest")
add "$guest"
ln -s "$guest" "$tmp/root/init"
for command; do
	add "${command%% *}"
	echo "$command" >>"$tmp/root/commands"
done
(cd "$tmp/root" && find . | cpio -o -H newc --quiet) >"$tmp/initrd" || exit 1

ram() {
	for n; do
		printf -- '-object memory-backend-ram,id=m%d,size=%dM ' "${n%:*}" "${n#*:}"
	done
}

case $nodes in
2)
	there=2
	layout="-m 512 $(ram 0:256 1:256)
		-numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2-3,memdev=m1
		-numa dist,src=0,dst=1,val=21"
	;;
4)
	there=3
	layout="-m 512 $(ram 0:256 1:128 2:128)
		-numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2,memdev=m1
		-numa node,nodeid=2,memdev=m2 -numa node,nodeid=3,cpus=3
		-numa dist,src=0,dst=1,val=31 -numa dist,src=0,dst=2,val=17
		-numa dist,src=0,dst=3,val=21 -numa dist,src=1,dst=2,val=21
		-numa dist,src=1,dst=3,val=17 -numa dist,src=2,dst=3,val=31"
	;;
*)
	echo "numa: $nodes: there are machines with 2 and 4 nodes" >&2
	exit 2
	;;
esac

start=$(date +%s)
# shellcheck disable=SC2086 # options
timeout "$seconds" qemu-system-x86_64 -machine pc -accel tcg,thread=multi -cpu max -smp 4 $layout \
	-nodefaults -nographic -no-reboot -serial stdio -kernel "$kernel" -initrd "$tmp/initrd" \
	-append "console=ttyS0 quiet panic=-1 PP_NODES=$there" </dev/null >"$tmp/console" 2>&1
err=$?
tr -d '\r' <"$tmp/console" | sed 's/^.*\x1b\[[0-9;?]*[a-zA-Z]//'
echo "$nodes nodes, $(basename "$kernel"): $(($(date +%s) - start)) s"
if [ "$err" -eq 124 ]; then
	echo "numa: the machine was not done after $seconds s; PP_NUMA_SECONDS gives it more"
	exit 1
fi
grep -q '^numa guest: 0 failed' "$tmp/console" && ! grep -q '^FAILED' "$tmp/console"
