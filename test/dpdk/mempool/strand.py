# SPDX-License-Identifier: BSD-3-Clause
"""strand.py - 1,200 mbufs for two lcores: the first has some and is stopped, the second needs 700

lcore 1 receives for a while and stops; lcore 2 forwards through testpmd's noisy mode, which
holds some 511 mbufs in each of its buffers. What lcore 1's cache keeps is missing.
"""
from harness import *


def rate(ops, mbcache, mbufs, **env):
    pmd = Testpmd(eal('t', memory=512, lcores='0@%d,1@%d,2@%d' % (CPUS[0], CPUS[0], CPUS[1]),
                      extra=['--vdev=net_null0', '--vdev=net_null1']),
                  ['--mbcache=%d' % mbcache, '--total-num-mbufs=%d' % mbufs, '--nb-cores=1',
                   '--noisy-tx-sw-buffer-size=512', '--noisy-tx-sw-buffer-flushtime=100'], ops,
                  environment(**env))
    pmd.ask('set corelist 1')
    pmd.ask('set fwd rxonly')
    pmd.ask('start')
    time.sleep(0.7)
    pmd.ask('stop')
    pmd.ask('set corelist 2')
    pmd.ask('set fwd noisy')
    pmd.ask('start')
    time.sleep(0.3)
    result = pmd.rate(1)
    pmd.ask('stop')
    if ops == 'pagepool':
        ledger(pmd.info())
    pmd.quit()
    say('%s, mbcache %d, %d mbufs%s: %.0f packets a second' %
        (ops, mbcache, mbufs, ''.join(', %s=%s' % item for item in env.items()), result))
    return result


need('dpdk-testpmd', 'stdbuf')


def share(mbcache, **env):
    """Of the rate of 65,536 mbufs; the best of some pairs, as other programs disturb both."""
    best = 0
    for _ in range(4):
        many = rate('pagepool', 0, 65536)
        best = max(best, rate('pagepool', mbcache, 1200, **env) / many)
        if best >= 0.5:
            break
    return best, many


few, many = share(0)
limited, _ = share(250, PAGEPOOL_LCORE_CACHE='0')
stranded = rate('ring_mp_mc', 250, 1200)
say('pagepool with 1200 of 65536 mbufs: %.2f of the rate; ring_mp_mc, cache 250: %.4f' %
    (few, stranded / many))
check(few >= 0.5, 'pagepool strands: %.2f of the rate of 65536 mbufs' % few)
check(limited >= 0.5, 'PAGEPOOL_LCORE_CACHE=0 strands: %.2f of the rate of 65536 mbufs' % limited)
check(stranded < 0.1 * many, 'ring_mp_mc did not strand: the test shows nothing')
