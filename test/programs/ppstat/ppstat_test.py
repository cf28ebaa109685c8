#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ppstat_test.py - ppstat on a running ppfwd, as a user meets it

usage: ppstat_test.py PPFWD PPSTAT APP JSON_C(0|1) [CASE ...]
"""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unicodedata

PPFWD, PPSTAT, APP = map(os.path.abspath, sys.argv[1:4])
HAVE_JSON = sys.argv[4] == '1'
TMP = tempfile.mkdtemp(prefix='pstat.', dir='/tmp')
SOCK = TMP + '/s'
checks = failed = 0


def ok(what, good, more=''):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, more), flush=True)
    return good


def run(*args, env=None, stdin=None):
    p = subprocess.run([PPSTAT, *map(str, args)], capture_output=True, timeout=30, env=env)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def fails(status, word, *args, env=None):
    rc, out, err = run(*args, env=env)
    ok('%s is refused' % ' '.join(args), rc == status and not out and err.count('\n') == 1 and
       err.startswith('ppstat: ') and word in err, (rc, out, err))


def until(condition, seconds=30):
    """whether it comes true; the end is generous, for a machine that is busy with other things"""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Fwd:
    """a running ppfwd that is stopped at the end, and must have lost nothing"""

    def __init__(self, *args, control=SOCK, env=None, seconds=60):
        self.control = control
        self.killed = False
        self.p = subprocess.Popen([PPFWD, *args, '--control', control, '--duration', str(seconds)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)

    def __enter__(self):
        end = time.monotonic() + 20
        while self.control != 'auto' and not self.forwards():
            if self.p.poll() is not None or time.monotonic() > end:
                raise SystemExit('ppfwd did not start: %s' % self.p.stdout.read().decode())
            time.sleep(0.02)
        return self

    def forwards(self):
        rc, out, err = run(self.control, '--json')
        return rc == 0 and sent(json.loads(out)) > 0

    def kill(self):
        self.p.kill()
        self.p.communicate()
        self.killed = True

    def __exit__(self, *unused):
        if self.killed:
            return
        self.p.send_signal(signal.SIGTERM)
        out = self.p.communicate(timeout=30)[0].decode()
        ok('every page came home', self.p.returncode == 0 and
           ' 0 leaked, 0 freed twice' in out, out)


def keys(kind):
    """the counters that there are, as the headers list them"""
    tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../counters.py')
    return subprocess.run([sys.executable, tool, '--keys', kind], capture_output=True, text=True,
                          check=True).stdout.split()


def stat(target=SOCK):
    rc, out, err = run(target, '--json')
    if not ok('stat', rc == 0, (rc, out, err)):
        raise SystemExit(1)
    return json.loads(out)


NULLS = ('--port', 'null', '--port', 'null')


def sent(s):
    """pages that all pools handed out: it grows as long as packets are forwarded"""
    return sum(p['rx_pp_alloc_fast'] for p in s['pools'])


def case_usage():
    rc, out, err = run('--help')
    ok('--help', rc == 0 and '--watch S' in out and not err)
    rc, out, err = run('--version')
    ok('--version', rc == 0 and re.fullmatch(r'ppstat \d+\.\d+\.\d+\n', out), out)
    for args in (('--frob',), ('--watch',), ('--watch', 'x'), ('--watch', '0'), ('--count', '3'),
                 ('--json=1',), ('a', 'b'), ('drain', 'a', 'b'), ('--zone', 'z'), ('',),
                 ('drain', '--lease', '1'), ('enable', '--timeout', '1'), ('list', 'x'),
                 ('drain', '--core', '1'), ('drain', '--zone', 'a b'), ('drain', '--zone', ''),
                 ('drain', '--zone', 'a=b'), ('drain', '--zone', 'z', '--core', '-1'),
                 ('disable', '--lease', '-1'), ('disable', '--timeout', '2'), ('trim', '--keep', '-1'),
                 ('holders', '--oldest', '0'), ('holders', '--track', 'yes'), ('trim', '--zone', 'z'),
                 ('drain', '--pool', 'p'), ('fault', '--at', 'zone_alloc'), ('fault', '--every', '1'),
                 ('fault', '--after', '1'), ('fault', '--every', 'x', '--at', 'zone_alloc'),
                 ('--prometheus', '--json'), ('--prometheus', '--watch', '1'), ('--out', 'x'),
                 ('--prometheus', '--out', ''), ('drain', '--out', 'x')):
        fails(2, ': ', *args)
    for name in '', 'a b', 'a=b', 'a\tb', '\x1b[2J', 'a\nb', 'x' * 65:
        for verb, option in ('drain', '--zone'), ('trim', '--pool'), ('holders', '--pool'):
            fails(2, ': no such name can be asked for; give its id', verb, option, name)


def case_absent():
    fails(1, 'No such file', TMP + '/nobody', '--json')
    fails(1, 'process 1:', '1', '--json')
    fails(1, 'longer than', '/' + 120 * 'x', '--json')
    open(TMP + '/file', 'w').close()
    fails(1, 'no program listens', TMP + '/file', '--json')


def serve(answer, hold=0):
    """a socket that is not pagepool's: its words to the first client"""
    path = TMP + '/odd'
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
    pid = os.fork()
    if not pid:
        c, _ = s.accept()
        c.recv(100)
        c.sendall(answer)
        time.sleep(hold)
        os._exit(0)
    s.close()
    return path, pid


