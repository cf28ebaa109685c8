# SPDX-License-Identifier: BSD-3-Clause
"""ppbench: cases, options, errors, and the ledger. Exit status 0 passed, 1 failed, 77 skipped."""
import argparse
import csv
import errno
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

UNIT = {'refill': 'mpps', 'strand': 'buffers', 'drain': 'cycles_per_drain', 'irqoff': 'cycles',
        'memory': 'cycles'}
CASES = ['refill', 'policy', 'page_pool', 'cross', 'drain', 'irqoff', 'bulk', 'strand', 'compare',
         'pft', 'scale', 'growth', 'memory', 'numa']
TWO_CPUS = ['cross', 'drain', 'irqoff', 'strand']
QUICK_S = 60  # what --quick may take, on two CPUs
POLICIES = {'trylock', 'spin', 'irqsave', 'softmask', 'rcu', 'rseq', 'request', 'llist'}


def check(condition, what):
    if not condition:
        print('FAILED:', what)
        sys.exit(1)


def skip(why):
    print('SKIP:', why)
    sys.exit(77)


def run(*words, env=None):
    done = subprocess.run([args.ppbench, *words], capture_output=True, text=True, timeout=100,
                          env=dict(os.environ, **(env or {})))
    print('$ ppbench', *words, '->', done.returncode)
    print(done.stderr, end='')
    return done


def good(*words):
    done = run(*words)
    check(done.returncode == 0, 'exit status 0')
    check(done.stderr == '', 'nothing on stderr')
    return done.stdout


def bad(status, says, *words):
    done = run(*words)
    check(done.returncode == status, f'exit status {status}')
    check(done.stdout == '', 'nothing on stdout')
    check(done.stderr.startswith('ppbench: ') and done.stderr.count('\n') == 1, 'one line')
    check(says in done.stderr, f'it says "{says}"')


