# SPDX-License-Identifier: BSD-3-Clause
"""ppbench scale: no simulated figure without the word. 0 passed, 1 failed, 77 skipped."""
import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys

CORES = [1, 2, 4, 8, 16, 32, 64, 128, 256]
POLICIES = 'trylock', 'irqsave'


def check(condition, what):
    if not condition:
        print('FAILED:', what)
        sys.exit(1)


def run(*words, env=None):
    done = subprocess.run([args.ppbench, 'scale', '--quick', *words], capture_output=True,
                          text=True, timeout=60, env=dict(os.environ, **(env or {})))
    print('$ ppbench scale --quick', *words, '->', done.returncode)
    print(done.stderr, end='')
    return done


def good(*words):
    done = run('--policy', ','.join(POLICIES), '--repeat', '3', *words)
    check(done.returncode == 0 and done.stderr == '', 'exit status 0, nothing on stderr')
    return done.stdout


def check_rows(rows):
    for row in rows:
        check(row['simulated'] == row['kind'].startswith('simulated'), f'{row}: says so')
        check(row['mpages_per_s_median'] > 0, f'{row}: a rate')
    for policy in POLICIES:
        mine = [r for r in rows if r['policy'] == policy]
        real = {r['cores']: r for r in mine if not r['simulated']}
        cpus = len(os.sched_getaffinity(0))
        check(min(real) == 1 and max(real) == cpus, f'measured {list(real)}')
        check(all('simulated_error_percent' in r for n, r in real.items() if n > 1),
              'checked against what was measured')
        one = {r['cores']: r for r in mine if r['kind'] == 'simulated one zone'}
        own = {r['cores']: r for r in mine if r['kind'] == 'simulated zone/node'}
        check(list(one) == CORES and list(own) == CORES[6:], f'cores {list(one)} {list(own)}')
        check([r['nodes'] for r in one.values()] == [1, 1, 1, 1, 1, 1, 2, 4, 8], 'nodes')
        alone = real[1]['mpages_per_s_median']
        # by construction, but for exponential times of a finite run
        check(abs(one[1]['mpages_per_s_median'] / alone - 1) < .1, 'one core is as measured')
        for n, row in (one | own).items():
            want = 100 * row['mpages_per_s_median'] / n / alone
            check(abs(row['efficiency_percent'] - want) < .05 * want + .01, f'{row}: efficiency')
            check(row['efficiency_percent'] < 110 and row['busy_percent'] < 101, f'{row}: bounds')
        if one[256]['busy_percent'] > 99:
            check(own[256]['mpages_per_s_median'] > 4 * one[256]['mpages_per_s_median'],
                  'eight zones relieve one that is saturated')


def test_figures():
    if args.json == 'yes':
        result = json.loads(good('--json', '-'))
        rows = [dict(r, simulated=r.get('simulated', False)) for r in result['rows']]
        check(all('"simulated": true' not in json.dumps(r) for r in result['rows']
                  if r['kind'] == 'measured'), 'a key of simulated rows only')
        notes = ' '.join(result['notes'])
        check('SIMULATED' in notes and 'ASSUMED' in notes, 'the assumptions are in the notes')
        check_rows(rows)
    table = csv.DictReader(io.StringIO(good('--csv', '-')))
    rows = [{k: v if k in ('policy', 'kind', 'refused') else float(v)
             for k, v in row.items() if v != ''} for row in table]
    check_rows([dict(r, simulated=bool(r['simulated'])) for r in rows])


def test_table():
    text = good()
    check(re.match(r'simulated against measured: trylock-2 [-+]\d+ %, irqsave-2 [-+]\d+ %.*; worst [-+]\d+ %\n', text),
          "the model's error is the first line")
    at = text.index('policy  ')
    for word in 'SIMULATED', 'ASSUMED', 'left out', 'seeds', 'simulated against measured:', \
            'ping-pong', 'worst':
        check(word in text[:at], f'before the table it says {word}')
    lines = re.findall(r'^(?:trylock|irqsave) .*', text[at:], re.M)
    check(len(lines) == 2 * (12 + len(re.findall('measured', text[at:])) // 2), 'lines')
    for line in lines:
        check(line.endswith('(simulated)') == (' simulated ' in line), line)
        check((' measured ' in line) != (' simulated ' in line), line)


def test_errors():
    cpu = str(min(os.sched_getaffinity(0)))
    done = run('--cores', cpu)
    check(done.returncode == 1 and 'different CPUs' in done.stderr, 'one CPU')
    check(done.stderr.count('\n') == 1 and done.stdout == '', 'one line')
    if args.sanitize != 'none':
        print(f'SKIP: a sanitizer ({args.sanitize}) does not allow a preloaded library')
        sys.exit(77)
    done = run('--policy', 'trylock', '--repeat', '1', env={'LD_PRELOAD': args.leak})
    check(done.returncode == 1 and done.stdout == '', 'a lost page is a failure, no figures')
    check(done.stderr.startswith('ppbench: scale: ') and done.stderr.count('\n') == 1, 'a line')
    check('1 of ' in done.stderr, 'says how many')


parser = argparse.ArgumentParser()
for name in 'ppbench', 'leak', 'json', 'dpdk', 'sanitize', 'man', 'peers':
    parser.add_argument('--' + name)
parser.add_argument('test')
args = parser.parse_args()
if len(os.sched_getaffinity(0)) < 2:
    print('SKIP: needs two CPUs')
    sys.exit(77)
globals()['test_' + args.test]()
print('passed')