def case_odd_servers():
    for answer, hold, word in ((b'', 0, 'has ended'), (b'{"version":1', 0, 'has ended'),
                               (b'hello\n', 0, 'no JSON'), (b'[1]\n', 0, 'no JSON'),
                               (b'{"version":2}\n', 0, 'version 2'), (b'{}\n', 0, 'version 0'),
                               (b'{"version":1,"error":{"code":"x","message":"a\x1b[2J"}}\n', 0,
                                'a?[2J'), (b'', 7, 'no answer within 5')):
        path, pid = serve(answer, hold)
        fails(1, word, path)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.unlink(path)
    odd = {'version': 1, 'zones': [{'name': '\x1b]0;x\x07\x9b', 'caches': 3}, 7, None],
           'pools': {'a': 1}, 'command': ['x'], 'pid': -1}
    for args in ((), ('--prometheus',)):
        path, pid = serve(json.dumps(odd).encode() + b'\n')
        rc, out, err = run(path, *args)
        ok('members of other kinds %s' % (args,), rc == 0 and (args or (
            '\x1b' not in out and '\x9b' not in out)), (rc, out, err))
        os.waitpid(pid, 0)
        os.unlink(path)


def case_views():
    with Fwd(*NULLS, '--trace') as f:
        s = stat()
        ok('its process', s['pid'] == f.p.pid and 'ppfwd' in s['command'])
        z = s['zones'][0]
        ok('pages add up', z['managed'] == sum(z[k] for k in (
            'free', 'cached', 'in_flight', 'isolated', 'unaccepted')), z)
        ok('a pool each', [p['name'] for p in s['pools']] == ['port0.q0', 'port1.q0'], s)
        ok('windows', z['windows']['windows'] > 0)
        rc, out, err = run(SOCK)
        ok('once', rc == 0 and not err and 'allocs/s' not in out and
           re.search(r'^zone \d+ ppfwd: trylock, ', out, re.M) and
           re.search(r'^  port1\.q0 ', out, re.M), out)
        rc, out, err = run(SOCK, '--watch', 0.3, '--count', 3)
        rates = re.findall(r'^  port0\.q0 .* ([0-9.]+[kMG]) +100\.00', out, re.M)
        ok('three samples, two with rates', rc == 0 and out.count('ppstat ') == 3 and
           out.count('allocs/s') == 4 and len(rates) == 3, (rates, out))
        ok('not for a terminal', '\x1b' not in out)
        rc, out, err = run(SOCK, '--watch', 0.1, '--count', 4, '--json')
        ok('JSON a line', rc == 0 and len(set(json.loads(l)['time_ns']
                                              for l in out.splitlines())) == 4, out[:200])
        rc, out, err = run(SOCK, '--prometheus')
        ok('--prometheus', rc == 0)
        check_prometheus(out, stat(), 'process="ppfwd",pid="%d"' % f.p.pid)


