# SPDX-License-Identifier: BSD-3-Clause
"""ovs.py [packets|pipeline|smallest]... - Debian's Open vSwitch, unmodified, on our pools

Each run has a database and a run directory of its own, in a network namespace of its own. The
commands that switch pagepool on and off are those of doc/ovs.md.
smallest, by hand: how few mbufs two PMD threads need on pagepool and on ring_mp_mc.
"""
import hashlib

from harness import *

VSWITCHD = '/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk'
SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema'
TMP = '/var/tmp/ppl-%d' % os.getpid()
NAMES = ['ppl-%d-%s' % (os.getpid(), end) for end in 'rab']
R, A, B = NAMES
MEGABYTES = 50
OUT = 2 # the third port's number
FEW = 768 # rte_mempool makes no smaller pool for a program that wants lcore caches of 512
_runs = iter(range(1000))

SEND = ('import socket,sys\n'
        's=socket.create_connection(("10.78.0.2",7))\n'
        'block=bytes(range(256))*4096\n'
        'for i in range(int(sys.argv[1])): s.sendall(block)\n')
RECEIVE = ('import hashlib,socket\n'
           's=socket.create_server(("10.78.0.2",7))\nprint("listens",flush=True)\n'
           'c=s.accept()[0]\nh=hashlib.sha256()\n'
           'while 1:\n d=c.recv(1<<20)\n if not d: break\n h.update(d)\nprint(h.hexdigest())\n')


def remove_namespaces():
    for name in NAMES:
        run(['ip', 'netns', 'del', name], 10)


def sh(*command, env=None):
    status, out = run(list(command), 60, env)
    check(status == 0, '%s: %s' % (' '.join(command), out))
    return out


def guide(name):
    """a block of commands of doc/ovs.md"""
    with open(os.environ.get('PP_SOURCE', '.') + '/doc/ovs.md') as f:
        block = re.search(r'<!-- run: %s -->\n```sh\n(.*?)```' % name, f.read(), re.S)
    check(block, 'doc/ovs.md has no commands "%s"' % name)
    return block.group(1)


class Switch:
    """a database server and a switch with two PMD threads, in namespace R"""

    def __init__(self, ops='pagepool', config=(), **env):
        self.run = '%s/%d' % (TMP, next(_runs))
        os.mkdir(self.run)
        self.ops = ops
        self.env = environment(**dict(env, **{'OVS_%sDIR' % d: self.run
                                              for d in ('RUN', 'LOG', 'DB', 'SYSCONF')}))
        base, socket_name = self.run + '/conf.db', 'unix:%s/db.sock' % self.run
        sh('ovsdb-tool', 'create', base, SCHEMA)
        self.db = Program(['ovsdb-server', base, '--remote=p' + socket_name,
                           '--pidfile=%s/db.pid' % self.run], self.env)
        until(lambda: os.path.exists(self.run + '/db.sock'), 'the database does not start')
        self.prefix = prefix('o')
        self.vsctl('--no-wait', 'init')
        asked, more = '--mbuf-pool-ops-name=pagepool', ' --no-pci --file-prefix=' + self.prefix
        commands = guide('switch on')
        check(commands.count(asked) == 1, commands)
        self.shell(commands.replace(asked, '--mbuf-pool-ops-name=' + ops + more))
        self.vsctl('--no-wait', 'set', 'Open_vSwitch', '.',
                   'other_config:dpdk-lcore-mask=%x' % (1 << CPUS[0]),
                   'other_config:pmd-cpu-mask=%x' % (1 << CPUS[0] | 1 << CPUS[1]), *config)
        self.switch = Program([VSWITCHD, socket_name, '-vconsole:off', '--log-file=' + self.log(),
                               '--pidfile=%s/switch.pid' % self.run,
                               '--unixctl=%s/ctl' % self.run], self.env, R)
        self.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev')

    def log(self):
        return self.run + '/log'

    def said(self):
        with open(self.log()) as f:
            return f.read()

    def shell(self, commands):
        return sh('sh', '-e', '-c', commands, env=self.env)

    def vsctl(self, *args):
        return sh('ovs-vsctl', '-t', '40', *args, env=self.env)

    def port(self, name, devargs, *options):
        self.vsctl('add-port', 'br0', name, '--', 'set', 'interface', name, 'type=dpdk',
                   'options:dpdk-devargs=' + devargs, *options)
        error = self.vsctl('get', 'interface', name, 'error').strip()
        check(error == '[]', '%s: %s\n%s' % (devargs, error, self.said()[-3000:]))

    def flows(self, *pairs):
        sh('ovs-ofctl', 'del-flows', 'br0', env=self.env)
        for pair in pairs:
            sh('ovs-ofctl', 'add-flow', 'br0', 'in_port=%s,actions=output:%s' % pair, env=self.env)

    def infos(self):
        return [telemetry(self.prefix, '/pagepool/info,' + name)
                for name in telemetry(self.prefix, '/pagepool/list')]

    def sent(self, port):
        return telemetry(self.prefix, '/ethdev/stats,%d' % port)['opackets']

    def quit(self):
        sh('ovs-appctl', '-t', self.run + '/ctl', 'exit', env=self.env)
        check(self.switch.finish() == 0, 'ovs-vswitchd ended with %d:\n%s' %
              (self.switch.p.returncode, self.said()[-3000:]))
        self.db.kill()
        bad = [line for line in self.said().split('\n') if 'PAGEPOOL' in line]
        check(not bad, bad)


