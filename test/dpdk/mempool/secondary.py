# SPDX-License-Identifier: BSD-3-Clause
"""secondary.py [pdump|info|pair|outside]... - secondary processes on a primary's pools, killed -9"""
import random

from harness import *

KILLS = 200 if FULL else 20


def second(args):
    """the same arguments for a secondary, of which it takes a few"""
    keep = [a for a in args if a.startswith('--file-prefix')]
    for option in ('-d', '--huge-dir'):
        if option in args:
            keep += [option, args[args.index(option) + 1]]
    return keep + ['--no-pci', '--proc-type=secondary']


def one_pdump(path):
    """attach, kill, and see that testpmd goes on; what is out

    Not killed while it starts: it takes locks of EAL's heap and memory then, which are shared,
    and the death of their holder leaves testpmd waiting for them when it closes its port. No mempool
    can help that; pair() kills at moments at which only the pool is at work.
    """
    args = eal('d', True, extra=['--vdev=net_pcap0,rx_pcap=%s,tx_pcap=/dev/null,infinite_rx=1' %
                                 path])
    pmd = Testpmd(args, ['--mbcache=0', '--total-num-mbufs=8000'])
    name = [n for n in pmd.pools() if n.startswith('mb_pool')][0]
    kept = pmd.info(name)['out'] # infinite_rx has the file in mbufs
    pmd.ask('start')
    p = Program(['dpdk-pdump'] + second(args) +
                ['-l', '%d' % CPUS[1], '--', '--pdump', 'port=0,queue=*,rx-dev=/dev/null,'
                 'ring-size=256,mbuf-size=2176,total-num-mbufs=2047'])
    p.wait_for('core (', 20)
    time.sleep(random.random() * 0.4)
    p.kill()
    before = pmd.stats()[1]
    end = time.time() + 5
    while pmd.stats()[1] <= before + 1000:
        check(time.time() < end, 'forwarding stopped')
        time.sleep(0.1)
    ledger(pmd.info(name))
    pmd.ask('stop')
    info = pmd.info(name)
    check(info['processes'] == 1, 'the dead is still attached: %s' % info)
    common, cached = pmd.dump(name)
    check(common == info['free'] + info['cached'], str(info))
    pmd.quit()
    return info['out'] - kept


def test_pdump():
    """dpdk-pdump attached and killed while testpmd forwards

    A killed one leaves its ring and pool, and the next one would need their names: so each meets a
    testpmd of its own. It copies packets into its own pool, which holds none of testpmd's.
    """
    path = capture()
    for _ in range(KILLS):
        out = one_pdump(path)
        check(out == 0, '%d mbufs of testpmd are out' % out)
    say('ok: %d kills of dpdk-pdump, no mbuf of testpmd lost' % KILLS)


def capture():
    import struct
    path = '/var/tmp/ppl-%d.pcap' % os.getpid()
    atexit.register(lambda: os.path.exists(path) and os.unlink(path))
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(64):
            f.write(struct.pack('<IIII', 0, i, 60, 60) + bytes(60))
    return path


def test_info():
    """every program gives the ops the same number, so that proc-info shows the right ones"""
    args = eal('i', True, extra=['--vdev=net_null0'])
    pmd = Testpmd(args, ['--mbcache=0', '--total-num-mbufs=4000'])
    status, out = run(['dpdk-proc-info'] + second(args) + ['--', '--show-mempool=mb_pool_0'], 30)
    check(status == 0, 'dpdk-proc-info: %d %s' % (status, out[:3000]))
    check(re.search(r'ops_name[ :=]+pagepool\b', out, re.I) or 'pagepool' in out,
          'dpdk-proc-info shows other ops:\n' + out)
    count = re.search(r'avail[^\d]*(\d+)', out)
    check(count and int(count.group(1)) == pmd.info()['free'] + pmd.info()['cached'],
          'dpdk-proc-info counts otherwise:\n' + out)
    numbers = [int(telemetry(pmd.prefix, '/mempool/info,mb_pool_0')['ops_index'])]
    pmd.quit()
    status, out = run([os.environ['PP_MEMPOOL_API']] + eal('j', memory=64) + ['--', 'ops'])
    check(status == 0, out)
    numbers.append(int(re.search(r'index (\d+)', out).group(1)))
    check(len(set(numbers)) == 1, 'numbers of the ops: %s' % numbers)
    say('ok: ops number %d everywhere' % numbers[0])