def check_prometheus(text, s, me):
    seen, kinds, done, last = {}, {}, set(), None
    for line in text.splitlines():
        m = re.fullmatch(r'# (HELP|TYPE) ([a-z0-9_]+) (.+)', line)
        if m:
            if m[1] == 'HELP':
                ok('%s once, its samples together' % m[2], m[2] not in done)
                done.add(m[2])
                last = m[2]
            else:
                kinds[m[2]] = m[3]
                ok('%s is known' % m[3], m[3] in ('counter', 'gauge'))
            continue
        m = re.fullmatch(r'([a-z0-9_]+)(\{[a-z_]+="(?:[^"\\]|\\.)*"(?:,[a-z_]+="(?:[^"\\]|\\.)*")*\}) '
                         r'([0-9.e+-]+)', line)
        if not ok('a sample', m, line):
            continue
        ok('names its program', m[2].startswith('{' + me), line)
        ok('below its type', m[1] == last and m[1] in kinds, line)
        ok('counters end so', (kinds[m[1]] == 'counter') == m[1].endswith('_total'), line)
        ok('once', m[1] + m[2] not in seen, line)
        seen[m[1] + m[2]] = float(m[3])
    z = s['zones'][0]
    key = 'pagepool_zone_%s_pages{' + me + ',zone="ppfwd",id="%d"}'
    ok('pages add up there, too', sum(seen[key % (k, z['id'])] for k in (
        'free', 'cached', 'in_flight', 'isolated', 'unaccepted')) == z['managed'])
    for kind, label in (('zone', ',zone="ppfwd",id="1"}'), ('pool', ',pool="port0.q0",id="1"}'),
                        ('window', ',zone="ppfwd",id="1"}')):
        for key in keys(kind):
            ok('answered: %s' % key, key in (z['windows'] if kind == 'window' else s[kind + 's'][0]))
            name = 'pagepool_%s_%s' % (kind, key.replace('rx_pp_', '').replace('_cycles', '_seconds'))
            found = [name + end for end in ('', '_pages', '_bytes', '_total', '_pages_total')
                     if name + end + '{' + me + label in seen]
            ok('a metric: %s' % key, len(found) == 1, found)
    # a count of pages says so, and time is in seconds
    ok('pages', 0 < seen['pagepool_pool_alloc_fast_pages_total{' + me + ',pool="port0.q0",id="1"}'] <=
       s['pools'][0]['rx_pp_alloc_fast'])
    ok('bytes', seen['pagepool_zone_page_size_bytes{' + me + ',zone="ppfwd",id="1"}'] == z['page_size'])
    longest = seen['pagepool_window_max_seconds{' + me + ',zone="ppfwd",id="1"}'] * s['tsc_hz']
    ok('seconds', 0 < longest <= z['windows']['max_cycles'] * 1.000001, (longest, z['windows']))


def metrics_of(sock):
    rc, out, err = run(sock, '--prometheus')
    ok('--prometheus', rc == 0, (rc, err))
    return out


def case_metrics():
    """two programs have no series in common; a file is replaced at once; a dashboard asks for what there is"""
    with Fwd(*NULLS, '--trace') as one, Fwd(*NULLS, '--trace', control=TMP + '/t') as two:
        def samples(sock):
            return {l.rsplit(' ', 1)[0] for l in metrics_of(sock).splitlines() if not l.startswith('#')}
        a, b = samples(SOCK), samples(TMP + '/t')
        ok('none in common', len(a) > 60 and len(a) == len(b) and not a & b, a & b)
        path = TMP + '/pagepool.prom'
        rc, out, err = run(SOCK, '--prometheus', '--out', path)
        ok('--out', rc == 0 and not out and not err, (rc, out, err))
        with open(path) as before:
            rc, out, err = run(TMP + '/t', '--prometheus', '--out', path, '--watch', 0.1, '--count', 2)
            ok('--out --watch', rc == 0 and not out, (rc, out, err))
            text = before.read()
            ok('a reader of the page before has all of it', 'pid="%d"' % one.p.pid in text and
               text.endswith('\n') and 'pagepool_faults_injected_total' in text, text[-200:])
        with open(path) as f:
            ok('and the next one the next', 'pid="%d"' % two.p.pid in f.read())
        mode = os.umask(0)
        os.umask(mode)
        ok('readable', os.stat(path).st_mode & 0o777 == 0o644 & ~mode)
        ok('nothing is left', not [n for n in os.listdir(TMP) if n.startswith('pagepool.prom.')], os.listdir(TMP))
        fails(1, '--out', SOCK, '--prometheus', '--out', TMP + '/none/x')
        fails(1, '--out', SOCK, '--prometheus', '--out', TMP)
        ok('nothing is left', not [n for n in os.listdir(TMP + '/..') if n.startswith(os.path.basename(TMP) + '.')])
        check_dashboard(metrics_of(SOCK))


