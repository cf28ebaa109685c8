#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Forward with dpdk-testpmd on different mempool ops, in turns, and compare.

    python3 examples/mempool.py [--modes LIST] [--pools LIST] [--cores N] [--repeat N] [--seconds S] [--windows N]
    python3 examples/mempool.py --strand

A pool is OPS:MBCACHE, the first is what the others are compared with. All pools run one
after the other, and that --repeat times (A B A B ...), so that what the machine does
meanwhile hits all of them. Each run counts with the best of its --windows, of which a busy machine
needs many and short ones; medians of the runs, spreads and ratios are printed. Packets come from and
go to net_null ports, or, with --ring, through net_ring ports from one core to the other.

--strand: 1,200 mbufs; one core receives and frees for a second, and stops; the next runs
testpmd's noisy mode, which holds 700 mbufs. Beside it the same with 65,536 mbufs.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLUGIN = os.path.join(ROOT, "build", "drivers", "librte_mempool_pagepool.so")
HUGE = "/proc/sys/vm/nr_hugepages"
NEEDED = 256


def fail(text, status=1):
    sys.exit(print(f"mempool.py: {text}", file=sys.stderr) or status)


def hugepages(what):
    with open("/proc/meminfo", encoding="ascii") as f:
        return int(re.search(rf"HugePages_{what}:\s+(\d+)", f.read()).group(1))


def add_hugepages(n):
    """More of them, or fewer; how many it were. Others may change their number meanwhile."""
    before = hugepages("Total")
    if n:
        with open(HUGE, "w", encoding="ascii") as f:
            f.write(str(max(before + n, 0)))
    return hugepages("Total") - before