def pair(policy):
    program = os.environ['PP_MEMPOOL_PAIR']
    args = eal('p', True, memory=64, lcores='0@%d' % CPUS[0])
    first = Program([program] + args + ['--', '0'], environment(PAGEPOOL_POLICY=policy))
    name = [a for a in args if a.startswith('--file-prefix=')][0].split('=')[1]
    first.wait_for('ready', 30)

    def start(slot):
        p = Program([program] + second(args) + ['-l', '%d' % CPUS[1], '--', str(slot)])
        p.wait_for('ready', 30)
        return p

    seconds = [start(1), start(2)]
    for i in range(KILLS):
        at = random.randrange(2)
        time.sleep(random.random() * 0.05)
        seconds[at].kill()
        first.tell('bury %d' % (at + 1))
        first.wait_for('unknown\n', 20)
        seconds[at] = start(at + 1)
        if i % 5 == 4 or i + 1 == KILLS:
            first.tell('check')
            text = first.wait_for(' calls\n', 30)
            lost, unknown = (int(n) for n in re.search(r'(\d+) of \d+ lost, (\d+) unknown', text).groups())
            info = telemetry(name, '/pagepool/info,pair')
            # one that was killed before its first call was never attached
            check(info['processes'] <= 3 and i // 4 <= info['died'] <= i + 1, str(info))
            # a batch may be on its way between a cache and the common area; trylock: a cache
            most = unknown + (i + 1) * (info['batch'] + (info['high'] if policy == 'trylock' else 0))
            check(lost <= most, '%d objects lost, at most %d' % (lost, most))
    say('ok: %s: %d kills, %d objects lost, %d unknown in their last calls' %
        (policy, KILLS, lost, unknown))
    for p in seconds:
        p.kill()
    first.tell('quit')
    check(first.finish() == 0, first.log)


def test_pair():
    for policy in ('rseq', 'trylock'):
        pair(policy)


def grow(policy):
    """a pool of 1,000 objects grows in its primary and in a secondary, while both use it"""
    program = os.environ['PP_MEMPOOL_PAIR']
    args = eal('g', True, memory=64, lcores='0@%d' % CPUS[0])
    name = [a for a in args if a.startswith('--file-prefix=')][0].split('=')[1]
    first = Program([program] + args + ['--', '0', '1'], environment(PAGEPOOL_POLICY=policy))
    first.wait_for('ready', 30)

    def is_whole(objects):
        first.tell('check')
        text = first.wait_for(' calls\n', 30)
        check('checked, 0 of %d lost' % objects in text, text)
        info = telemetry(name, '/pagepool/info,pair')
        check(info['managed'] == objects and info['size'] == 4000 and info['died'] == 0, str(info))

    is_whole(1000)
    seconds = [Program([program] + second(args) + ['-l', '%d' % CPUS[1], '--', '1'])]
    seconds[0].wait_for('ready', 30)
    first.tell('grow')
    first.wait_for('grown to 2000', 30)
    is_whole(2000)
    seconds.append(Program([program] + second(args) + ['-l', '%d' % CPUS[1], '--', '2', '1']))
    seconds[1].wait_for('ready', 30)
    is_whole(3000)
    first.tell('grow')
    first.wait_for('grown to 4000', 30)
    is_whole(4000)
    for p in seconds:
        p.kill()
    first.tell('quit')
    check(first.finish() == 0, first.log)
    say('ok: %s: a pool grew in two processes' % policy)


def test_grow():
    for policy in ('rseq', 'trylock'):
        grow(policy)


def outside(policy, kind, option):
    """a secondary in a namespace of another kind of time or numbers is refused in words"""
    program = os.environ['PP_MEMPOOL_PAIR']
    args = eal('n', True, memory=64, lcores='0@%d' % CPUS[0])
    name = [a for a in args if a.startswith('--file-prefix=')][0].split('=')[1]
    first = Program([program] + args + ['--', '0'], environment(PAGEPOOL_POLICY=policy))
    first.wait_for('ready', 30)
    p = Program(['unshare', '--fork', '--kill-child'] + option + [program] + second(args) +
                ['-l', '%d' % CPUS[1], '--', '1'])
    p.wait_for('was built in another %s namespace' % kind, 50) # may come in one piece with "ready"
    first.tell('check')
    text = first.wait_for(' calls\n', 30)
    check('checked, 0 of 4000 lost' in text, text)
    info = telemetry(name, '/pagepool/info,pair')
    check(info['processes'] == 1 and info['died'] == 0, str(info))
    p.kill()
    check(p.log.count('was built in another') == 1, p.log[-3000:])
    first.tell('quit')
    check(first.finish() == 0, first.log)
    say('ok: %s: a secondary in another %s namespace is refused' % (policy, kind))


def test_outside():
    for policy in ('rseq', 'trylock'):
        if os.path.exists('/proc/self/ns/time'):
            outside(policy, 'time', ['--time', '--boottime', '1000', '--monotonic', '1000'])
        outside(policy, 'PID', ['--pid'])


need('dpdk-testpmd', 'dpdk-pdump', 'dpdk-proc-info', 'stdbuf', 'unshare')
need_hugepages(128)
for case in sys.argv[1:] or ['pdump', 'info', 'pair', 'grow', 'outside']:
    globals()['test_' + case]()