# words of PromQL that are no metrics
WORDS = {'sum', 'rate', 'max', 'min', 'avg', 'by', 'without', 'increase', 'on', 'ignoring', 'group_left', 'topk'}


def check_dashboard(text):
    known = {}
    for name, labels in re.findall(r'^([a-z0-9_]+)\{(.*)\} ', text, re.M):
        known.setdefault(name, set()).update(re.findall(r'([a-z_]+)="', labels))
    kinds = dict(re.findall(r'^# TYPE (\S+) (\S+)', text, re.M))
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../../examples/ppstat/grafana.json')
    with open(path) as f:
        board = json.load(f)
    queries = [t['expr'] for p in board['panels'] for t in p.get('targets', [])]
    ok('panels with queries', len(queries) >= 10, queries)
    ok('places', len({(p['gridPos']['x'], p['gridPos']['y']) for p in board['panels']}) == len(board['panels']))
    queries += [v['definition'] for v in board['templating']['list'] if v['type'] == 'query']
    for query in queries:
        q = re.sub(r'label_values\((\w+)(\{[^}]*\})?, *(\w+)\)', r'sum by (\3) (\1\2)', query)
        names = [n for n in re.findall(r'\bpagepool_\w+', q)]
        ok('metrics', names and all(n in kinds for n in names), query)
        asked = set(re.findall(r'(\w+)=~?"', q))
        for group in re.findall(r'(?:by|without|on|ignoring|group_left) *\(([^)]*)\)', q):
            asked |= {w.strip() for w in group.split(',') if w.strip()}
        # a metric without samples here has the labels of its kind
        have = [known[n] for n in names if n in known]
        ok('labels', all(asked <= h for h in have), (query, asked, have))
        for n in names:
            ok('rate() of counters, and only of them', kinds.get(n) != 'counter' or
               re.search(r'(rate|increase)\(%s\b' % n, q), query)
            ok('no rate() of a gauge', kinds.get(n) == 'counter' or not re.search(r'(rate|increase)\(%s\b' % n, q),
               query)
        bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\([\w, ]*\)', ' ', q)
        other = {w for w in re.findall(r'[a-z_][a-z_0-9]+', bare) if not w.startswith('pagepool_')} - WORDS
        ok('known words', not other, (query, other))
        ok('parentheses', q.count('(') == q.count(')') and q.count('{') == q.count('}'), query)
    variables = {v['name'] for v in board['templating']['list']}
    ok('variables', set(re.findall(r'\$(\w+)', ' '.join(queries))) - {'__rate_interval'} <= variables, variables)
    promtool = shutil.which('promtool')
    if not promtool:
        print('promtool is not installed: the format was checked by this test alone')
        return
    p = subprocess.run([promtool, 'check', 'metrics'], input=text, capture_output=True, text=True, timeout=30)
    ok('promtool check metrics', p.returncode == 0 and not p.stderr, (p.stdout, p.stderr))
    rules = {'groups': [{'name': 'dashboard', 'rules': [
        {'record': 'r:%d' % i, 'expr': re.sub(r'\$__rate_interval', '1m', q).replace('$', '')}
        for i, q in enumerate(queries) if not q.startswith('label_values')]}]}
    path = TMP + '/rules.json'
    with open(path, 'w') as f:
        json.dump(rules, f) # JSON is YAML
    p = subprocess.run([promtool, 'check', 'rules', path], capture_output=True, text=True, timeout=30)
    ok('promtool check rules', p.returncode == 0, (p.stdout, p.stderr))


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in 'WF' else 1 for c in text)


