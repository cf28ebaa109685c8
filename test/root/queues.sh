#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# queues.sh - several queues; queues that were not asked for stay with the kernel
. "$(dirname "$0")/lib.sh"

topology 2

# a veth sends on a queue of its choice, unless XPS tells it which
cpus=$(cat /proc/irq/default_smp_affinity)
steer() { # NS IF QUEUE
	ip netns exec "$1" sh -c "echo 0 >/sys/class/net/$2/queues/tx-$((1 - $3))/xps_cpus &&
		echo $cpus >/sys/class/net/$2/queues/tx-$3/xps_cpus" ||
		fail "cannot choose the queue of $2 (XPS)"
}

fwd_start --port af_xdp:west,queues=2 --port af_xdp:east,queues=2
for queue in 0 1; do
	steer "$A" va "$queue"
	steer "$B" vb "$queue"
	fwd_ping
	say "ping over queue $queue"
done
transfer 64
fwd_stop

# a program's path is of any length, and the ports of an interface have one program
[ -n "${REDIRECT:-}" ] || fail "clang is missing, with which the test's XDP program is compiled; sh test/deps.sh test installs it"
far=$TMP/$(printf '%0200d' 0)/$(printf '%0200d' 0)
mkdir -p "$far" && cp "$REDIRECT" "$far/a.o" && cp "$REDIRECT" "$far/b.o" || fail "cannot copy the program"
in_r "$PPFWD" --duration 0.1 --port "af_xdp:west,queue=0,prog=$far/a.o" \
	--port "af_xdp:west,queue=1,prog=$far/a.o" >/dev/null || fail "two ports with one program: status $?"
expect_error 'another port has another XDP program on west' ip netns exec "$R" "$PPFWD" \
	--port "af_xdp:west,queue=0,prog=$far/a.o" --port "af_xdp:west,queue=1,prog=$far/b.o"
say "a program with a long path"

# queue 1 alone: what arrives on queue 0 is for the kernel, which answers for the router
ip -n "$R" addr add 10.77.0.3/24 dev west
fwd_start --port af_xdp:west,queue=1 --port af_xdp:east,queue=1
fwd_ping
steer "$A" va 0
in_a ping -q -c 3 -i 0.05 -W 1 10.77.0.3 >/dev/null || fail "queue 0 does not reach the kernel"
in_a ping -q -c 3 -i 0.05 -W 0.2 "$ADDR_B" >/dev/null && fail "queue 0 was not asked for, and is forwarded"
steer "$A" va 1
in_a ping -q -c 3 -i 0.05 -W 0.2 10.77.0.3 >/dev/null && fail "queue 1 reaches the kernel"
fwd_ping
fwd_stop
