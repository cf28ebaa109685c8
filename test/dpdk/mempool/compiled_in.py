# SPDX-License-Identifier: BSD-3-Clause
"""compiled_in.py - programs with rte_mempool's cache size compiled in: PAGEPOOL_LCORE_CACHE

DPDK's l2fwd and skeleton, from the sources that Debian installs, unmodified; few_mbufs.so gives
them 1,200 mbufs. What lies in an lcore's cache counts as out: no other lcore can get it.
"""
from harness import *

SOURCES = {'l2fwd': '/usr/share/dpdk/examples/l2fwd/main.c',
           'skeleton': '/usr/share/dpdk/examples/skeleton/basicfwd.c'}
ASKED = {'l2fwd': 256, 'skeleton': 250}
MBUFS = 1200
# one burst received, and one burst kept for each port, on each of two lcores
IN_FLIGHT = 2 * (32 + 2 * 32)
TMP = '/var/tmp/ppl-%d' % os.getpid()


def build(name):
    flags = subprocess.check_output(['pkg-config', '--cflags', '--libs', 'libdpdk'], text=True).split()
    status, out = run(['cc', '-O2', '-w', '-o', TMP + '/' + name, SOURCES[name]] + flags, 120)
    check(status == 0, '%s does not build:\n%s' % (name, out))


def sent(name):
    return sum(telemetry(name, '/ethdev/stats,%d' % i)['opackets'] for i in range(2))


def most_out(name, setting):
    """the most mbufs out of reach, of 20 looks while it forwards; pagepool's telemetry"""
    env = environment(LD_PRELOAD=os.environ['PP_FEW_MBUFS'], PP_MBUFS=str(MBUFS))
    if setting is not None:
        env['PAGEPOOL_LCORE_CACHE'] = str(setting)
    lcores = '0@%d,1@%d' % (CPUS[0], CPUS[1]) if name == 'l2fwd' else '0@%d' % CPUS[0]
    args = eal('c', memory=256, lcores=lcores, extra=['--vdev=net_null0', '--vdev=net_null1',
                                                      '--mbuf-pool-ops-name=pagepool'])
    prefix = [a for a in args if a.startswith('--file-prefix=')][0].split('=')[1]
    p = Program([TMP + '/' + name] + args + (['--', '-p', '3', '-T', '0'] if name == 'l2fwd' else []),
                env)
    until(lambda: (telemetry(prefix, '/pagepool/list') or []) and sent(prefix) > 100000,
          '%s does not forward' % name, 60)
    pool = telemetry(prefix, '/pagepool/list')[0]
    most = 0
    for _ in range(20):
        info = telemetry(prefix, '/pagepool/info,' + pool)
        most = max(most, info['out'])
        time.sleep(0.02)
    before = sent(prefix)
    until(lambda: sent(prefix) > before + 100000, '%s stopped forwarding' % name)
    p.kill()
    check(info['size'] == MBUFS and info['lcore_cache_asked'] == ASKED[name], str(info))
    say('%s, PAGEPOOL_LCORE_CACHE %s: caches of %d, at most %d mbufs out of reach' %
        (name, setting, info['lcore_cache'], most))
    return most, info


need('cc', 'pkg-config', 'stdbuf')
for source in SOURCES.values():
    check(os.path.exists(source), '%s is missing; sh test/deps.sh test installs it' % source)
os.mkdir(TMP)
atexit.register(shutil.rmtree, TMP, True)
for name in SOURCES:
    build(name)
    asked, info = most_out(name, None)
    check(info['lcore_cache'] == ASKED[name], 'changed without being asked: %s' % info)
    none, info = most_out(name, 0)
    check(info['lcore_cache'] == 0, 'not taken: %s' % info)
    check(none <= IN_FLIGHT, '%d mbufs are out of reach' % none)
    check(asked > none, 'the lcore caches kept nothing: the test shows nothing')
    some, info = most_out(name, 64)
    check(info['lcore_cache'] == 64 and some <= IN_FLIGHT + 2 * 96, '%d out: %s' % (some, info))