def check_spread(result, unit):
    """What the run says of its own repeatability follows from its rows."""
    rows = [r for r in result['rows'] if r.get(unit + '_min', 0) > 0 and not r.get('simulated')]
    spread = sorted(r['spread_percent'] for r in rows)
    says = result['repeatability']
    check(says['rows'] == len(rows) and says['limit_percent'] == 5, 'repeatability: rows')
    for row in rows:
        ratio = 100 * (row[unit + '_max'] / row[unit + '_min'] - 1)
        check(abs(row['spread_percent'] - ratio) < 0.1 + 0.01 * ratio, f'{row}: spread')
        check(0 <= row['iqr_percent'], f'{row}: iqr')
    middle = (spread[(len(spread) - 1) // 2] + spread[len(spread) // 2]) / 2
    check(abs(says['median_spread_percent'] - middle) <= 0.01 * middle + 0.01, 'median spread')
    check(says['worst_spread_percent'] == spread[-1], 'worst spread')
    check(says['noisy'] == (middle > 5), 'noisy')
    check(('too noisy: median spread' in says['text']) == says['noisy'], says['text'])


def rows_of(case, *words):
    """The result of a quick run, as a list of rows; checked for what every result must have."""
    unit = UNIT.get(case, 'cycles_per_page')
    started = time.monotonic()
    if args.json == 'no':
        table = list(csv.DictReader(io.StringIO(good(case, '--quick', '--csv', '-', *words))))
        rows = [{k: v if k in ('policy', 'kind', 'refused') else float(v)
                 for k, v in row.items() if v != ''} for row in table]
        rows = [dict(row, published=bool(row['published'])) for row in rows]
    else:
        result = json.loads(good(case, '--quick', '--json', '-', *words))
        check(result['bench'] == case, 'bench')
        check(set(result['machine']) ==
              {'cpu', 'cores', 'kernel', 'compiler', 'commit', 'tsc_hz'}, 'machine')
        check(result['machine']['tsc_hz'] > 1e6, 'tsc_hz')
        check(result['command'] == ' '.join(['ppbench', case, '--quick', '--json', '-', *words]),
              'command')
        rows = result['rows']
        check_spread(result, unit)
    took = time.monotonic() - started
    check(took < QUICK_S, f'{case} --quick took {took:.0f} s, more than {QUICK_S}')
    check(rows, 'rows')
    for row in [r for r in rows if 'refused' in r]:
        print('not run:', row['policy'], 'at bulk', row['bulk'], '-', row['refused'])
        check(row['kind'] == 'refused' and unit + '_median' not in row, f'{row}: no figures')
    rows = [row for row in rows if 'refused' not in row]
    for row in rows:
        check(row[unit + '_median'] > 0, f'{row}: median')
        if not row.get('published'):
            check(row[unit + '_min'] <= row[unit + '_median'] <= row[unit + '_max'],
                  f'{row}: min <= median <= max')
    return rows


def here():
    """The policies that this machine runs, by what a result says of the others."""
    text = good('policy', '--quick', '--repeat', '1', '--bulk', '1')
    refused = set(re.findall(r'^(\w+) +refused ', text, re.M))
    check(refused < POLICIES and 'trylock' not in refused, f'refused {refused}')
    return POLICIES - refused


def names(rows, kind=None):
    return {row['policy'] for row in rows if kind in (None, row['kind'])}


def test_refill():
    rows = rows_of('refill', '--bulk', '1,8,64,512')
    kinds = {'null', 'loop'} | ({'pcap'} if args.pcap == 'yes' else set())
    check({row['kind'] for row in rows} == kinds, f'kinds {kinds}')
    check(names(rows) == {'trylock'}, 'trylock unless asked')
    for kind in kinds:
        of_kind = {row['bulk']: row for row in rows if row['kind'] == kind}
        check(set(of_kind) == {1, 8, 64, 512}, f'{kind}: every refill')
        for bulk, row in of_kind.items():
            # the pool really is refilled: a refill for every bulk packets, but for what it keeps
            check(0.8 * 1000 / bulk < row['refills_per_1000'] < 1.1 * 1000 / bulk, f'{row}: refills')
            check(row['window_max_pages'] == bulk, f'{row}: windows of a refill')
            check(0 < row['window_median_cycles'] <= row['window_p99_cycles'] <=
                  row['window_p999_cycles'], f'{row}: windows')
        best = max(row['mpps_median'] for row in of_kind.values())
        good_ones = [b for b, row in of_kind.items() if row['mpps_median'] >= 0.95 * best]
        check([b for b, row in of_kind.items() if row.get('knee')] == [min(good_ones)],
              f'{kind}: one knee, the smallest refill within 5 % of the best')
    # time slices of other programs make any figure small: one run in three without them
    rates = []
    for _ in range(3):
        few = rows_of('refill', '--bulk', '1,64', '--port', 'null')
        rates.append({row['bulk']: row['mpps_max'] for row in few})
        if rates[-1][64] > rates[-1][1]:
            break
    else:
        check(False, f'64 at once are faster than 1: {rates}')
    rows = rows_of('refill', '--bulk', '32', '--policy', 'spin,irqsave', '--port', 'null:size=128')
    check(names(rows) == {'spin', 'irqsave'} and rows[0]['kind'] == 'null:size=128', '--port')
    check([r['policy'] for r in rows if r.get('mask_cycles')] == ['irqsave'], 'the mask apart')
    bad(1, 'no packet in 2 s', 'refill', '--quick', '--bulk', '64', '--port', 'loop:x,peer=y')
    bad(1, "unknown driver 'foo'", 'refill', '--port', 'foo:bar')
    bad(2, 'at most 8 ports', 'refill', *(['--port', 'null'] * 9))
    bad(2, 'name no other', 'refill', '--port', 'null', '--port', 'all')


PORTS = ['null', 'loop', 'pcap', 'af_xdp', 'dpdk:net_null', 'dpdk:net_ring']
REFILL = {'mpps_median', 'cycles_per_packet', 'refills_per_1000', 'window_median_cycles',
          'window_p99_cycles', 'window_p999_cycles', 'window_max_pages', 'knee'}


def first_words(*words):
    """The progress line of a run, up to the number of repetitions; then it is ended."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen([args.ppbench, *words], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = ''
    while not re.search(r'repetition \d+ of \d+', said):
        said += os.read(ours, 4096).decode()
    child.kill()
    child.wait()
    os.close(ours)
    print('$', *words, said)
    return re.search(r'.*repetition \d+ of \d+', said)[0]


def test_refill_all():
    """Every port that needs nothing of the user is measured, or named with the reason."""
    words = ['refill', '--quick', '--repeat', '1', '--port', 'all', '--bulk', '1,64']
    for policies, drop in ('trylock,irqsave', False), ('rseq' if 'rseq' in here() else 'spin', True):
        # without any capability there is no veth, and the others are there
        wrap = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'] if drop else []
        path = os.path.join(tempfile.mkdtemp(), 'out.csv')
        done = subprocess.run([*wrap, args.ppbench, *words, '--policy', policies, '--csv', path],
                              capture_output=True, text=True, timeout=100)
        check(done.returncode == 0 and done.stderr == '', f'{wrap}: {done.stderr}')
        with open(path) as file:
            rows = list(csv.DictReader(file))
        shutil.rmtree(os.path.dirname(path))
        out = dict(re.findall(r'^(\S+): left out: (.+)$', done.stdout, re.M))
        print('left out:', out)
        kinds = [p for p in PORTS if any(row['kind'] == p for row in rows)]
        check(kinds == [p for p in PORTS if p not in out], f'{kinds}: each port, or its reason')
        check({'null', 'loop'} <= set(kinds), 'those that need nothing')
        check(('pcap' in kinds) == (args.pcap == 'yes'), 'pcap')
        # EAL is not for a process without rights everywhere
        check(drop or ('dpdk:net_ring' in kinds) == (args.dpdk == 'yes'), 'DPDK')
        check(not drop or 'run it as root' in out['af_xdp'], 'no veth without root')
        check(REFILL < set(rows[0]) and 'mask_cycles' in rows[0] or drop, 'columns')
        for kind in kinds:
            mine = [row for row in rows if row['kind'] == kind]
            check([(r['policy'], r['bulk']) for r in mine] ==
                  [(p, b) for p in policies.split(',') for b in ('1', '64')], f'{kind}: rows')
            knees = re.search(rf'^{kind}: knee: (.*)$', done.stdout, re.M)[1]
            check(all(f'{p} ' in knees for p in policies.split(',')), f'{kind}: a knee each')
            check([r['policy'] for r in mine if r['knee']] == policies.split(','), f'{kind}: knees')
            for row in mine:
                refills = float(row['refills_per_1000']) * float(row['bulk'])
                check(700 < refills < 1200, f'{row}: each page comes from the zone')
    # six ports and seven sizes are many: that run is long, and need not end to say so
    sizes = '--bulk', '1,2,4,8,16,32,64'
    check(first_words('refill', '--quick', '--port', 'all', *sizes).endswith('of 3'), 'many: less often')
    done = subprocess.run([args.ppbench, 'refill', '--quick', '--port', 'null', *sizes],
                          capture_output=True, text=True, timeout=100)
    check('median of 5\n' in done.stdout, 'few: as others')


def net_of(pid):
    return os.stat(f'/proc/{pid}/ns/net').st_ino


def test_refill_killed():
    """A run that is killed leaves no veth: it is in a network namespace of the run's own."""
    if os.getuid() or not os.path.exists('/proc/net/protocols') or \
            'XDP ' not in open('/proc/net/protocols').read():
        skip('needs root and AF_XDP')
    for end in signal.SIGKILL, signal.SIGINT:
        child = subprocess.Popen([args.ppbench, 'refill', '--port', 'af_xdp', '--repeat', '999'],
                                 stdout=subprocess.DEVNULL)
        links = ''
        while child.poll() is None and 'ppbench-a' not in links:
            links = subprocess.run(['nsenter', '-t', str(child.pid), '-n', 'ip', 'link'],
                                   capture_output=True, text=True).stdout
            time.sleep(0.01)
        check(child.poll() is None and net_of(child.pid) != net_of('self'), 'a namespace of its own')
        space = net_of(child.pid)
        child.send_signal(end)
        check(child.wait() == -end, 'ended by the signal')
        check('ppbench-' not in subprocess.run(['ip', 'link'], capture_output=True, text=True).stdout,
              'no veth here')
        for pid in filter(str.isdigit, os.listdir('/proc')):
            try:
                check(net_of(pid) != space, f'process {pid} keeps the namespace')
            except OSError:
                pass  # it has ended


def test_policy():
    rows = rows_of('policy', '--bulk', '1,64')
    check({'loop', 'lock', 'memcpy', 'trylock', 'spin'} <= names(rows, 'raw'), 'raw rows')
    check({'memcpy', 'trylock', 'spin'} <= names(rows, 'prep'), 'prep rows')
    for kind in 'raw', 'prep':
        check(here() == names(rows, kind) & POLICIES, f'{kind}: every policy')
        for bulk in 1, 64:
            once = [r['policy'] for r in rows if r['kind'] == kind and r['bulk'] == bulk]
            check(len(once) == len(set(once)), f'{kind}, bulk {bulk}: one row a policy')
    check({row['bulk'] for row in rows} == {1, 64}, 'bulks')
    check(all('vs_memcpy' in row and 'vs_lock' in row for row in rows
              if row['kind'] != 'crowded'), 'ratios')
    crowd = [row for row in rows if row['kind'] == 'crowded']
    check(names(crowd) == here() | {'trylock per thread'}, 'crowded: every policy')
    check(all(row['bulk'] == 64 and row['mpages_per_s'] > 0 for row in crowd), 'crowded: rate')
    fallbacks = {row['policy']: row['fallbacks_percent'] for row in crowd}
    for name in {'rseq', 'trylock per thread', 'rcu', 'softmask', 'request'} & set(fallbacks):
        check(fallbacks[name] < 0.1, f'{name}: {fallbacks[name]} % fallbacks')
    median = {(r['policy'], r['kind'], r['bulk']): r['cycles_per_page_median'] for r in rows}
    # nothing is optimised away: a lock costs more than an empty loop, one page more than a 64th
    check(median['lock', 'raw', 1] > median['loop', 'raw', 1], 'lock > loop')
    check(median['trylock', 'raw', 1] > median['trylock', 'raw', 64], 'bulk 1 > bulk 64')


def test_bulk():
    rows = rows_of('bulk')
    shapes = {'array, append', 'array, fill NULL', 'array, fill every other', 'list'}
    preps = {'prep never', 'prep after', 'prep inside'}
    for kind in 'hot', 'cold':
        check(names(rows, kind) == shapes and names(rows, 'prep ' + kind) == preps, kind)
    check({row['bulk'] for row in rows} == {1, 8, 32, 64, 128, 256}, 'bulks')
    check(all('vs_append' in r for r in rows if 'prep' not in r['kind']), 'vs_append')
    window = {(r['policy'], r['kind'], r['bulk']): r['window_median_cycles'] for r in rows
              if r['kind'].startswith('prep')}
    for kind in 'prep hot', 'prep cold':
        check(window['prep inside', kind, 256] > 1.5 * window['prep after', kind, 256],
              f'{kind}: preparing inside makes the window longer')
    median = {(r['policy'], r['kind'], r['bulk']): r['cycles_per_page_median'] for r in rows}
    check(median['list', 'cold', 256] > median['array, append', 'cold', 256], 'a cold list')
    check(median['array, append', 'cold', 256] > median['array, append', 'hot', 256],
          'cold pages are colder')


def test_strand():
    rows = rows_of('strand', '--repeat', '3')
    kinds = {'idle', 'both', 'hand-over'}
    check({row['kind'] for row in rows} == kinds, 'kinds')
    ours = {f'zone {p} high 512' for p in here()} | {'zone trylock', 'page_pool trylock',
                                                     'locked stack'}
    for kind in kinds:
        check(ours <= names(rows, kind), f'{kind}: every policy')
        check(len(names(rows, kind)) == len([r for r in rows if r['kind'] == kind]), 'once')
    for row in rows:
        check(row['buffers_median'] % 8 == 0 and row['mpps_unconstrained'] > 0, f'{row}')
        check(2000 * row['buffers_median'] < row['bytes'] < 3000 * row['buffers_median'], 'bytes')
    idle = {row['policy']: row for row in rows if row['kind'] == 'idle'}
    need = idle['locked stack']['buffers_min']
    check(need == 704, 'the work needs 700 and a burst: 704')
    for policy in here() - {'request'}:
        row = idle[f'zone {policy} high 512']
        check(row['buffers_min'] <= need + 32, f'{policy}: nothing is stranded')
    # nobody can have what an idle owner is asked for in vain, or a cache that nobody drains
    check(idle['zone request high 512']['buffers_min'] > need + 200, 'request strands')
    if args.dpdk == 'no':
        check('rte_mempool: not built' in good('strand', '--quick', '--policy', 'trylock'), 'says so')
        return
    for ops in 'ring_mp_mc', 'ring_mt_rts', 'ring_mt_hts', 'stack', 'lf_stack':
        check(idle[f'rte_mempool {ops} cache 0']['buffers_min'] == need, f'{ops}: no cache')
        for cache, stranded in (256, 288), (512, 544):
            row = idle[f'rte_mempool {ops} cache {cache}']
            check(row['idle_cached_at_1200'] == stranded, f'{row}: cache and a burst')
            check(row['buffers_min'] >= need + stranded, f'{row}: which the pool needs on top')
        check(row['rate_percent_at_1200'] < 5, f'{row}: stands still with 1200')


def test_memory():
    rows = rows_of('memory')
    median = {(r['kind'], r['bulk']): r['cycles_median'] for r in rows}
    check(20 * median['build lazy', 1] < median['build eager', 1], 'lazy: 20 x sooner')
    check(len(os.sched_getaffinity(0)) < 2 or ('p99.9 accept', 16) in median, 'beside an acceptor')


GROWTH = {'zone pages': [1 << n for n in range(10, 21, 2)], 'pools': [1, 8, 64, 512, 4096],
          'threads': [1 << n for n in range(7)], 'pages a run': [1 << n for n in range(10)],
          'page size': [2048 << n for n in range(6)]}
ZONE = {'create_cycles', 'destroy_cycles', 'audit_cycles', 'isolate_cycles', 'contig_cycles',
        'metadata_bytes'}


def test_growth():
    rows = rows_of('growth', '--repeat', '3')
    of = {kind: {r['bulk']: r for r in rows if r['kind'] == kind} for kind in GROWTH}
    for kind, sizes in GROWTH.items():
        check(list(of[kind]) == sizes, f'{kind}: {list(of[kind])}')
    zones, pools, runs = of['zone pages'], of['pools'], of['pages a run']
    for row in [*zones.values(), *of['page size'].values()]:
        check(all(row.get(key, 0) > 0 for key in ZONE), f'{row}: every figure')
        # a sanitizer maps memory of its own besides
        check(72 <= row['metadata_bytes'] < (100 if args.sanitize == 'none' else 400), f'{row}: metadata')
    check(args.sanitize != 'none' or pools[4096]['metadata_bytes'] < 16384, 'memory of a pool')
    check(all(row[key] > 0 for row in pools.values()
              for key in ('create_cycles', 'destroy_cycles', 'trim_cycles')), 'pools: every figure')
    # CPU time, the least of three, and a factor that no noise has but a walk over all would
    check(args.sanitize != 'none' or zones[1 << 20]['cycles_per_page_min'] < 5 * zones[1 << 10]['cycles_per_page_min'], 'zones')
    check(args.sanitize != 'none' or pools[4096]['create_cycles'] < 10 * pools[64]['create_cycles'], 'a pool among many')
    check(args.sanitize != 'none' or runs[8]['run_cycles'] < runs[16]['run_cycles'], 'a cache for runs of 8, none for 16')
    notes = good('growth', '--quick', '--repeat', '1')
    for kind in GROWTH:
        check(re.search(rf'^{kind}, trylock, \d+ to \d+: cycles a page .*; grows: ', notes, re.M), kind)


def test_page_pool():
    rows = rows_of('page_pool', '--bulk', '1,32')
    for kind in 'cache', 'ring', 'slow':
        check({'trylock', 'spin'} <= names(rows, kind), kind)
        check(any(r.get('published') for r in rows if r['kind'] == kind), f'{kind}: published')
    for kind in 'frag', 'holders', 'trim':
        check(names(rows, kind) == here(), f'{kind}: every policy')
    median = {(r['policy'], r['kind'], r['bulk']): r['cycles_per_page_median'] for r in rows}
    check(median['trylock', 'cache', 32] < median['trylock', 'slow', 32], 'cache < slow')


def test_cross():
    rows = rows_of('cross', '--bulk', '8,64')
    check({'trylock', 'spin'} <= names(rows, 'zone'), 'zone rows')
    check({'trylock', 'spin'} <= names(rows, 'page_pool'), 'page_pool rows')
    check(names(rows, 'none') == {'hand-over only'}, 'baseline')
    check(all(row['pingpong_cycles'] > 0 for row in rows), 'ping-pong')


def test_drain():
    rows = rows_of('drain')
    kinds = {'idle', 'full', '100/s', '1000/s', '100000/s'}
    check({row['kind'] for row in rows} == kinds, 'kinds')
    for kind in kinds:
        check(names(rows, kind) == here(), f'{kind}: every policy')
    check(len(rows) == len(kinds) * len(here()), 'one row each')
    for row in [r for r in rows if r['kind'] == 'idle']:
        if row['policy'] == 'request':
            check(row['timeouts_percent'] == 100 and row['pages_per_drain'] == 0,
                  'an idle owner never answers a request')
        else:
            check(row['pages_per_drain'] > 500, f'{row}: an idle, full cache gives its pages')
            check(row['timeouts_percent'] == 0, f'{row}: at once')
    for row in [r for r in rows if r['kind'] != 'idle']:
        check(row['alone_cycles'] > 0 and row['drained_cycles'] > 0, f'{row}: owner')
        check('slowdown_percent' in row and row['drains_per_s'] > 0, f'{row}: slowdown')
    check(any(r['pages_per_drain'] > 64 for r in rows if r['policy'] == 'request'),
          'a busy owner answers requests: its thread\'s cache is drained')
    check(all(row['pingpong_cycles'] > 0 and row['p99_cycles'] > 0 for row in rows), 'all rows')
    if args.json == 'yes':
        regimes = {'near', 'far', 'between near and far'}
        check(all(row['distance'] in regimes for row in rows), 'near or far')


def test_numa():
    rows = rows_of('numa', '--bulk', '8,64', '--policy', 'trylock')
    check({row['kind'] for row in rows} == {'pages', 'packet', 'cold packet'}, 'kinds')
    check({'trylock, one zone', 'trylock, set'} <= names(rows, 'pages'), 'one zone, and the choice')
    nodes = [n for n in os.listdir('/sys/devices/system/node') if re.fullmatch(r'node\d+', n)]
    for kind in 'packet', 'cold packet':
        check(1 <= len(names(rows, kind)) <= len(nodes), f'{kind}: a row for each node with memory')
        check('trylock, local' in names(rows, kind) or len(nodes) > 1, f'{kind}: local')


def test_irqoff():
    rows = rows_of('irqoff', '--bulk', '1,64')
    check(names(rows, 'mask') == {'sigprocmask', 'lock', 'flag'}, 'mask rows')
    for kind in 'window', 'alloc', 'alloc+prep':
        check(names(rows, kind) == here(), f'{kind}: every policy')
        check(len([r for r in rows if r['kind'] == kind]) == 2 * len(here()), 'one row a bulk')
    check(names(rows, 'latency') == here() | {'no allocation'}, 'latency rows')
    median = {(r['policy'], r['kind'], r['bulk']): r['cycles_median'] for r in rows}
    check(median['sigprocmask', 'mask', 1] > median['lock', 'mask', 1] >
          median['flag', 'mask', 1], 'a system call > an atomic > a store')
    # only median windows: a loaded machine's quantiles are its own
    check(median['llist', 'window', 64] > median['llist', 'window', 1], 'a longer list')
    for row in [r for r in rows if r['kind'] == 'window']:
        check((row['mask_cycles'] > 0) == (row['policy'] == 'irqsave'), f'{row}: mask')
        check(row['cycles_median'] <= row['p999_cycles'] <= row['max_cycles'], f'{row}: order')
        check(row['windows'] > 1000 and row['max_pages'] >= row['bulk'], f'{row}: windows')
    for name in here() - {'irqsave', 'llist'}:
        check(median[name, 'alloc+prep', 64] > median[name, 'alloc', 64], f'{name}: prep')
    for row in [r for r in rows if r['kind'] == 'latency']:
        check(row['signals'] > 50 and row['median_us'] <= row['p99_us'] <= row['max_us'],
              f'{row}: latency')


def test_compare():
    rows = rows_of('compare', '--bulk', '8,64', '--policy', 'trylock')
    one_core = {'raw', 'keep1024', 'bursty'}
    two = {'cross', 'crowd'} if len(os.sched_getaffinity(0)) > 1 else set()
    everywhere = one_core | two | {'churn', 'foreign'}
    check({row['kind'] for row in rows} == everywhere | {'prep'}, 'kinds of work')
    for kind in everywhere:
        check({'zone trylock', 'locked stack', 'malloc glibc'} <= names(rows, kind), kind)
        for name in names(rows, kind):
            bulks = [r['bulk'] for r in rows if (r['kind'], r['policy']) == (kind, name)]
            check(bulks == ([8, 64] if kind in one_core | {'cross'} else [64]), f'{name}: {bulks}')
    check(all('array' in names(rows, kind) for kind in one_core | {'prep'}), 'array')
    check({'zone trylock', 'page_pool trylock'} <= names(rows, 'prep'), 'prep')
    check('no pool' in names(rows, 'churn'), 'the floor of churn')
    median = {(r['policy'], r['kind'], r['bulk']): r['cycles_per_page_median'] for r in rows}
    check(median['array', 'raw', 64] < median['malloc glibc', 'raw', 64], 'array < malloc')
    check(median['array', 'raw', 64] < median['array', 'prep', 64], 'raw < prep')
    for row in [r for r in rows if r['kind'] in two]:
        check(row['pingpong_cycles'] > 0, f'{row}: ping-pong')
    for row in [r for r in rows if r['kind'] == 'crowd']:
        check(row['mpages_per_s'] > 0, f'{row}: rate')
    for row in rows:
        base = median.get(('malloc glibc', row['kind'], row['bulk']))
        check(not base or abs(row['vs_malloc'] * base / row['cycles_per_page_median'] - 1) < 1e-3,
              f'{row}: vs_malloc')
    table = good('compare', '--quick', '--bulk', '64', '--policy', 'trylock', '--repeat', '1')
    compare_mallocs(rows, table)
    compare_dpdk(rows, table)


def compare_mallocs(rows, table):
    """Each is there or said to be missing, and what is called one is one."""
    for name in 'mimalloc', 'jemalloc', 'tcmalloc':
        found = f'malloc {name}' in names(rows)
        said = re.search(rf'^malloc {name} +refused +64 .*apt-get install', table, re.M)
        check(found != bool(said), f'malloc {name}: figures or a reason')
    # with nothing to preload, the preloaded ones are not faked by the C library's
    with tempfile.TemporaryDirectory() as tmp:
        for name in 'libmimalloc.so.2', 'libjemalloc.so.2', 'libtcmalloc_minimal.so.4':
            open(os.path.join(tmp, name), 'w').close()
        done = run('compare', '--quick', '--bulk', '64', '--policy', 'trylock', '--repeat', '1',
                   env={'LD_LIBRARY_PATH': tmp})
    check(done.returncode == 0, 'a library that is none is no failure')
    for name in 'mimalloc', 'jemalloc', 'tcmalloc':
        check(re.search(rf'^malloc {name} +refused ', done.stdout, re.M), f'{name} is refused')
        check(not re.search(rf'^malloc {name} +raw ', done.stdout, re.M), f'no {name}')
    check(re.search('^malloc glibc +raw ', done.stdout, re.M), 'glibc is there')


def compare_dpdk(rows, table):
    if args.dpdk == 'no':
        check(not any(n.startswith('rte_') for n in names(rows)) and
              'rte_mempool: not built (libdpdk not found)' in table, 'says so')
        return
    for ops in 'ring_mp_mc', 'ring_mt_hts', 'ring_mt_rts', 'stack', 'lf_stack', 'bucket':
        for cache in 0, 512:
            name = f'rte_mempool {ops} cache {cache}'
            there = name in names(rows, 'raw')
            check(there or re.search(rf'^{name} +refused +64  \w', table, re.M), name)
            check(there or ops == 'bucket', f'{name} is there')
    check('rte_pktmbuf ring_mp_mc cache 512' in names(rows, 'prep'), 'rte_pktmbuf')
    check('PPBENCH_DPDK_PLUGIN names no plugin' in table, 'no plugin was named')
    done = run('compare', '--quick', '--bulk', '64', '--policy', 'trylock', '--repeat', '1',
               env={'PPBENCH_DPDK_PLUGIN': '/nonexistent/plugin.so'})
    check(done.returncode == 0 and done.stderr == '' and 'plugin.so: No such file' in done.stdout,
          'a plugin that is not there')
    check(re.search('^rte_mempool ring_mp_mc cache 0 +raw ', done.stdout, re.M), 'the others are')


def test_options():
    with open(args.man) as man:
        documented = set(re.findall(r'^\.It Fl -([-a-z]+)', man.read(), re.M))
    tried = {'policy', 'bulk', 'cores', 'repeat', 'quick', 'json', 'csv', 'out', 'from', 'plot',
             'port', 'help', 'version'}
    tried |= {'threads', 'drain-hz', 'stars'}  # in pft_test.py
    check(documented == tried, f'options of the man page {documented} are those tried here')
    text = good('--help')
    check(all(f'--{o}' in text for o in tried) and all(c in text for c in CASES), '--help')
    check(re.fullmatch(r'ppbench \d+\.\d+\.\d+\n', good('--version')), '--version')

    table = good('policy', '--quick', '--policy', 'spin', '--bulk', '2-4,8', '--repeat', '3')
    for word in 'median of 3', 'commit', 'GHz', 'Linux', 'on CPU':
        check(word in table, f'the table says {word}')
    check('trylock' not in table, '--policy spin alone')
    bulks = re.findall(r'^spin +raw +(\d+)', table, re.M)
    check(bulks == ['2', '3', '4', '8'], f'--bulk 2-4,8 gave {bulks}')
    table = good('policy', '--quick', '--policy', 'auto,trylock', '--bulk', '8')
    best = re.search(r'^auto is (rseq|trylock) on this machine$', table, re.M)
    check(best, '--policy auto')
    check(len(re.findall(rf'^{best[1]} +raw ', table, re.M)) == 1, 'auto once, by its own name')
    cpu = str(max(os.sched_getaffinity(0)))
    table = good('policy', '--quick', '--policy', 'all', '--bulk', '1', '--cores', cpu)
    check(f'on CPU {cpu}\n' in table and 'trylock' in table and 'spin' in table, '--cores, all')

    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'out')
        table = good('policy', '--quick', '--bulk', '8', '--csv', path)
        with open(path) as file:
            rows = list(csv.DictReader(file))
        check(len(rows) == len(re.findall(r'^\w+ +(raw|prep|refused) ', table, re.M)), '--csv has all rows')
        check(float(rows[0]['cycles_per_page_median']) > 0 and rows[0]['refused'] == '',
              '--csv median')
        if args.json == 'yes':
            table = good('policy', '--quick', '--bulk', '8', '--json', path)
            with open(path) as file:
                check(len(json.load(file)['rows']) == len(rows) and table, '--json FILE')


def test_errors():
    bad(2, 'name a case')
    bad(2, 'no case', 'nonsense')
    bad(2, 'one case at a time', 'policy', 'drain')
    bad(2, 'unknown option', 'policy', '--nonsense')
    bad(2, 'end in .svg', 'policy', '--plot', 'x.pdf')
    bad(2, 'end in .svg', 'policy', '--plot', '.svg')
    for option in '--port', '--threads', '--drain-hz', '--from', '--out':
        bad(2, f'{option}: not with ppbench policy, only with ', 'policy', option, '1')
    bad(2, '--stars: not with ppbench refill, only with pft', 'refill', '--stars', '2024')
    for option in '--json', '--csv':
        bad(2, 'report: has no --json', 'report', '--out', 'x.html', option, 'x')
    for option in 'policy', 'bulk', 'cores', 'repeat', 'json', 'csv', 'out', 'from', 'plot', 'port':
        bad(2, 'a value is missing', 'policy', '--' + option)
    for bulk in '0', '513', '-1', 'x', '', '1,', '1;2', '8-4', '1-100', '99999999999999999999':
        bad(2, '--bulk', 'policy', '--bulk', bulk)
    for repeat in '0', '1000', '3,4', 'x':
        bad(2, '--repeat', 'policy', '--repeat', repeat)
    bad(2, 'unknown; give one of', 'policy', '--policy', 'nonsense')
    bad(2, 'unknown; give one of', 'policy', '--policy', 'spin,')
    without = {'GLIBC_TUNABLES': 'glibc.pthread.rseq=0'}
    done = run('policy', '--quick', '--bulk', '8', '--policy', 'rseq', env=without)
    check(done.returncode == 1 and done.stderr.count('\n') == 1, 'rseq without rseq')
    check('--policy rseq: this machine can not: ' in done.stderr, 'says why')
    for case in ['policy'] + ([] if len(os.sched_getaffinity(0)) < 2 else TWO_CPUS):
        done = run(case, '--quick', '--repeat', '1', '--bulk', '8,64', '--policy', 'all',
                   env=without)
        check(done.returncode == 0 and done.stderr == '', f'{case}: one of all is no failure')
        refused = re.findall(r'^rseq +refused +(\d+)  \w.*', done.stdout, re.M)
        bulks = ['32'] if case == 'strand' else ['8', '64']  # which has bursts of one size
        check(refused == bulks, f'{case}: a line for each bulk, {refused}')
        check(not re.search(r'^rseq +(?!refused)\S', done.stdout, re.M), f'{case}: no figure')
    bad(1, 'may not run on CPU', 'policy', '--cores', '1023')
    bad(2, '--cores', 'policy', '--cores', 'a')
    first = str(min(os.sched_getaffinity(0)))
    for case in TWO_CPUS:
        bad(1, 'different CPUs', case, '--cores', first)
        bad(1, 'different CPUs', case, '--cores', f'{first},{first}')
    bad_file = ('policy', '--quick', '--bulk', '1', '--policy', 'spin')
    for option in '--csv', '--json':
        done = run(*bad_file, option, '/nonexistent/file')
        check(done.returncode == 1 and done.stderr.count('\n') == 1, f'{option} to nowhere')
        done = run(*bad_file, option, '/dev/full')
        check(done.returncode == 1 and done.stderr.count('\n') == 1, f'{option} to a full disk')
    if args.json == 'no':
        bad(1, 'no json-c', 'report', '--out', '-')


def test_ledger():
    if args.sanitize != 'none':
        skip(f'a sanitizer ({args.sanitize}) does not allow a preloaded library')
    preload = {'LD_PRELOAD': args.leak}
    cases = ['policy', 'page_pool', 'refill', 'bulk', 'compare'] + (TWO_CPUS[3:] if len(os.sched_getaffinity(0)) > 1 else [])
    for case in cases:
        few = ('--repeat', '1', '--policy', 'trylock') + (() if case == 'strand' else ('--bulk', '8'))
        for mode, says in ({}, '1 of '), ({'PP_LEAK': 'double'}, '1 came twice'):
            done = run(case, '--quick', *few, env=dict(preload, **mode))
            check(done.returncode == 1, f'{case}: a lost page is a failure')
            check(done.stdout == '', 'no figures')
            check(done.stderr.startswith(f'ppbench: {case}: ') and done.stderr.count('\n') == 1,
                  'one line')
            check(says in done.stderr, says)
    done = run('policy', '--quick', '--bulk', '8', '--policy', 'trylock',
               env=dict(preload, PP_LEAK='no'))
    check(done.returncode == 0, 'and the same library without a leak is none')


def test_sleep():
    """A pool that sleeps while a cache is closed gets no figure."""
    if args.sanitize != 'none':
        skip(f'a sanitizer ({args.sanitize}) does not allow a preloaded library')
    preload = {'LD_PRELOAD': args.sleeper}
    for case, kind in ('policy', 'trylock'), ('refill', 'trylock'), ('irqoff', 'trylock'):
        if case in TWO_CPUS and len(os.sched_getaffinity(0)) < 2:
            continue
        words = case, '--quick', '--bulk', '64', '--policy', kind
        done = run(*words, env=preload)
        check(done.returncode == 1 and done.stdout == '', 'no figures')
        check(done.stderr.startswith(f"ppbench: {case}: 'trylock' slept in ") and
              done.stderr.count('\n') == 1, 'one line, and its name')
        done = run(*words, env=dict(preload, PP_SLEEP='no'))
        check(done.returncode == 0, 'and the same library awake is no failure')


SVG = '{http://www.w3.org/2000/svg}'


def check_svg(root, name):
    """Text lies inside the picture, whatever groups move it."""
    box = [float(v) for v in root.get('viewBox').split()]

    def walk(element, x, y):
        where = re.match(r'translate\(([-0-9.]+),([-0-9.]+)\)', element.get('transform', ''))
        if where:
            x, y = x + float(where[1]), y + float(where[2])
        if element.tag == SVG + 'text':
            at = x + float(element.get('x', 0)), y + float(element.get('y', 0))
            check(0 <= at[0] <= box[2] and 0 <= at[1] <= box[3], f'{name}: text at {at}, outside')
        for child in element:
            walk(child, x, y)
    walk(root, 0, 0)


def svg_of(tmp, case, *words):
    """A case's picture and its rows: well-formed, and of the same figures."""
    path = os.path.join(tmp, case + '.svg')
    rows = list(csv.DictReader(io.StringIO(
        good(case, '--quick', '--repeat', '1', '--plot', path, '--csv', '-', *words))))
    root = xml.etree.ElementTree.parse(path).getroot()
    check(root.tag == SVG + 'svg', f'{case}: SVG')
    check_svg(root, case)
    points = {}
    for title in root.iter(SVG + 'title'):
        name, value = title.text.rsplit(': ', 1)
        points.setdefault(name, []).append(float(value))
    return rows, points, ' '.join(''.join(text.itertext()) for text in root.iter(SVG + 'text'))


# what the picture says; the kinds that it shows by their medians, None: all
PLOTS = {'refill': (None, 'knee', 'refill, pages', 'million packets a second', 'null'),
         'policy': (None, 'cycles a page', 'pages a call', 'irqsave', 'memcpy'),
         'page_pool': (('cache', 'ring', 'slow', 'frag', 'holders'), 'cycles a page', 'llist'),
         'cross': (('zone', 'page_pool'), 'softmask', 'pages a call'),
         'drain': (None, 'cycles a drain', '100000/s', 'percent'),
         'irqoff': (('mask', 'window'), 'p99.9', 'sigprocmask'),
         'bulk': (('hot', 'cold', 'prep cold'), 'list', 'how long the lock is held'),
         'strand': (None, 'locked stack', 'hand-over', 'percent of the unconstrained rate'),
         'compare': (None, 'malloc', 'locked stack')}


def test_plot():
    with tempfile.TemporaryDirectory() as tmp:
        for case, (kinds, *words) in PLOTS.items():
            if case in TWO_CPUS and len(os.sched_getaffinity(0)) < 2:
                continue
            few = () if case in ('drain', 'strand') else ('--bulk', '1,64')
            # the two that take long
            few += ('--policy', 'trylock') if case in ('compare', 'strand') else ()
            rows, points, text = svg_of(tmp, case, *few)
            for word in words + ['ppbench ' + case, 'commit', 'Linux']:
                check(word in text, f'{case}: the picture says {word}')
            shown = [row for row in rows if not row['refused'] and row['published'] == '0' and
                     (kinds is None or row['kind'] in kinds)]
            check(shown, f'{case}: rows to show')
            for row in shown:
                name = '{policy}, {kind}, {bulk}'.format(**row)
                median = float(row[UNIT.get(case, 'cycles_per_page') + '_median'])
                check(any(abs(y - median) <= 1e-4 + 1e-5 * median for y in points.get(name, ())),
                      f'{case}: {name}: {median}, the picture has {points.get(name)}')
        full = os.path.join(tmp, 'full.svg')
        os.symlink('/dev/full', full)
        for path in '/nonexistent/x.svg', full:
            done = run('page_pool', '--quick', '--bulk', '8', '--policy', 'spin', '--plot', path)
            check(done.returncode == 1 and done.stderr.count('\n') == 1, f'to {path}')


def test_progress():
    """On a terminal, and only there, a long run says what it is at."""
    words = 'policy', '--bulk', '1-16', '--repeat', '15', '--policy', 'trylock'
    check('repetition' not in good(*words), 'no progress in a pipe')
    ours, theirs = pty.openpty()
    child = subprocess.Popen([args.ppbench, *words], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    said = b''
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError as error:
            check(error.errno == errno.EIO, 'the terminal')
            break
        if not part:
            break
        said += part
    check(child.wait() == 0, 'exit status 0')
    print(said)
    check(re.search(rb'policy: bulk \d+, repetition \d+ of 15; \d+ measurements', said), 'progress')
    check(said.endswith(b'\r\x1b[K') and b'\n' not in said, 'the line is gone at the end')


FAKE_PPFWD = """#!/bin/sh
while [ "$1" != --json ]; do shift; done
echo '{"mpps":30.0,"cycles_per_packet":1.0}' >"$2"
"""
FAKE_TESTPMD = """#!/bin/sh
for rate in 1 2 10000000 10000000; do
	for port in 0 1; do echo "  Tx-pps: $rate   Tx-bps: 0"; done
done
"""


def peers(path, *words):
    done = subprocess.run(['/bin/sh', args.peers, *words], capture_output=True, text=True,
                          timeout=60, env=dict(os.environ, PATH=path))
    print('$ peers.sh', *words, '->', done.returncode)
    print(done.stdout, done.stderr, sep='', end='')
    return done


def test_peers():
    with tempfile.TemporaryDirectory() as tmp:
        def fake(name, text):
            path = os.path.join(tmp, name)
            with open(path, 'w') as file:
                file.write(text)
            os.chmod(path, 0o755)
            return path

        ppfwd = fake('ppfwd', FAKE_PPFWD)
        path = os.environ['PATH']
        for words in ['--nonsense'], ['--repeat'], ['--repeat', '0'], ['--duration', '1']:
            done = peers(path, *words)
            check(done.returncode == 2 and done.stderr.count('\n') == 1, f'{words}: usage')
        check(peers(path, '--help').returncode == 0, '--help')
        done = peers(path, '--ppfwd', os.path.join(tmp, 'none'))
        check(done.returncode == 1 and 'build it' in done.stderr, 'no ppfwd')
        for tool in 'dirname', 'sh':
            os.symlink(shutil.which(tool), os.path.join(tmp, tool))
        done = peers(tmp, '--ppfwd', ppfwd)
        check(done.returncode == 1 and 'dpdk-testpmd is missing' in done.stderr, 'no testpmd')

        if len(os.sched_getaffinity(0)) < 2:
            skip('needs two CPUs')
        fake('dpdk-testpmd', FAKE_TESTPMD)
        done = peers(tmp + ':' + path, '--ppfwd', ppfwd, '--no-huge', '--repeat', '3',
                     '--duration', '2')
        check(done.returncode == 0 and done.stderr == '', 'a run')
        # 30 Mpps against two ports of 10, the first two reports not counted
        line = r'^null,%s +ppfwd +30\.000 .*testpmd +20\.000 .*ratio 1\.50$'
        for engine in 'io', 'macswap':
            check(re.search(line % engine, done.stdout, re.M), f'{engine}: medians and ratio')


parser = argparse.ArgumentParser()
for name in 'ppbench', 'leak', 'sleeper', 'json', 'pcap', 'dpdk', 'sanitize', 'man', 'peers':
    parser.add_argument('--' + name)
parser.add_argument('test')
args = parser.parse_args()
if args.test in TWO_CPUS and len(os.sched_getaffinity(0)) < 2:
    skip('needs two CPUs')
globals()['test_' + args.test]()
print('passed')
