# SPDX-License-Identifier: BSD-3-Clause
"""suites.py [--ops NAME] [--policy NAME] [--huge] TEST... - dpdk-test's suites on our pools

What passes with ring_mp_mc passes with pagepool, too: a suite that does not is run again with
ring_mp_mc, and only what fails with both is let through, by name.
"""
import argparse
import sys

from harness import *

parser = argparse.ArgumentParser()
parser.add_argument('--ops', default='pagepool')
parser.add_argument('--policy', default='auto')
parser.add_argument('--huge', action='store_true')
parser.add_argument('--preload')
parser.add_argument('--timeout', type=int, default=100)
parser.add_argument('--memory', type=int, default=1024)
parser.add_argument('tests', nargs='+')
options = parser.parse_args()

need('dpdk-test')
if options.huge:
    need_hugepages(options.memory // 2)


def suite(name, ops):
    more = {'PAGEPOOL_POLICY': options.policy}
    if options.preload:
        more.update(LD_PRELOAD=options.preload, PP_SLOW_CLOCK='400')
    status, out = run(['dpdk-test'] + eal('s', options.huge, memory=options.memory,
                                          extra=['--mbuf-pool-ops-name=' + ops]) + [name],
                      options.timeout, environment(**more))
    return status, out


bad = 0
for name in options.tests:
    start = time.time()
    status, out = suite(name, options.ops)
    result = 'ok'
    if 'PAGEPOOL' in out and 'ERR' in out:
        result = 'FAILED'
    if status:
        ring, _ = suite(name, 'ring_mp_mc')
        result = 'with ring_mp_mc as well: status %d' % status if ring == status else 'FAILED'
    if result == 'FAILED':
        bad += 1
        print(out[-3000:])
    say('%s, %s, %s: %s (%.0f s)' % (name, options.ops, options.policy, result,
                                     time.time() - start))
sys.exit(1 if bad else 0)
