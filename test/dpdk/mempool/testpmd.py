# SPDX-License-Identifier: BSD-3-Clause
"""testpmd.py [null|huge|pcap|af_xdp|policies]... - an unmodified testpmd on our pools: counts and ledgers"""
import struct

from harness import *

NS = 'ppl-%d' % os.getpid()


def nulls(n=2):
    return ['--vdev=net_null%d' % i for i in range(n)]


def home(pmd, name, mbufs):
    """traffic is stopped: rte_mempool and the plugin count the same, and only Rx rings hold any"""
    info = pmd.info(name)
    out = ledger(info)
    common, cached = pmd.dump(name)
    check(common == info['free'] + info['cached'],
          '%s: rte_mempool counts %d free, pagepool %d' % (name, common,
                                                           info['free'] + info['cached']))
    check(info['size'] == mbufs, '%s has %d objects, not %d' % (name, info['size'], mbufs))
    return out - cached


def forwards(pmd, mode='io', seconds=0.3):
    pmd.ask('set fwd ' + mode)
    before = pmd.stats()
    pmd.ask('start')
    time.sleep(seconds)
    pmd.forwarding(which=0)
    pmd.ask('stop')
    after = pmd.stats()
    check(after[0] - before[0] > 1000, '%s: only %d packets' % (mode, after[0] - before[0]))
    return after[0] - before[0]


def nothing_leaked(log):
    check('objects out' not in log, [l for l in log.split('\n') if 'objects out' in l])
    check('PAGEPOOL' not in log, [l for l in log.split('\n') if 'PAGEPOOL' in l])


