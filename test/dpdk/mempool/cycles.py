# SPDX-License-Identifier: BSD-3-Clause
"""cycles.py [--repeat N] [--no-huge] - cycles a packet over net_null, ring_mp_mc beside pagepool

The pools run one after the other, and that N times. Medians, the least and the most, and the
ratio of ring_mp_mc's median with a cache of 250.
"""
import argparse
import statistics

from harness import *

parser = argparse.ArgumentParser()
parser.add_argument('--repeat', type=int, default=7)
parser.add_argument('--no-huge', action='store_true')
options = parser.parse_args()
POOLS = (('ring_mp_mc', 250), ('ring_mp_mc', 0), ('pagepool', 64), ('pagepool', 0))

need()
if not options.no_huge:
    need_hugepages(80)
rows = {pool: {} for pool in POOLS}
for _ in range(options.repeat):
    for pool in POOLS:
        args = eal('y', not options.no_huge, memory=100, lcores='0@%d' % CPUS[-1],
                   extra=['--vdev=net_null0', '--vdev=net_null1'])
        status, out = run([os.environ['PP_CYCLES']] + args + ['--', pool[0], str(pool[1])], 60)
        found = re.findall(r'(\w+) (\d+\.\d)', out.split('\n')[-2])
        check(status == 0 and len(found) == 5, out[-2000:])
        for mode, cycles in found:
            rows[pool].setdefault(mode, []).append(float(cycles))
for pool in POOLS:
    say('%s, cache %d: ' % pool + ', '.join(
        '%s %.1f (%.1f .. %.1f) %.2f' % (mode, statistics.median(c), min(c), max(c),
                                         statistics.median(rows[POOLS[0]][mode]) / statistics.median(c))
        for mode, c in rows[pool].items()))
