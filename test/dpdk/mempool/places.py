# SPDX-License-Identifier: BSD-3-Clause
"""places.py - both ops have a place and one number, whatever else takes places: 16 is all there are

PP_DUMMY is a plugin that takes two of them, or PP_DUMMY_OPS. PP_MEMPOOL_STATIC is api.c in a static program.
"""
from harness import *

API = os.environ['PP_MEMPOOL_API']
STATIC = os.environ.get('PP_MEMPOOL_STATIC')
DUMMY = os.environ['PP_DUMMY']
BOTH = ('pagepool', 'pagepool_debug')


def loaded(order):
    """-d for each; "d" the dummies, "p" the plugin"""
    files = {'d': os.path.basename(DUMMY), 'p': os.path.basename(PLUGIN)}
    return [word for letter in order for word in ('-d', files[letter])]


def numbers(program, order, env=None):
    """the numbers of both ops, and what the program said"""
    status, out = run([program] + eal('o', memory=64, lcores='0@%d' % CPUS[0], plugin=False,
                                      extra=loaded(order)) + ['--', 'ops'], 60, env)
    check(status == 0, '%s, %s: status %d\n%s' % (program, order, status, out))
    found = re.search(r'index (\d+) and (\d+)', out)
    check(found, out)
    return tuple(int(n) for n in found.groups()), out


def test_dummies():
    """testpmd on both ops, with two more in the table before and behind them"""
    for order in ('p', 'dp', 'pd'):
        got, out = numbers(API, order)
        check('not registered' not in out, out)
        check('d' not in order or 'dummy_ops: 2 of 2' in out, 'the dummies had no place:\n' + out)
        check('exceeded' not in out, 'a driver had no place:\n' + out)
        for ops in BOTH:
            pmd = Testpmd(eal('n', memory=128, plugin=False, extra=loaded(order) +
                              ['--vdev=net_null0', '--vdev=net_null1']),
                          ['--mbcache=0', '--total-num-mbufs=2000'], ops)
            index = int(telemetry(pmd.prefix, '/mempool/info,mb_pool_0')['ops_index'])
            check(index == got[BOTH.index(ops)], '%s: %s is number %d in testpmd and %s in api' %
                  (order, ops, index, got))
            pmd.ask('start')
            pmd.forwarding()
            pmd.ask('stop')
            check(ledger(pmd.info()) == 0 and pmd.info()['ops'] == ops, str(pmd.info()))
            pmd.quit()
        say('ok: -d %s: numbers %d and %d' % ((order,) + got))


def test_secondary():
    """another program, with the same plugins, looks at the primary's pool"""
    need_hugepages(64)
    for order in ('dp', 'pd'):
        args = eal('s', True, plugin=False, extra=loaded(order) + ['--vdev=net_null0'])
        pmd = Testpmd(args, ['--mbcache=0', '--total-num-mbufs=4000'])
        keep = [a for a in args if a.startswith('--file-prefix')] + ['--huge-dir',
                args[args.index('--huge-dir') + 1], '--no-pci', '--proc-type=secondary']
        status, out = run(['dpdk-proc-info'] + keep + loaded(order) +
                          ['--', '--show-mempool=mb_pool_0'], 30)
        check(status == 0 and 'pagepool' in out, 'dpdk-proc-info, %s: %d %s' % (order, status, out))
        count = re.search(r'avail[^\d]*(\d+)', out)
        check(count and int(count.group(1)) == 4000 - pmd.info()['out'], out)
        pmd.quit()
        say('ok: -d %s: dpdk-proc-info reads the pool' % order)


def test_full():
    """ops of another plugin stay in the table: the log says that it is full, and the program goes on"""
    status, out = run([API] + eal('f', memory=64, lcores='0@%d' % CPUS[0], plugin=False,
                                  extra=loaded('dp')) + ['--', 'ops'], 60,
                      environment(PP_DUMMY_OPS='16'))
    check('ops pagepool not registered: all 16 places are taken' in out, out)
    say('ok: a full table is named in the log')


def test_static():
    """a static program has its drivers, and no second DPDK is brought in"""
    if not STATIC:
        say('not built: the static program, as DPDK has no static libraries here')
        return
    for order in ('p', 'dp', 'pd'):
        got, out = numbers(STATIC, order)
        check('not registered' not in out, out)
        say('ok: static, -d %s: numbers %d and %d' % ((order,) + got))
    for case in ('double_free', 'out', 'no_memory'):
        status, out = run([STATIC] + eal('o', memory=64, lcores='0@%d' % CPUS[0]) + ['--', case], 60)
        check(status == 0, 'static, %s: %d\n%s' % (case, status, out))


def test_without():
    """in EAL's directory the plugin is loaded into programs without mempools, too"""
    status, out = run([os.environ['PP_EAL_ONLY']] + eal('e', memory=64, lcores='0@%d' % CPUS[0]), 60)
    check(status == 0 and 'runs' in out and 'PAGEPOOL' not in out, '%d %s' % (status, out))
    out = subprocess.run(['readelf', '-d', PLUGIN], capture_output=True, text=True).stdout
    check('NEEDED' in out and 'librte' not in out, 'the plugin needs a library of DPDK:\n' + out)
    say('ok: a program without mempools')


need('dpdk-testpmd', 'dpdk-proc-info', 'stdbuf', 'readelf')
for case in sys.argv[1:] or ['dummies', 'secondary', 'full', 'static', 'without']:
    globals()['test_' + case]()
