# SPDX-License-Identifier: BSD-3-Clause
"""harness.py - run DPDK's own programs with the plugin, and take away what they leave

PP_PLUGIN is the plugin's path. It is given to EAL by its bare name, found by LD_LIBRARY_PATH,
because EAL refuses a path below a directory that everybody may write to.
"""
import atexit
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time

PLUGIN = os.path.abspath(os.environ.get('PP_PLUGIN', 'build/drivers/librte_mempool_pagepool.so'))
NAME = os.path.splitext(os.path.basename(sys.argv[0]))[0]
FULL = os.environ.get('PP_FULL') == '1'
CPUS = sorted(os.sched_getaffinity(0))
_prefixes = []
_programs = []
_borrowed = 0
_huge_dir = None


def say(text):
    print('%s: %s' % (NAME, text), flush=True)


def fail(text):
    say('FAILED: %s' % (text,))
    sys.exit(1)


def check(condition, text):
    if not condition:
        fail(text)


def skip(text):
    print('SKIP: ' + text, flush=True)
    sys.exit(77)


def until(condition, text, seconds=30):
    """waits for an event; its end is generous, for a machine that is busy with other things"""
    end = time.time() + seconds
    while not condition():
        check(time.time() < end, text)
        time.sleep(0.05)


def need(*programs):
    if os.geteuid() != 0:
        skip('needs root, for DPDK')
    if len(CPUS) < 2:
        skip('needs two CPUs')
    for name in programs:
        check(shutil.which(name), '%s is missing; sh test/deps.sh test installs it' % name)
    check(os.path.exists(PLUGIN), '%s is not built' % PLUGIN)


# ---- what is borrowed from the machine -----------------------------------------------------------

def hugepages():
    with open('/proc/meminfo') as f:
        text = f.read()
    return [int(re.search(r'HugePages_%s:\s+(\d+)' % what, text).group(1))
            for what in ('Total', 'Free')]


def _set_hugepages(n):
    with open('/proc/sys/vm/nr_hugepages', 'w') as f:
        f.write('%d\n' % n)


def borrow_hugepages(n):
    """at least n free ones of 2 MiB; False if the machine has not so many"""
    global _borrowed, _huge_dir
    if not _huge_dir:
        place = '/var/tmp/ppl-%d-huge' % os.getpid()
        os.mkdir(place)
        if subprocess.call(['mount', '-t', 'hugetlbfs', 'none', place]):
            os.rmdir(place)
            return False
        _huge_dir = place
    total, free = hugepages()
    if free < n:
        _set_hugepages(total + n - free)
        _borrowed += hugepages()[0] - total
    return hugepages()[1] >= n


def need_hugepages(n):
    if not borrow_hugepages(n):
        skip('needs %d hugepages of 2 MiB; this machine gave %d' % (n, hugepages()[1]))


def prefix(tag):
    name = 'ppl%d%s' % (os.getpid(), tag)
    _prefixes.append(name)
    return name


def _remove(name):
    shutil.rmtree('/var/run/dpdk/' + name, ignore_errors=True)


@atexit.register
def _cleanup():
    for program in _programs:
        program.kill()
    for name in _prefixes:
        _remove(name)
    if _huge_dir:
        subprocess.call(['umount', '-l', _huge_dir])
        os.rmdir(_huge_dir)
    if _borrowed:
        _set_hugepages(max(hugepages()[0] - _borrowed, 0))


def _terminated(number, frame):
    sys.exit(1)


signal.signal(signal.SIGTERM, _terminated)
signal.signal(signal.SIGINT, _terminated)


def environment(**more):
    env = dict(os.environ)
    places = [os.path.dirname(PLUGIN)]
    places += [os.path.dirname(os.environ[key]) for key in ('PP_DUMMY',) if key in os.environ]
    env['LD_LIBRARY_PATH'] = ':'.join(places + env.get('LD_LIBRARY_PATH', '').split(':')).rstrip(':')
    for key in ('PAGEPOOL_POLICY', 'PAGEPOOL_HIGH', 'PAGEPOOL_BATCH', 'PAGEPOOL_LCORE_CACHE'):
        env.pop(key, None)
    env.update(more)
    return env


def eal(tag, huge=False, lcores=None, memory=None, plugin=True, extra=()):
    """EAL's arguments; lcores 0 and 1 on the first two CPUs unless told"""
    args = ['--lcores', lcores or '0@%d,1@%d' % (CPUS[0], CPUS[1]), '--no-pci',
            '--file-prefix=' + prefix(tag)]
    if not huge:
        args += ['--no-huge', '-m', str(memory or 256)]
    else:
        args += ['--huge-dir', _huge_dir] + (['-m', str(memory)] if memory else [])
    if plugin:
        args += ['-d', os.path.basename(PLUGIN)]
    return args + list(extra)


