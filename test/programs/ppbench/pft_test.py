# SPDX-License-Identifier: BSD-3-Clause
"""ppbench pft: figures that agree with each other, drains, options. 0 passed, 1 failed, 77 skipped."""
import argparse
import csv
import io
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from pft_table_test import check, parse

FAULTS = 1e8  # that the seconds are for
OPS = 'user', 'system', 'elapsed', 'faults/cpu', 'faults/sec'


def run(*words, env=None):
    done = subprocess.run([args.ppbench, 'pft', *words], capture_output=True, text=True,
                          timeout=100, env=dict(os.environ, **(env or {})))
    print('$ ppbench pft', *words, '->', done.returncode)
    print(done.stderr, end='')
    return done


def good(*words):
    done = run('--quick', *words)
    check(done.returncode == 0 and done.stderr == '', 'exit status 0, nothing on stderr')
    return done.stdout


def bad(says, *words, status=2):
    done = run(*words)
    check(done.returncode == status and done.stdout == '', f'exit status {status}, no figures')
    check(done.stderr.startswith('ppbench: ') and done.stderr.count('\n') == 1, 'one line')
    check(says in done.stderr, f'it says "{says}"')


def rows_of(*words):
    """{(column, operation, threads): row}"""
    if args.json == 'yes':
        result = json.loads(good('--json', '-', *words))
        rows = result['rows']
        check(result['on_cores'] == sorted(os.sched_getaffinity(0)), 'on_cores: all')
    else:
        table = csv.DictReader(io.StringIO(good('--csv', '-', *words)))
        rows = [{k: v if k in ('policy', 'kind', 'refused') else float(v)
                 for k, v in row.items() if v != ''} for row in table]
    return {(r['policy'], *r['kind'].split('-')): r for r in rows}


def near(a, b, what):
    check(abs(a - b) <= 2e-4 * abs(b) + 1e-9, f'{what}: {a} is not {b}')


def check_column(rows, column, base, n):
    get = {op: rows[column, op, n] for op in OPS}
    user, system, elapsed = (get[op]['amean'] for op in OPS[:3])
    # harmonic means of reciprocals: equal to a rounding
    near(get['faults/cpu']['hmean'], FAULTS / (user + system), f'{column}-{n}: faults/cpu')
    near(get['faults/sec']['hmean'], FAULTS / elapsed, f'{column}-{n}: faults/sec')
    check(0 < system and 0 < user and user + system < elapsed * int(n) * 1.02,
          f'{column}-{n}: threads have no more CPU time than there is')
    for op, row in get.items():
        mean = 'hmean' if '/' in op else 'amean'
        now, was = row[mean], rows[base, op, n][mean]
        want = 100 * now / was - 100 if '/' in op else 100 - 100 * now / was
        check(abs(row['percent'] - want) < .01 + abs(want) * 1e-4, f'{row}: percent {want}')
        check(row['value_min'] <= now <= row['value_max'], f'{row}: a mean')
        check(row['star'] in (0, 1) and row['threads'] == int(n), f'{row}')
        check(column != base or (row['percent'], row['star']) == (0, 0), f'{row}: baseline')


def test_figures():
    last = len(os.sched_getaffinity(0))
    rows = rows_of('--policy', 'irqsave,trylock,llist', '--repeat', '4')
    counts = {n for _, _, n in rows}
    check({'1', str(last)} <= counts, f'threads {counts}')
    check(len(rows) == 3 * len(OPS) * len(counts), 'one row each')
    for column in 'irqsave', 'trylock', 'llist':
        for n in counts:
            check_column(rows, column, 'irqsave', n)
    # two system calls in each call are in the time that is called system, and only there
    slow, fast = rows['irqsave', 'system', '1'], rows['trylock', 'system', '1']
    check(slow['amean'] > 3 * fast['amean'] and fast['percent'] > 60, 'irqsave costs')
    # hundreds of cycles of it against a store to a cold line
    check(slow['amean'] > 4 * rows['irqsave', 'user', '1']['amean'], 'nearly all is system time')
    # the more pages a call, the less a page
    many = rows_of('--policy', 'irqsave', '--repeat', '3', '--bulk', '64', '--threads', '1')
    check(many['irqsave', 'system', '1']['amean'] * 4 < slow['amean'], 'bulk 64 costs less')