def case_names():
    """a name of a program that is looked at is cut between characters, and moves no text"""
    bad = '\u202e\u200b\u2066\ufeff\x85\x1b\u0301\n'
    pool = {'zone': 1, 'cache': 2, 'ring': 3}
    answer = {'version': 1, 'pid': 7, 'command': 'x' + bad, 'time_ns': 5,
              'zones': [{'id': 1, 'name': 'zoné' + bad, 'policy': bad, 'memory': bad}],
              'pools': [dict(pool, id=i, name=n) for i, n in enumerate(
                  ('aaaaaaaaaaaaaéééé', '日本語日本語日本語日本語', 'a日本語日本語日本語日本語', 'b' + bad, 'ok'))],
              'ended': [{'id': 9, 'name': '日本語日本語日本語', 'threads': [
                  {'thread': 3, 'pages': 1, 'thread_name': 'é' + bad}]}],
              'faults': [{'at': 'zonë' + bad}]}
    path, pid = serve(json.dumps(answer).encode() + b'\n')
    rc, out, err = run(path) # run() decodes: no character was cut
    ok('shown', rc == 0 and not err, (rc, err))
    ok('no control, no direction, no line more', not set(out) & set(bad) - {'\n'} and
       out.count('\n') == 17, out)
    rows = re.findall(r'^  (.*) +1 +2 +3 ', out, re.M)
    ok('five pools, columns below each other', len(rows) == 5 and len({columns(r) for r in rows}) == 1, rows)
    ok('cut between characters', 'aaaaaaaaaaaaaé ' in out and '日本語日本語日 ' in out and
       'a日本語日本語 ' in out, out)
    ok('safe', 'zoné????????' in out and 'b????????' in out, out)
    os.waitpid(pid, 0)
    os.unlink(path)
    ages = {'ages': [1], 'holders': [{'thread_name': 'é' + bad, 'site': '/x/日' + bad}], 'name': bad}
    path, pid = serve(json.dumps({'version': 1, 'pools': [ages, dict(ages, failed=bad)]}).encode() + b'\n')
    rc, out, err = run('holders', path)
    ok('holders', not set(out + err) & set(bad) - {'\n'} and '日?' in out and err.count('\n') == 1, (out, err))
    os.waitpid(pid, 0)
    os.unlink(path)


def case_terminal():
    """on a terminal each sample replaces the one before, and no line is longer than it is wide"""
    with Fwd(*NULLS):
        pid, fd = pty.fork()
        if not pid:
            os.execv(PPSTAT, [PPSTAT, SOCK, '--watch', '0.2', '--count', '3'])
        import fcntl
        import struct
        import termios
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
        out = b''
        try:
            while select.select([fd], [], [], 10)[0]:
                data = os.read(fd, 65536)
                if not data:
                    break
                out += data
        except OSError:
            pass
        status = os.waitpid(pid, 0)[1]
        frames = out.decode().split('\x1b[H\x1b[2J')
        ok('three frames', status == 0 and len(frames) == 4 and not frames[0], out)
        widest = max(len(l) for f in frames[2:] for l in f.split('\r\n'))
        ok('80 columns', 40 < widest <= 80, (widest, frames[-1]))


