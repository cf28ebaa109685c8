# SPDX-License-Identifier: BSD-3-Clause
"""testpmd.py SECONDS - an unmodified testpmd on our pools: forwards, is killed, starts again

Each second one ends by itself, with every mbuf in the pool. No hugepages.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../dpdk/mempool'))
import harness

SLOW = 120 # low priority beside other programs


def start(n):
    args = harness.eal('s%d' % n, memory=128, extra=['--vdev=net_null0', '--vdev=net_null1'])
    policy = ('auto', 'rseq', 'trylock')[n % 3]
    pmd = harness.Testpmd(args, ['--mbcache=%d' % (0, 250)[n % 2], '--total-num-mbufs=4001'],
                          env=harness.environment(PAGEPOOL_POLICY=policy))
    with open('%s/live/%d' % (os.environ['SOAK_DIR'], pmd.p.pid), 'w') as f:
        f.write('testpmd')
    return pmd


def forward(pmd, seconds):
    """packets sent"""
    before = pmd.stats()[1]
    pmd.ask('start', SLOW)
    time.sleep(seconds)
    pmd.ask('stop', SLOW)
    return pmd.stats()[1] - before


def at_home(pmd):
    """mbufs that are neither in the pool nor in an lcore's cache"""
    name = pmd.pools()[0]
    info = pmd.info(name)
    out = harness.ledger(info)
    return out - pmd.dump(name)[1]


def main():
    end = time.time() + float(sys.argv[1])
    packets = kills = lost = n = 0
    while n < 2 or time.time() < end:
        pmd = start(n)
        packets += forward(pmd, random.uniform(0.05, 1))
        if n % 2:
            lost += at_home(pmd)
            pmd.quit()
        else:
            pmd.ask('start', SLOW)
            time.sleep(random.uniform(0, 0.2))
            pmd.kill()
            kills += 1
        n += 1
    harness.check(packets > 1000, 'only %d packets' % packets)
    harness.check(lost == 0, '%d mbufs lost' % lost)
    harness.say('%d kills, %d lost, %d packets' % (kills, lost, packets))


main()
