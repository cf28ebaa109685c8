#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# share.sh - three processes forward on one zone through af_xdp ports, and are killed
. "$(dirname "$0")/lib.sh"

require_af_xdp
make_namespaces
no_ipv6 "$R"
names=
for i in 0 1 2; do
	# what worker i sends by a$i the next one receives by b: packets go round
	ip -n "$R" link add "a$i" type veth peer name "b$(((i + 1) % 3))" ||
		fail "no veth pair"
	names="$names a$i b$i"
done
for name in $names; do
	ip -n "$R" link set "$name" up || fail "$name does not come up"
done
# shellcheck disable=SC2086 # six names
ip netns exec "$R" "$TEST_SHARE" trylock $names || fail "exit status $?"