def case_interrupt():
    with Fwd(*NULLS):
        p = subprocess.Popen([PPSTAT, SOCK, '--watch', '30'], stdout=subprocess.PIPE)
        select.select([p.stdout], [], [], 30)
        p.send_signal(signal.SIGINT)
        p.communicate(timeout=25)
        ok('an interrupt ends it', p.returncode == 0, p.returncode)
        p = subprocess.Popen([PPSTAT, SOCK, '--watch', '0.1'], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        select.select([p.stdout], [], [], 30)
    err = p.communicate(timeout=30)[1].decode()
    ok('the end of the program ends it', p.returncode == 1 and err.count('\n') == 1 and
       'ended' in err, (p.returncode, err))
    ok('the socket is gone', not os.path.exists(SOCK))


def case_drain():
    """the must: an idle core's cache is emptied from outside, and forwarding goes on"""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        print('SKIP: the idle core: this machine has one CPU')
        return
    rx = TMP + '/in.pcap'
    subprocess.run([PPFWD, '--engine', 'flowgen', '--packets', '5000', '--port', 'pcap:tx=' + rx],
                   check=True, stdout=subprocess.DEVNULL)
    # the second core has forwarded a file, and has no more to do
    with Fwd(*NULLS, '--port', 'pcap:rx=' + rx, '--port', 'pcap:tx=' + TMP + '/out.pcap',
             '--cores', '%d-%d' % tuple(cores) if cores[1] == cores[0] + 1 else
             '%d,%d' % tuple(cores)):
        idle = str(cores[1])
        until(lambda: stat()['pools'][2]['rx_pp_alloc_fast'] >= 5000)
        before = stat()
        cache = {str(c['core']): c for c in before['zones'][0]['caches']}
        held = cache[idle]['cached'] if idle in cache else 0
        ok('the idle core holds pages', held > 0, before)
        rc, out, err = run('drain', SOCK, '--zone', 'ppfwd', '--core', idle, '--timeout', 1)
        ok('all of them are drained', rc == 0 and
           out == 'zone %d: %d pages drained\n' % (before['zones'][0]['id'], held), (out, err))
        after = stat()
        cache = {str(c['core']): c['cached'] for c in after['zones'][0]['caches']}
        ok('none is left there', cache[idle] == 0, after)
        ok('they are free', after['zones'][0]['free'] == before['zones'][0]['free'] + held,
           (before, after))
        for what in ('drain', 'drain', 'disable', 'enable', 'drain'):
            old = sent(after)
            rc, out, err = run(what, SOCK)
            ok(what, rc == 0 and not err, (rc, out, err))
            ok('it forwards during %s' % what, until(lambda: sent(stat()) > old + 1000), old)
            after = stat()


def case_verbs():
    with Fwd(*NULLS):
        rc, out, err = run('disable', SOCK, '--lease', 30)
        ok('disable', rc == 0 and 'caches disabled' in out, (out, err))
        ok('shown', re.search(r'DISABLED for [123][0-9]\.', run(SOCK)[1]))
        run('disable', SOCK, '--lease', 0.2)
        ok('the lease is over', until(lambda: stat()['zones'][0]['disabled'] == 0))
        fails(1, 'no request of this socket has disabled', 'enable', SOCK)
        rc, out, err = run('disable', SOCK, '--zone', 'ppfwd')
        ok('disable for good', rc == 0 and 'DISABLED,' in run(SOCK)[1])
        rc, out, err = run('enable', SOCK, '--zone', 'ppfwd', '--json')
        ok('enable --json', rc == 0 and json.loads(out)['verb'] == 'enable', out)
        fails(1, 'there is none', 'drain', SOCK, '--zone', 'nobody')
        fails(1, 'caches are 0 .. ', 'drain', SOCK, '--zone', 'ppfwd', '--core', '9999')
        rc, out, err = run('drain', SOCK, '--zone', 'nobody', '--json')
        ok('an error is JSON, too', rc == 1 and 'error' in json.loads(out) and
           err.count('\n') == 1, (rc, out, err))
        run('disable', SOCK)
    # and with that the pages were counted: see Fwd


def case_pools():
    with Fwd(*NULLS):
        rc, out, err = run('trim', SOCK, '--pool', 'port1.q0', '--timeout', 1)
        ok('trim', rc == 0 and re.fullmatch(r'pool 2 port1\.q0: [0-9]+ pages trimmed\n', out),
           (rc, out, err))
        ok('counted', stat()['pools'][1]['trims'] >= 1 and stat()['pools'][0]['trims'] == 0)
        old = sent(stat())
        for i in range(20):
            rc, out, err = run('trim', SOCK, '--keep', i)
            ok('trim all', rc == 0 and out.count('trimmed') == 2, (rc, out, err))
        ok('it forwards', sent(stat()) > old + 1000)
        fails(1, 'there is none', 'trim', SOCK, '--pool', 'nobody')
        rc, out, err = run('holders', SOCK)
        ok('nothing is written down', rc == 0 and out.count('--track on') == 2, (out, err))
        rc, out, err = run('holders', SOCK, '--track', 'on', '--pool', 'port0.q0')
        ok('from now on it is', rc == 0 and '--track' not in out, (out, err))
        end = time.monotonic() + 5
        rows = []
        while not rows and time.monotonic() < end:
            rc, out, err = run('holders', SOCK, '--oldest', 3)
            rows = re.findall(r'^ +[0-9.]+ +[0-9]+:[0-9]+ +[0-9]+ ppfwd .*libpagepool.*$', out, re.M)
        ok('holders', rc == 0 and 1 <= len(rows) <= 3 and '< 100 ms' in out, out)
        rc, out, err = run('holders', SOCK, '--track', 'off', '--json')
        ok('holders --json', rc == 0 and json.loads(out)['pools'][0]['tracked'], out)
        ok('and no more', run('holders', SOCK)[1].count('--track on') == 2)


def listed():
    rc, out, err = run('list')
    return [l.split()[0] for l in out.splitlines()]


def case_find():
    env = dict(os.environ, XDG_RUNTIME_DIR=TMP)
    os.environ['XDG_RUNTIME_DIR'] = TMP
    with Fwd(*NULLS, control='auto', env=env) as one:
        # there is a moment between the name and listen()
        until(lambda: str(one.p.pid) in listed())
        ok('by its pid', stat(str(one.p.pid))['pid'] == one.p.pid)
        ok('listed', str(one.p.pid) in listed(), listed())
        if len(listed()) == 1:
            rc, out, err = run()
            ok('the only one', rc == 0 and 'pid %d ' % one.p.pid in out, (out, err))
        with Fwd(*NULLS, control='auto', env=env) as two:
            path = '%s/pagepool.%d.sock' % (TMP, two.p.pid)
            until(lambda: str(two.p.pid) in listed())
            fails(1, ' programs: ')
            rc, out, err = run()
            ok('names both', '%d (ppfwd)' % one.p.pid in err and
               '%d (ppfwd)' % two.p.pid in err, err)
            # another program's name for a pid
            os.rename(path, TMP + '/pagepool.%d.sock' % os.getpid())
            fails(1, 'no control socket', str(os.getpid()))
            os.rename(TMP + '/pagepool.%d.sock' % os.getpid(), path)
            two.kill()
            ok('the killed one left its socket', os.path.exists(path))
            ok('and is not listed', str(two.p.pid) not in listed(), listed())
            fails(1, 'no control socket', str(two.p.pid))
            os.unlink(path)
    if not listed():
        fails(1, 'no program')
        fails(1, 'no program', 'list')


def case_ppfwd():
    """--control of ppfwd itself"""
    def refused(word, *args):
        p = subprocess.run([PPFWD, *NULLS, '--duration', '0.1', *args], capture_output=True,
                           timeout=20)
        err = p.stderr.decode()
        ok('ppfwd %s' % ' '.join(args), p.returncode in (1, 2) and err.count('\n') == 1 and
           word in err, err)
    open(TMP + '/file', 'w').close()
    refused('is empty', '--control', '')
    refused('No such file', '--control', '/nonexistent/x')
    refused('not a socket', '--control', TMP + '/file')
    with Fwd(*NULLS) as f:
        refused('a running process listens', '--control', SOCK)
        ok('0600', os.stat(SOCK).st_mode & 0o777 == 0o600)
        f.kill()
        ok('it is left behind', os.path.exists(SOCK))
    with Fwd(*NULLS):
        time.sleep(0.1)
        ok('and replaced', stat()['version'] == 1)


class App:
    """test/programs/ppstat/app.c, told what to do"""

    def __init__(self, env=None):
        self.p = subprocess.Popen([APP, SOCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  env=env)
        self.me = 'process="%s",pid="%d"' % (os.path.basename(APP), self.p.pid)

    def __enter__(self):
        return self

    def __call__(self, *words):
        self.p.stdin.write((' '.join(map(str, words)) + '\n').encode())
        self.p.stdin.flush()
        return self.p.stdout.readline().decode().rstrip('\n')

    def __exit__(self, *unused):
        self.p.stdin.close()
        ok('the program ends well', self.p.wait(30) == 0)


def case_ended():
    with App() as app:
        ok('pages', app('take', 12) == '12')
        ok('none has ended', stat()['ended'] == [] and 'ended pool' not in run(SOCK)[1])
        app('end')
        s = stat()
        e = s['ended'][0]
        ok('it is listed', [p['name'] for p in s['pools']] == ['tx'] and len(s['ended']) == 1 and
           e['name'] == 'rx' and e['inflight'] == 12 and e['inflight_mem'] == 12 * 4096 and
           e['zone'] == s['zones'][0]['id'] and 0 < e['detach_time_ns'] <= s['time_ns'], s)
        ok('and by which thread', [(t['thread'], t['pages']) for t in e['threads']] ==
           [(app.p.pid, 12)], e)
        rc, out, err = run(SOCK)
        ok('in words', rc == 0 and re.search(
            r'^  rx +%d +12 +\d+\.\d  12 by %d ppstat_app$' % (e['zone'], app.p.pid), out, re.M),
           (out, err))
        rc, out, err = run('holders', SOCK, '--pool', 'rx', '--oldest', 3)
        ok('holders', rc == 0 and 'rx, ended' in out and out.count(' ppstat_app ') == 3, (out, err))
        rc, out, err = run(SOCK, '--prometheus')
        ok('--prometheus', re.search(r'^pagepool_ended_pool_inflight_pages\{%s,pool="rx",id="%d"\} 12$' %
                                     (app.me, e['id']), out, re.M) and
           re.search(r'^pagepool_ended_pool_age_seconds\{%s,pool="rx",id="%d"\} \d+$' % (app.me, e['id']),
                     out, re.M), out[-400:])
        said = app('busy')
        ok('the zone names it', re.search(r': 12 pages are still out: 12 with pool rx, ended '
                                          r'\d+\.\d s ago$', said), said)
        app('give')
        ok('gone with its last page', stat()['ended'] == [])


def case_fault():
    with App() as app:
        ok('no faults', app('alloc', 100) == '0' and stat()['faults'] == [])
        rc, out, err = run('fault', SOCK)
        ok('the points', rc == 0 and re.search(r'^page_pool_alloc +0 ', out, re.M) and
           re.search(r'^zone_alloc +0 ', out, re.M), (out, err))
        rc, out, err = run('fault', SOCK, '--at', 'page_pool_alloc', '--every', 10, '--after', 50)
        ok('set', rc == 0 and re.search(r'^page_pool_alloc +10 +50 +0 +0 +0$', out, re.M), (out, err))
        ok('each tenth after fifty', app('alloc', 100) == '5')
        rc, out, err = run(SOCK)
        ok('it is shown', re.search(r'^FAULTS at page_pool_alloc: every 10, after 50: 5 of 100 calls',
                                    out, re.M), out)
        rc, out, err = run(SOCK, '--prometheus')
        ok('--prometheus', 'pagepool_faults_injected_total{%s,at="page_pool_alloc"} 5\n' % app.me in out, out[-200:])
        run('fault', SOCK, '--at', 'zone_alloc', '--every', 1, '--thread', app.p.pid + 1)
        ok('of another thread', app('zone', 10) == '0')
        run('fault', SOCK, '--at', 'zone_alloc', '--every', 1, '--thread', app.p.pid)
        ok('of this one', app('zone', 10) == '10')
        run('fault', SOCK, '--at', 'zone_alloc', '--every', 0)
        rc, out, err = run('fault', SOCK, '--at', 'page_pool_alloc', '--every', 0)
        ok('no more', rc == 0 and app('zone', 10) == '0' and app('alloc', 100) == '0')
        fails(1, 'malloc', 'fault', SOCK, '--at', 'malloc', '--every', '1')
    with App(dict(os.environ, PAGEPOOL_FAULT='page_pool_alloc:every=100,after=1000')) as app:
        ok('from the environment', app('alloc', 1500) == '5')
    with App(dict(os.environ, PAGEPOOL_FAULT='zone_alloc:every=2;page_pool_alloc:every=4')) as app:
        ok('both', app('zone', 20) == '10' and stat()['faults'][0]['every'] == 4)
    for bad in ('page_pool_alloc', 'malloc:every=1', 'zone_alloc:every=0', 'zone_alloc:every=1,x=2',
                'zone_alloc:every=1,after=', 'zone_alloc:every=2 '):
        p = subprocess.run([APP, SOCK], env=dict(os.environ, PAGEPOOL_FAULT=bad), capture_output=True,
                           input=b'', timeout=30)
        ok('%r is refused' % bad, p.returncode == 1 and b'PAGEPOOL_FAULT' in p.stderr or
           b'"malloc" is not known' in p.stderr, p)


def case_no_json_c():
    with Fwd(*NULLS):
        fails(1, 'built without json-c', SOCK)
        fails(1, 'built without json-c', 'drain', SOCK)
        ok('--json', stat()['version'] == 1)
        rc, out, err = run('drain', SOCK, '--json')
        ok('drain --json', rc == 0 and json.loads(out)['verb'] == 'drain', (out, err))
        rc, out, err = run('drain', SOCK, '--zone', 'nobody', '--json')
        ok('its error', rc == 1 and err.count('\n') == 1, (out, err))


def main():
    names = [n[5:] for n in globals() if n.startswith('case_')]
    if HAVE_JSON:
        names.remove('no_json_c')
    else:
        print('not run: views; built without json-c')
        names = ['usage', 'no_json_c', 'ppfwd']
    try:
        for name in sys.argv[5:] or names:
            start = time.monotonic()
            globals()['case_' + name]()
            print('%s: %.1f s' % (name, time.monotonic() - start), flush=True)
    finally:
        shutil.rmtree(TMP)
    print('%d checks, %d failed' % (checks, failed))
    sys.exit(1 if failed or not checks else 0)


main()