def one(mbcache, mbufs, huge=False, policy='auto', ops='pagepool'):
    args = eal('n', huge, memory=None if huge else max(128, mbufs * 4200 // 1000000 + 64),
               extra=nulls())
    pmd = Testpmd(args, ['--mbcache=%d' % mbcache, '--total-num-mbufs=%d' % mbufs], ops,
                  environment(PAGEPOOL_POLICY=policy))
    pools = pmd.pools()
    check(len(pools) == 1, 'pools: %s' % pools)
    check(pmd.info()['ops'] == ops, 'ops: %s' % pmd.info()['ops'])
    if policy != 'auto':
        check(pmd.info()['policy'] == policy, 'policy: %s' % pmd.info()['policy'])
    packets = 0
    for mode in ('io', 'rxonly', 'txonly') if mbcache == 0 else ('io',):
        before = pmd.stats()[1]
        pmd.ask('set fwd ' + mode)
        pmd.ask('start')
        time.sleep(0.1)
        pmd.forwarding(which=0 if mode == 'rxonly' else 1)
        pmd.ask('stop')
        packets += pmd.stats()[1] - before
        out = home(pmd, pools[0], mbufs)
        check(out == 0, '%s: %d mbufs are out after stop' % (mode, out))
    check(packets > 1000, 'only %d packets' % packets)
    check(pmd.info()['failures'] == 0 or mbufs < 4096, 'gets failed: %s' % pmd.info())
    nothing_leaked(pmd.quit())
    say('ok: mbcache %d, %d mbufs, %s, %s, %s: %d packets' %
        (mbcache, mbufs, 'hugepages' if huge else 'no hugepages', ops, policy, packets))


def matrix(huge):
    for mbcache in (0, 32, 250, 512):
        one(mbcache, 2000 if mbcache < 512 else 4001, huge)
    one(0, 4001, huge)
    if FULL or huge:
        one(0, 200000 if not huge else 60000, huge)


def test_null():
    matrix(False)
    one(0, 200000)


def test_huge():
    need_hugepages(128)
    for mbcache, mbufs in ((0, 2000), (250, 20011), (0, 60000)):
        one(mbcache, mbufs, True)


def test_policies():
    for policy in ('rseq', 'trylock'):
        one(0, 2000, policy=policy)
        one(250, 4001, policy=policy)
    one(0, 2000, ops='pagepool_debug')


def capture(path, n):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(n):
            frame = bytes([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5]) + \
                i.to_bytes(4, 'big') + bytes(42)
            f.write(struct.pack('<IIII', 0, i, len(frame), len(frame)) + frame)


def records(path):
    """the numbers of the frames in a capture"""
    data, at, found = open(path, 'rb').read(), 24, []
    while at + 16 <= len(data):
        size = struct.unpack_from('<I', data, at + 8)[0]
        found.append(int.from_bytes(data[at + 16 + 14:at + 16 + 18], 'big'))
        at += 16 + size
    return found


def test_pcap():
    """every packet of a file comes out once, in order; and nothing is left behind"""
    tmp = '/var/tmp/ppl-%d' % os.getpid()
    os.mkdir(tmp)
    atexit.register(shutil.rmtree, tmp, True)
    n = 5000
    capture(tmp + '/in', n)
    pmd = Testpmd(eal('p', extra=['--vdev=net_pcap0,rx_pcap=%s/in,tx_pcap=%s/out' % (tmp, tmp)]),
                  ['--mbcache=0', '--total-num-mbufs=2000', '--no-flush-rx'])
    pmd.ask('start')
    until(lambda: pmd.stats()[1] >= n, 'not all came out: %s' % pmd.stats())
    pmd.ask('stop')
    check(pmd.stats() == [n, n], 'counts: %s' % pmd.stats())
    check(home(pmd, pmd.pools()[0], 2000) == 0, 'mbufs are out after stop')
    nothing_leaked(pmd.quit())
    check(records(tmp + '/out') == list(range(n)), 'the file is not what came in')
    say('ok: %d packets through net_pcap' % n)


def sh(*command):
    status, out = run(list(command), 20)
    check(status == 0, '%s: %s' % (' '.join(command), out))
    return out


def remove_namespace():
    run(['ip', 'netns', 'del', NS], 10)


def test_af_xdp():
    """a veth pair: what one end sends comes back to it

    On hugepages: net_af_xdp registers a pool's objects as if they followed each other without a
    gap, and misses those at the end where each has a page of its own.
    """
    need_hugepages(48)
    atexit.register(remove_namespace)
    sh('ip', 'netns', 'add', NS)
    sh('ip', '-n', NS, 'link', 'add', 'pplv0', 'type', 'veth', 'peer', 'name', 'pplv1')
    for name in ('pplv0', 'pplv1'):
        sh('ip', 'netns', 'exec', NS, 'sh', '-c',
           'echo 1 >/proc/sys/net/ipv6/conf/%s/disable_ipv6' % name)
        sh('ip', '-n', NS, 'link', 'set', name, 'up')
    pmd = Testpmd(eal('x', True, extra=['--vdev=net_af_xdp0,iface=pplv0,start_queue=0,queue_count=1'
                                  ',force_copy=1']),
                  ['--mbcache=0', '--total-num-mbufs=16384', '--forward-mode=macswap'],
                  namespace=NS)
    name = pmd.pools()[0]
    before = home(pmd, name, 16384)
    pmd.ask('start')
    code = ('import socket,time\n'
            's=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(0x88b5))\n'
            's.bind(("pplv1",0x88b5))\ns.settimeout(3)\ngot=0\n'
            'for i in range(2000):\n'
            ' s.send(bytes([2,0,0,0,0,1,2,0,0,0,0,2,0x88,0xb5])+i.to_bytes(4,"big")+bytes(42))\n'
            ' f=s.recv(2000)\n'
            ' while f[0:6]!=bytes([2,0,0,0,0,2]): f=s.recv(2000)\n'
            ' assert int.from_bytes(f[14:18],"big")==i\n got+=1\nprint(got)\n')
    status, out = run(['ip', 'netns', 'exec', NS, sys.executable, '-c', code], 60)
    check(status == 0, '%s\n%s' % (out, pmd.ask('show port stats all')))
    check(out.strip() == '2000', 'came back: ' + out)
    pmd.ask('stop')
    rx, tx = pmd.stats()
    check(rx == tx == 2000, 'testpmd counts %d and %d' % (rx, tx))
    after = home(pmd, name, 16384)
    # what the last packets still hold in the completion ring is bounded by that ring
    check(0 <= after <= before + 64, 'out: %d before, %d after' % (before, after))
    pmd.quit()
    say('ok: 2000 packets through net_af_xdp, %d of 16384 mbufs in its rings' % after)


def readme_command():
    """the plugin's command as README and the guide have it"""
    lines = []
    for page in '/README.md', '/doc/dpdk.md':
        with open(os.environ.get('PP_SOURCE', '.') + page) as f:
            lines += [line.strip() for line in f if line.startswith('dpdk-testpmd -d ')]
    check(len(lines) == 2 and lines[0] == lines[1], 'README and the guide have these commands: %s' % lines)
    return lines[0]


def test_install():
    """README's command after meson install, in a clean environment

    In a mount namespace of its own: /usr/local is empty there, and /etc a layer over the real one.
    """
    top = '/var/tmp/ppl-%d-i' % os.getpid()
    os.mkdir(top)
    atexit.register(shutil.rmtree, top, True)
    build = os.path.dirname(os.path.dirname(PLUGIN))
    prefix = json.loads(sh('meson', 'introspect', '--buildoptions', build))
    prefix = [o['value'] for o in prefix if o['name'] == 'prefix'][0]
    check(prefix == '/usr/local', 'the test expects the default prefix, not ' + prefix)
    args = eal('i', memory=128, plugin=False, extra=['--vdev=net_null0', '--vdev=net_null1'])
    command = readme_command().replace('...', ' '.join(args), 1) + \
        ' --total-num-mbufs=2000 --auto-start --forward-mode=io'
    script = ('''set -e
mount -t tmpfs tmpfs %(top)s && mkdir %(top)s/upper %(top)s/work
install=$(command -v meson)
cp -a /usr/local %(top)s/local && mount --bind %(top)s/local /usr/local
find /usr/local/lib -name "*pagepool*" -delete
mount -t overlay -o lowerdir=/etc,upperdir=%(top)s/upper,workdir=%(top)s/work overlay /etc
ldconfig
"$install" install -C %(build)s --no-rebuild >/dev/null
env -i PATH=/usr/bin:/bin timeout -s INT 4 %(command)s </dev/null
''' % {'top': top, 'build': build, 'command': command})
    status, out = run(['unshare', '-m', 'sh', '-c', script], 60)
    check(re.search(r'RX-packets: +[1-9].*TX-packets: +[1-9]', out, re.S),
          '%s\n%d\n%s' % (command, status, out[-3000:]))
    say('ok: ' + readme_command())


def test_driver_dir():
    """-Ddpdk_driver_dir=eal puts the plugin where EAL looks; configure prints the command"""
    source, build = os.environ.get('PP_SOURCE', '.'), '/var/tmp/ppl-%d-b' % os.getpid()
    atexit.register(shutil.rmtree, build, True)
    text = sh('meson', 'setup', build, source, '-Ddpdk_driver_dir=eal', '--auto-features=disabled',
              '-Ddpdk=enabled')
    check(re.search(r'DPDK program *: PROGRAM --mbuf-pool-ops-name=pagepool', text), text[-2000:])
    plan = json.loads(sh('meson', 'introspect', '--install-plan', build))
    places = [v['destination'] for v in plan['targets'].values()
              if 'rte_mempool_pagepool' in v['destination']]
    check(len(places) == 2 and any('/pagepool/' in p for p in places), 'install plan: %s' % places)
    places.sort(key=lambda p: '/pagepool/' in p)
    check(re.search(r'/dpdk/pmds-\d+\.\d+/librte_mempool_pagepool\.so$', places[0]) and
          os.path.isdir(os.path.dirname(places[0])), 'installed to %s' % places[0])
    text = sh('meson', 'configure', build, '-Ddpdk_driver_dir=') + \
        sh('meson', 'setup', '--reconfigure', build, source)
    check(re.search(r'PROGRAM -d /usr/local/lib\S*/librte_mempool_pagepool.so --mbuf', text),
          text[-2000:])
    say('ok: ' + places[0])


need('dpdk-testpmd', 'ip', 'stdbuf')
for case in sys.argv[1:] or ['null', 'huge', 'pcap', 'af_xdp', 'policies', 'install', 'driver_dir']:
    globals()['test_' + case]()