def test_table():
    text = good('--policy', 'irqsave,trylock', '--repeat', '3', '--threads', '4')
    rows, columns = parse(text[text.index('pft timings:'):])
    check(columns == ['irqsave', 'trylock'], f'columns {columns}')
    check(list(rows) == [f'{op}-{n}' for op in OPS[1:] for n in (1, 3, 4)], f'rows {list(rows)}')
    check(all(cells[0][1:] == (0, False) and len(cells) == 2 for cells in rows.values()),
          'baseline first')
    check(all(line.startswith('Hmean ') == ('faults' in line)
              for line in text.splitlines() if re.match('[AH]mean', line)), 'Amean and Hmean')
    check('rule of 2022' in text and '3 times' in text, 'says rule and repetitions')
    check('rule of 2024' in good('--policy', 'trylock', '--repeat', '2', '--stars', '2024',
                                 '--threads', '1'), '--stars 2024')
    # one measurement has no spread: nothing is significant
    rows, _ = parse(good('--repeat', '1', '--policy', 'irqsave,trylock', '--threads', '1'))
    check(not any(cell[2] for cells in rows.values() for cell in cells), 'no stars for one')
    text = good('--repeat', '1', '--policy', 'spin', '--threads', '1', '--bulk', '1,64')
    check('pft timings, bulk 1:' in text and 'pft faults, bulk 64:' in text, 'a table a bulk')


def test_drains():
    policies = good('--repeat', '1', '--threads', '1', '--policy', 'all')
    # at 100 a second few fall into each run: so many runs
    for hz, repeat, which in ('100', '20', 'trylock'), ('1000', '3', 'all'):
        text = good('--repeat', repeat, '--policy', which, '--drain-hz', hz)
        rows, columns = parse(text[text.index('pft timings:'):])
        half = len(columns) // 2
        check([f'{c}+{hz}/s' for c in columns[:half]] == columns[half:], f'columns {columns}')
        notes = dict(re.findall(rf'^(\w+)\+{hz}/s: (.*)$', text, re.M))
        check(set(notes) == set(columns[:half]), 'a note for each')
        for policy, note in notes.items():
            rate, pages, late, all_ = map(float, re.findall(r'[\d.]+', note))
            check(0 < rate < 2 * float(hz) and late <= all_, f'{policy}: {note}')
            # request and a crowded machine may time out; nobody else moves nothing
            check(pages > 0 or policy == 'request', f'{policy}: {note}')
    check('refused' in policies or len(columns) == 16, 'every policy, or why not')


def test_options():
    for option, values in {'threads': ('0', '129', 'x', '1,2', ''),
                           'drain-hz': ('0', '100001', 'x', '-1'),
                           'stars': ('2023', '22', '')}.items():
        for value in values:
            bad(f'--{option}', '--' + option, value)
    for words in ['--threads', '1'], ['--drain-hz', '100'], ['--stars', '2024']:
        done = subprocess.run([args.ppbench, 'policy', *words], capture_output=True, text=True,
                              timeout=100)
        check(done.returncode == 2 and 'only with pft' in done.stderr, f'policy {words}')
    cpu = str(max(os.sched_getaffinity(0)))
    text = good('--policy', 'spin', '--repeat', '1', '--cores', cpu)
    check(f'on CPU {cpu}\n' in text, '--cores')
    check('system-1 ' in text and 'system-2 ' not in text, 'as many threads as CPUs')
    done = run('--quick', '--repeat', '1', '--threads', '1',
               env={'GLIBC_TUNABLES': 'glibc.pthread.rseq=0'})
    check(done.returncode == 0, 'the default policies')


def test_ledger():
    if args.sanitize != 'none':
        print(f'SKIP: a sanitizer ({args.sanitize}) does not allow a preloaded library')
        sys.exit(77)
    words = ['--quick', '--repeat', '1', '--policy', 'trylock', '--threads', '1']
    for mode, says in ({}, '1 of '), ({'PP_LEAK': 'double'}, '1 came twice'):
        done = run(*words, env=dict(LD_PRELOAD=args.leak, **mode))
        check(done.returncode == 1 and done.stdout == '', 'a lost page is a failure, no figures')
        check(done.stderr.startswith('ppbench: pft: ') and done.stderr.count('\n') == 1, 'a line')
        check(says in done.stderr, says)


parser = argparse.ArgumentParser()
for name in 'ppbench', 'leak', 'json', 'dpdk', 'sanitize', 'man', 'peers':
    parser.add_argument('--' + name)
parser.add_argument('test')
args = parser.parse_args()
globals()['test_' + args.test]()
print('passed')
