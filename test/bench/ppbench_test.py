# SPDX-License-Identifier: BSD-3-Clause
"""ppbench: cases, options, errors, and the ledger. Exit status 0 passed, 1 failed, 77 skipped."""
import argparse
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

UNIT = {'drain': 'cycles_per_drain'}
CASES = ['policy', 'page_pool', 'cross', 'drain', 'compare']
TWO_CPUS = ['cross', 'drain']


def check(condition, what):
    if not condition:
        print('FAILED:', what)
        sys.exit(1)


def skip(why):
    print('skipped:', why)
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


def rows_of(case, *words):
    """The result of a quick run, as a list of rows; checked for what every result must have."""
    unit = UNIT.get(case, 'cycles_per_page')
    if args.json == 'no':
        table = list(csv.DictReader(io.StringIO(good(case, '--quick', '--csv', '-', *words))))
        rows = [{k: v if k in ('policy', 'kind') else float(v)
                 for k, v in row.items() if v != ''} for row in table]
        rows = [dict(row, published=bool(row['published'])) for row in rows]
    else:
        result = json.loads(good(case, '--quick', '--json', '-', *words))
        check(result['bench'] == case, 'bench')
        check(set(result['machine']) ==
              {'cpu', 'cores', 'kernel', 'compiler', 'commit', 'tsc_hz'}, 'machine')
        check(result['machine']['tsc_hz'] > 1e6, 'tsc_hz')
        rows = result['rows']
    check(rows, 'rows')
    for row in rows:
        check(row[unit + '_median'] > 0, f'{row}: median')
        if not row.get('published'):
            check(row[unit + '_min'] <= row[unit + '_median'] <= row[unit + '_max'],
                  f'{row}: min <= median <= max')
    return rows


def names(rows, kind=None):
    return {row['policy'] for row in rows if kind in (None, row['kind'])}


def test_policy():
    rows = rows_of('policy', '--bulk', '1,64')
    check({'loop', 'lock', 'memcpy', 'trylock', 'spin'} <= names(rows, 'raw'), 'raw rows')
    check({'memcpy', 'trylock', 'spin'} <= names(rows, 'prep'), 'prep rows')
    check({row['bulk'] for row in rows} == {1, 64}, 'bulks')
    check(all('vs_memcpy' in row and 'vs_lock' in row for row in rows), 'ratios')
    median = {(r['policy'], r['kind'], r['bulk']): r['cycles_per_page_median'] for r in rows}
    # nothing is optimised away: a lock costs more than an empty loop, one page more than a 64th
    check(median['lock', 'raw', 1] > median['loop', 'raw', 1], 'lock > loop')
    check(median['trylock', 'raw', 1] > median['trylock', 'raw', 64], 'bulk 1 > bulk 64')


def test_page_pool():
    rows = rows_of('page_pool', '--bulk', '1,32')
    for kind in 'cache', 'ring', 'slow':
        check({'trylock', 'spin'} <= names(rows, kind), kind)
        check(any(r.get('published') for r in rows if r['kind'] == kind), f'{kind}: published')
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
    idle = [r for r in rows if r['kind'] == 'idle']
    busy = [r for r in rows if r['kind'] == 'busy']
    check({'trylock', 'spin'} <= names(idle) and names(idle) == names(busy), 'policies')
    check(all(r['pages_per_drain'] >= 64 for r in idle), 'an idle, full cache gives its pages')
    check(all('slowdown_percent' in r and r['alone_cycles'] > 0 for r in busy), 'owner')
    check(all(row['pingpong_cycles'] > 0 for row in rows), 'ping-pong')


def test_compare():
    rows = rows_of('compare', '--bulk', '64', '--policy', 'trylock')
    check({'array', 'zone trylock', 'locked stack', 'malloc(2048)'} <= names(rows, 'raw'), 'raw')
    check({'array', 'zone trylock', 'page_pool trylock'} <= names(rows, 'prep'), 'prep')
    table = good('compare', '--quick', '--bulk', '64', '--policy', 'trylock')
    dpdk = [n for n in names(rows) if n.startswith('rte_')]
    if args.dpdk == 'no':
        check(not dpdk and 'rte_mempool: not built (libdpdk not found)' in table, 'says so')
        return
    check({'rte_mempool ring_mp_mc cache 512', 'rte_mempool ring_mp_mc cache 0',
           'rte_mempool stack cache 512', 'rte_mempool stack cache 0'} <= names(rows, 'raw'),
          'rte_mempool')
    check('rte_pktmbuf ring_mp_mc cache 512' in names(rows, 'prep'), 'rte_pktmbuf')