def run(command, timeout=120, env=None):
    """exit status and all that it said; killed and -9 after the timeout"""
    p = subprocess.Popen(command, env=env or environment(), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors='replace')
    try:
        out, _ = p.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        p.kill()
        out, _ = p.communicate()
        out += '\n(killed after %d s)' % timeout
    return p.returncode, out


class Program:
    """a program that is talked to"""

    def __init__(self, command, env=None, namespace=None):
        if namespace:
            command = ['ip', 'netns', 'exec', namespace] + command
        self.log = ''
        self.p = subprocess.Popen(['stdbuf', '-oL'] + command, env=env or environment(),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        _programs.append(self)

    def kill(self):
        if self.p.poll() is None:
            self.p.kill()
            self.p.wait()

    def wait_for(self, what, timeout=60):
        """what it says up to there"""
        end = time.time() + timeout
        start = len(self.log)
        while True:
            at = self.log.find(what, start)
            if at >= 0:
                return self.log[start:at]
            left = end - time.time()
            if left <= 0 or not select.select([self.p.stdout], [], [], left)[0]:
                fail('"%s" did not come within %d s; it said:\n%s' %
                     (what, timeout, self.log[-3000:]))
            data = os.read(self.p.stdout.fileno(), 65536)
            if not data:
                fail('ended with %s; it said:\n%s' % (self.p.wait(), self.log[-3000:]))
            self.log += data.decode(errors='replace')

    def tell(self, line):
        try:
            self.p.stdin.write((line + '\n').encode())
            self.p.stdin.flush()
        except BrokenPipeError:
            self.wait_for('(it should be running)')

    def finish(self, timeout=60):
        """all that is left of its output; it ends by itself"""
        try:
            out, _ = self.p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            fail('does not end; it said:\n' + self.log[-3000:])
        self.log += out.decode(errors='replace')
        return self.p.returncode


class Testpmd(Program):
    def __init__(self, eal_args, args=(), ops='pagepool', env=None, namespace=None):
        eal_args = list(eal_args)
        if ops:
            eal_args.append('--mbuf-pool-ops-name=' + ops)
        super().__init__(['dpdk-testpmd'] + eal_args + ['--', '-i'] + list(args), env, namespace)
        self.prefix = [a for a in eal_args if a.startswith('--file-prefix=')][0].split('=')[1]
        self.wait_for('testpmd> ', 60)

    def ask(self, line, timeout=60):
        self.tell(line)
        return self.wait_for('testpmd> ', timeout)

    def stats(self):
        """what all ports received and sent so far"""
        text = self.ask('show port stats all')
        return [sum(int(n) for n in re.findall(what + r':\s+(\d+)', text))
                for what in ('RX-packets', 'TX-packets')]

    def forwarding(self, packets=1000, which=1):
        """waits until so many more were sent (0: received)"""
        before = self.stats()[which]
        until(lambda: self.stats()[which] - before > packets,
              'testpmd did not forward %d packets' % packets)

    def rate(self, seconds):
        before = self.stats()
        start = time.time()
        time.sleep(seconds)
        after = self.stats()
        return (after[1] - before[1]) / (time.time() - start)

    def pools(self):
        return telemetry(self.prefix, '/pagepool/list')

    def info(self, name=None):
        return telemetry(self.prefix, '/pagepool/info,' + (name or self.pools()[0]))

    def dump(self, name):
        """what rte_mempool_dump() says: in the pool, in lcores' caches"""
        text = self.ask('dump_mempool ' + name)
        if 'common_pool_count' not in text: # newer releases spell it so
            text = self.ask('dump mempool ' + name)
        common = re.search(r'common_pool_count=(\d+)', text)
        check(common, 'dump mempool %s: %s' % (name, text))
        return int(common.group(1)), sum(int(n) for n in re.findall(r'cache_count\[\d+\]=(\d+)',
                                                                    text))

    def quit(self):
        self.tell('quit')
        check(self.finish() == 0, 'testpmd ended with %d:\n%s' % (self.p.returncode,
                                                                  self.log[-2000:]))
        return self.log


# ---- telemetry -----------------------------------------------------------------------------------

def telemetry(name, command):
    """the answer of a DPDK process, or None if it has none"""
    path = '/var/run/dpdk/%s/dpdk_telemetry.v2' % name
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(10)
        until(lambda: not s.connect_ex(path), '%s: no telemetry' % name)
        most = json.loads(s.recv(16384))['max_output_len']
        s.send(command.encode())
        answer = json.loads(s.recv(most))
    return list(answer.values())[0]


def ledger(info):
    """the equation that always holds; what is out"""
    check(info['free'] + info['cached'] + info['out'] == info['managed'] == info['size'],
          'the ledger does not add up: %s' % info)
    return info['out']