def cable(end, name, address):
    """a veth from R to a namespace"""
    sh('ip', '-n', R, 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'v', 'netns', end)
    sh('ip', '-n', R, 'link', 'set', name, 'up')
    sh('ip', '-n', end, 'addr', 'add', address, 'dev', 'v')
    sh('ip', 'netns', 'exec', end, 'ethtool', '-K', 'v', 'tx', 'off')
    sh('ip', '-n', end, 'link', 'set', 'v', 'up')


def transfer():
    """50 MB over TCP from A to B; seconds"""
    server = Program([sys.executable, '-c', RECEIVE], None, B)
    server.wait_for('listens')
    start = time.time()
    sh('ip', 'netns', 'exec', A, sys.executable, '-c', SEND, str(MEGABYTES))
    check(server.finish() == 0, server.log)
    seconds = time.time() - start
    wanted = hashlib.sha256(bytes(range(256)) * 4096 * MEGABYTES).hexdigest()
    check(server.log.split()[-1] == wanted, 'other bytes came out than went in')
    return seconds


def test_packets():
    """two net_af_packet ports: ping and TCP through the switch, and the pool's ledger"""
    cable(A, 'west', '10.78.0.1/24')
    cable(B, 'east', '10.78.0.2/24')
    switch = Switch(config=['other_config:per-port-memory=true'], PAGEPOOL_LCORE_CACHE='0')
    switch.port('west', 'net_af_packet0,iface=west')
    switch.port('east', 'net_af_packet1,iface=east')
    switch.flows(('west', 'east'), ('east', 'west'))
    sh('ip', 'netns', 'exec', A, 'ping', '-c', '3', '-i', '0.2', '-w', '30', '10.78.0.2')
    seconds = transfer()
    check(switch.sent(1) > MEGABYTES * 600, 'sent: %d' % switch.sent(1))
    infos = switch.infos()
    check(infos, 'no pool of the switch is on pagepool')
    for info in infos:
        ledger(info)
        check(info['ops'] == 'pagepool' and (info['lcore_cache'], info['lcore_cache_asked']) ==
              (0, 512) and info['failures'] == 0, str(info))
    name = infos[0]['name']
    looks = guide('look inside').replace('NAME', name).replace('telemetry.py', 'telemetry.py -f ' + switch.prefix)
    check(name in switch.shell(looks) and 'lcore_cache_asked' in switch.shell(looks), looks)
    switch.shell(guide('switch back'))
    check('dpdk-extra' not in switch.vsctl('get', 'Open_vSwitch', '.', 'other_config'), 'not switched back')
    switch.quit()
    say('ok: %d MB over TCP in %.2f s, pools of %s mbufs' %
        (MEGABYTES, seconds, [info['size'] for info in infos]))


def few(ops, mbufs, **env):
    return Switch(ops, ['other_config:dpdk-socket-limit=256'], LD_PRELOAD=os.environ['PP_FEW_MBUFS'],
                  PP_MBUFS=str(mbufs), **env)


