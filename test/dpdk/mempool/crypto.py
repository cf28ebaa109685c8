# SPDX-License-Identifier: BSD-3-Clause
"""crypto.py - Debian's dpdk-test-crypto-perf, unmodified, on our pools

It makes a pool empty, sets the ops by hand and populates it with objects of its own: a crypto
operation and two mbufs each, with lcore caches of 512.
"""
from harness import *

OPERATIONS = 100000


def run_one(ops, **env):
    status, out = run(
        ['dpdk-test-crypto-perf'] +
        eal('k', extra=['--mbuf-pool-ops-name=' + ops, '--log-level=mempool.pagepool:debug',
                        '--vdev=crypto_openssl0']) +
        ['--', '--ptest', 'throughput', '--devtype', 'crypto_openssl', '--optype', 'cipher-then-auth',
         '--cipher-algo', 'aes-cbc', '--cipher-key-sz', '16', '--cipher-iv-sz', '16', '--cipher-op', 'encrypt',
         '--auth-algo', 'sha1-hmac', '--auth-op', 'generate', '--auth-key-sz', '64', '--digest-sz', '20',
         '--total-ops', str(OPERATIONS), '--burst-sz', '32', '--buffer-sz', '64', '--pool-sz', '2048'],
        60, environment(**env))
    check(status == 0, '%s: status %d\n%s' % (ops, status, out))
    row = re.search(r'^ +1 +64 +32 +(\d+) +(\d+) +\d+ +\d+ ', out, re.M)
    check(row and row.group(1) == row.group(2) == str(OPERATIONS), '%s: %s' % (ops, out[-2000:]))
    lines = [line for line in out.split('\n') if line.startswith('PAGEPOOL: pool ')]
    check('PAGEPOOL: pool pool_cdev_0_qp_0: 2048 objects, policy' in ' '.join(lines), '%s: %s' % (ops, out[:3000]))
    check(not [line for line in lines if 'object 0x' in line or 'destroyed' in line], lines)
    check(any('lcore caches of 0 objects, not 512' in line for line in lines) == bool(env), lines)
    say('ok: %s%s: %s operations' % (ops, ''.join(', %s=%s' % item for item in env.items()), row.group(2)))


need('dpdk-test-crypto-perf')
for ops in ('pagepool', 'pagepool_debug'):
    run_one(ops)
    run_one(ops, PAGEPOOL_LCORE_CACHE='0')