def test_options():
    with open(args.man) as man:
        documented = set(re.findall(r'^\.It Fl -([a-z]+)', man.read(), re.M))
    tried = {'policy', 'bulk', 'cores', 'repeat', 'quick', 'json', 'csv', 'help', 'version'}
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
    cpu = str(max(os.sched_getaffinity(0)))
    table = good('policy', '--quick', '--policy', 'all', '--bulk', '1', '--cores', cpu)
    check(f'on CPU {cpu}\n' in table and 'trylock' in table and 'spin' in table, '--cores, all')

    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, 'out')
        table = good('policy', '--quick', '--bulk', '8', '--csv', path)
        with open(path) as file:
            rows = list(csv.DictReader(file))
        check(len(rows) == len(re.findall(r'^\w+ +(raw|prep) ', table, re.M)), '--csv has all rows')
        check(float(rows[0]['cycles_per_page_median']) > 0, '--csv median')
        if args.json == 'yes':
            table = good('policy', '--quick', '--bulk', '8', '--json', path)
            with open(path) as file:
                check(len(json.load(file)['rows']) == len(rows) and table, '--json FILE')


def test_errors():
    bad(2, 'name a case')
    bad(2, 'no case', 'nonsense')
    bad(2, 'one case at a time', 'policy', 'drain')
    bad(2, 'unknown option', 'policy', '--nonsense')
    bad(2, 'unknown option', 'policy', '--plot', 'x.svg')
    for option in 'policy', 'bulk', 'cores', 'repeat', 'json', 'csv':
        bad(2, 'a value must follow', 'policy', '--' + option)
    for bulk in '0', '513', '-1', 'x', '', '1,', '1;2', '8-4', '1-100', '99999999999999999999':
        bad(2, '--bulk', 'policy', '--bulk', bulk)
    for repeat in '0', '1000', '3,4', 'x':
        bad(2, '--repeat', 'policy', '--repeat', repeat)
    bad(2, 'no such policy', 'policy', '--policy', 'nonsense')
    bad(2, 'no such policy', 'policy', '--policy', 'spin,')
    bad(1, 'may not run on CPU', 'policy', '--cores', '1023')
    bad(2, '--cores', 'policy', '--cores', 'a')
    first = str(min(os.sched_getaffinity(0)))
    for case in TWO_CPUS:
        bad(1, 'different CPUs', case, '--cores', first)
        bad(1, 'different CPUs', case, '--cores', f'{first},{first}')
    bad_file = ('policy', '--quick', '--bulk', '1', '--policy', 'spin')
    for option in ['--csv'] + (['--json'] if args.json == 'yes' else []):
        done = run(*bad_file, option, '/nonexistent/file')
        check(done.returncode == 1 and done.stderr.count('\n') == 1, f'{option} to nowhere')
        done = run(*bad_file, option, '/dev/full')
        check(done.returncode == 1 and done.stderr.count('\n') == 1, f'{option} to a full disk')
    if args.json == 'no':
        bad(2, 'no json-c', 'policy', '--json', '-')


def test_ledger():
    if args.sanitize != 'none':
        skip(f'a sanitizer ({args.sanitize}) does not allow a preloaded library')
    preload = {'LD_PRELOAD': args.leak}
    for mode, says in ({}, '1 of '), ({'PP_LEAK': 'double'}, '1 came twice'):
        done = run('policy', '--quick', '--bulk', '8', '--policy', 'trylock',
                   env=dict(preload, **mode))
        check(done.returncode == 1, 'a lost page is a failure')
        check(done.stdout == '', 'no figures')
        check(done.stderr.startswith('ppbench: policy: ') and done.stderr.count('\n') == 1,
              'one line')
        check(says in done.stderr, says)
    done = run('policy', '--quick', '--bulk', '8', '--policy', 'trylock',
               env=dict(preload, PP_LEAK='no'))
    check(done.returncode == 0, 'and the same library without a leak is none')


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
for name in 'ppbench', 'leak', 'json', 'dpdk', 'sanitize', 'man', 'peers':
    parser.add_argument('--' + name)
parser.add_argument('test')
args = parser.parse_args()
if args.test in TWO_CPUS and len(os.sched_getaffinity(0)) < 2:
    skip('needs two CPUs')
globals()['test_' + args.test]()
print('passed')