class Testpmd:
    """One dpdk-testpmd that takes commands until it is closed."""

    def __init__(self, args, ops, lcores, ports, options):
        self.prefix = f"ppmempool{os.getpid()}"
        self.windows = args.windows
        eal = ["--lcores", lcores, "--no-pci", "--in-memory", "--no-telemetry", "-m", "400",
               "--file-prefix", self.prefix, "--log-level", "error"]
        if ops.startswith("pagepool"):
            eal += ["-d", os.path.basename(args.plugin)]
        for port in ports:
            eal += ["--vdev", port]
        places = [os.path.dirname(args.plugin), os.environ.get("LD_LIBRARY_PATH", "")]
        env = dict(os.environ, LD_LIBRARY_PATH=":".join(filter(None, places)))
        self.log = b""
        self.proc = subprocess.Popen(
            ["stdbuf", "-o0", "dpdk-testpmd"] + eal + ["--mbuf-pool-ops-name", ops, "--", "-i"] + options,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.wait("testpmd> ")

    def wait(self, what, seconds=30):
        end = time.monotonic() + seconds
        seen = b""
        while what.encode() not in seen:
            got = self.proc.stdout.read()
            if got:
                seen += got
                self.log += got
            elif got == b"" or time.monotonic() > end:
                self.close()
                fail(f"dpdk-testpmd did not answer: {self.log.decode(errors='replace')[-400:]}")
            else:
                time.sleep(0.01)
        return seen.decode(errors="replace")

    def command(self, text):
        self.proc.stdin.write((text + "\n").encode())
        self.proc.stdin.flush()
        return self.wait("testpmd> ")

    def rate(self, what, seconds):
        """Packets a second of all ports: the best of some windows, as a neighbour on the same
        core takes half of it away for a moment, and nothing can add to it."""
        self.command("show port stats all")
        rates = []
        for _ in range(self.windows):
            time.sleep(seconds / self.windows)
            text = self.command("show port stats all")
            rates.append(sum(int(n) for n in re.findall(what + r"-pps:\s*(\d+)", text)))
        return max(rates)

    def close(self):
        if self.proc.poll() is None:
            try:
                self.proc.stdin.write(b"stop\nquit\n")
                self.proc.stdin.close()
                self.proc.stdout.close()
                self.proc.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.proc.kill()
                self.proc.wait()
        for directory in (f"/var/run/dpdk/{self.prefix}",):
            if os.path.isdir(directory):
                subprocess.run(["rm", "-rf", directory], check=False)


def lcores(n):
    """The main lcore shares CPU 0, where it sleeps; forwarding starts at the last CPU."""
    return "0@0," + ",".join(f"{i + 1}@{i}" for i in range(n)) if n > 1 else "0@0,1@1"


def measure(args, pool, mode):
    ops, cache = pool.split(":")
    ports = [f"net_{'ring' if args.ring else 'null'}{i}" for i in range(2)]
    pmd = Testpmd(args, ops, lcores(args.cores), ports,
                  [f"--nb-cores={args.cores}", f"--mbcache={cache}", f"--forward-mode={mode}",
                   f"--total-num-mbufs={args.mbufs}", f"--burst={args.burst}"])
    pmd.command("start tx_first 32" if args.ring and mode != "flowgen" else "start")
    time.sleep(0.3)
    rate = pmd.rate("Rx" if mode == "rxonly" else "Tx", args.seconds)
    pmd.close()
    return rate / 1e6


def compare(args):
    modes = args.modes.split(",")
    pools = args.pools.split(",")
    for mode in modes:
        rates = {pool: [] for pool in pools}
        for _ in range(args.repeat):
            for pool in pools:
                rates[pool].append(measure(args, pool, mode))
        base = statistics.median(rates[pools[0]])
        for pool in pools:
            r = rates[pool]
            mid = statistics.median(r)
            print(f"{mode:8} {pool:20} {mid:8.2f} Mpps ({min(r):.2f} .. {max(r):.2f})   "
                  f"{mid / base if base else 0:.2f} x {pools[0]}", flush=True)


def strand_one(args, ops, cache, mbufs):
    pmd = Testpmd(args, ops, "0@0,1@0,2@1", ["net_null0", "net_null1"],
                  ["--nb-cores=1", f"--mbcache={cache}", f"--total-num-mbufs={mbufs}",
                   "--forward-mode=rxonly", "--noisy-tx-sw-buffer-size=512"])
    pmd.command("set corelist 1")
    pmd.command("start")
    time.sleep(1)
    pmd.command("stop")
    pmd.command("set fwd noisy")
    pmd.command("set corelist 2")
    pmd.command("start")
    time.sleep(0.3)
    rate = pmd.rate("Tx", args.seconds)
    pmd.close()
    return rate / 1e6


def strand(args):
    pools = args.pools.split(",")
    for pool in pools:
        ops, cache = pool.split(":")
        few = [strand_one(args, ops, cache, 1200) for _ in range(args.repeat)]
        many = [strand_one(args, ops, cache, 65536) for _ in range(args.repeat)]
        a, b = statistics.median(few), statistics.median(many)
        print(f"{pool:20} 1,200 mbufs {a:10.4f} Mpps ({min(few):.4f} .. {max(few):.4f})   "
              f"65,536 mbufs {b:8.2f} ({min(many):.2f} .. {max(many):.2f})   {a / b:.4f} x",
              flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--modes", default="io,mac,rxonly,txonly,csum,flowgen")
    p.add_argument("--pools",
                   default="ring_mp_mc:250,ring_mp_mc:0,pagepool:0,pagepool:32,pagepool:64")
    p.add_argument("--cores", type=int, default=1, help="forwarding cores (default: 1)")
    p.add_argument("--repeat", type=int, default=5)
    p.add_argument("--seconds", type=float, default=1.0)
    p.add_argument("--windows", type=int, default=5, help="in which the seconds are cut (default: 5)")
    p.add_argument("--mbufs", type=int, default=8192)
    p.add_argument("--burst", type=int, default=32)
    p.add_argument("--ring", action="store_true", help="through net_ring ports")
    p.add_argument("--strand", action="store_true")
    p.add_argument("--plugin", default=PLUGIN)
    args = p.parse_args()
    if not os.path.isfile(args.plugin):
        fail(f"no {args.plugin}; build it with 'meson setup build && ninja -C build', with DPDK")
    if os.geteuid() != 0:
        fail("needs root for hugepages, without which testpmd runs at a fraction of its speed")
    added = add_hugepages(max(NEEDED - hugepages("Free"), 0))
    try:
        (strand if args.strand else compare)(args)
    finally:
        add_hugepages(-added)


if __name__ == "__main__":
    main()