def pipeline(ops, mbufs, **env):
    """one PMD thread takes mbufs from the pool for net_null0 and sends them through net_ring0 to
    the other, which gives them back by sending them to net_null1"""
    switch = few(ops, mbufs, **env)
    # a PMD thread sends to the queue that has its number: so all of them are read
    for name, devargs, queues, core in (('in', 'net_null0', 1, CPUS[0]), ('ring', 'net_ring0', 3, CPUS[1]),
                                        ('out', 'net_null1,no-rx=1', 1, CPUS[1])):
        pins = ','.join('%d:%d' % (queue, core) for queue in range(queues))
        switch.port(name, devargs, 'options:n_rxq=%d' % queues, 'other_config:pmd-rxq-affinity="%s"' % pins)
    switch.flows(('in', 'ring'), ('ring', 'out'))
    return switch


def rate(switch, seconds=0.4):
    before, start = switch.sent(OUT), time.time()
    time.sleep(seconds)
    return (switch.sent(OUT) - before) / (time.time() - start) / 1e6


def test_pipeline():
    """with as few mbufs as rte_mempool allows, ring_mp_mc stalls and pagepool does not"""
    switch = pipeline('pagepool', FEW, PAGEPOOL_LCORE_CACHE='0')
    until(lambda: switch.sent(OUT) > 1000000, 'does not forward: %d' % switch.sent(OUT))
    check(len(switch.infos()) == 1, 'pools: %s' % switch.infos())
    info = switch.infos()[0]
    check(info['size'] == FEW and info['lcore_cache'] == 0, str(info))
    ledger(info)
    switch.quit()
    switch = pipeline('ring_mp_mc', FEW)
    stalled = rate(switch, 1)
    switch.quit()
    check(stalled < 0.1, 'ring_mp_mc did not strand: the test shows nothing')
    say('ok: two PMD threads, %d mbufs: ring_mp_mc forwards %.3f Mpps' % (FEW, stalled))


def most_out(switch, looks=40):
    most = 0
    for _ in range(looks):
        most = max(most, switch.infos()[0]['out'])
        time.sleep(0.02)
    return most


def each(ops, mbufs, **env):
    """each PMD thread receives from a port of its own and sends to the other one"""
    switch = few(ops, mbufs, **env)
    for name, devargs, core in (('a', 'net_null0', CPUS[0]), ('b', 'net_null1', CPUS[1])):
        switch.port(name, devargs, 'other_config:pmd-rxq-affinity="0:%d"' % core)
    switch.flows(('a', 'b'), ('b', 'a'))
    return switch


def windows(switch, ports):
    """packets sent to these ports, in millions a second: three windows"""
    time.sleep(0.7)
    rates = []
    for _ in range(3):
        before, start = sum(switch.sent(port) for port in ports), time.time()
        time.sleep(0.5)
        sent = sum(switch.sent(port) for port in ports) - before
        rates.append('%.2f' % (sent / (time.time() - start) / 1e6))
    switch.quit()
    return ', '.join(rates)


def test_smallest():
    for make, ports, sizes in ((pipeline, (OUT,), (4096, 1024, 896, FEW)), (each, (0, 1), (65536, 4096, FEW))):
        for mbufs in sizes:
            for ops, env in (('ring_mp_mc', {}), ('pagepool', {'PAGEPOOL_LCORE_CACHE': '0'})):
                say('%s, %s%s, %d mbufs: %s Mpps' % (make.__name__, ops, ', no lcore caches' if env else '', mbufs,
                                                     windows(make(ops, mbufs, **env), ports)))
    for env in ({}, {'PAGEPOOL_LCORE_CACHE': '64'}, {'PAGEPOOL_LCORE_CACHE': '0'}):
        switch = each('pagepool', 4096, **env)
        until(lambda: min(switch.sent(0), switch.sent(1)) > 1000000, 'does not forward')
        say('two PMD threads, each from net_null to net_null, %s: at most %d mbufs out' % (env, most_out(switch)))
        switch.quit()


need('ovs-vsctl', 'ovsdb-server', 'ovs-ofctl', VSWITCHD, 'ip', 'ethtool', 'ping', 'stdbuf')
need_hugepages(192)
os.mkdir(TMP)
atexit.register(shutil.rmtree, TMP, True)
atexit.register(remove_namespaces)
for name in NAMES:
    sh('ip', 'netns', 'add', name)
    sh('ip', '-n', name, 'link', 'set', 'lo', 'up')
for case in sys.argv[1:] or ['packets', 'pipeline']:
    globals()['test_' + case]()
