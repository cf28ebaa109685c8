# SPDX-License-Identifier: BSD-3-Clause
"""Tables of pft: those of a kernel list come out as they were sent, and read alike.

pft_mail.csv has the figures of "[PATCH 0/2] mm/page_alloc: Remote per-cpu lists drain support"
(8 February 2022): two means, the percentage and the star of each row. The means there have two
decimals, the percentages were made of all of them: so this test makes samples with means that
round to the printed ones, and with that percentage. Exit status 0 passed, 1 failed.
"""
import csv
import random
import re
import subprocess
import sys

N = 30  # iterations of mmtests
CELL = r' +([\d.]+) ([(*]) *(-?[\d.]+)%([)*])'


def check(condition, what):
    if not condition:
        print('FAILED:', what)
        sys.exit(1)


def parse(text):
    """{row: [(mean, percent, star), ...]}, in order, and the columns; old tables and new ones."""
    rows, columns = {}, []
    for line in text.splitlines():
        label = re.match(r'[AH]mean +(\S+)(?= )', line)
        if not label:
            if rows == {} and line.strip() and not line.endswith(':'):
                columns = line.split()
            continue
        cells = re.findall(CELL, line[label.end():])
        check(cells and re.fullmatch(f'({CELL})+', line[label.end():]), f'cells of: {line}')
        check(all((a == '*') == (b == '*') for _, a, _, b in cells), f'stars of: {line}')
        rows[label[1]] = [(float(m), float(p), a == '*') for m, a, p, _ in cells]
    return rows, columns


def percent(base, now):
    return 100 - 100 * now / base


def means(row):
    """Two means that round to the printed ones and to the printed percentage."""
    base, now = float(row['vanilla']), float(row['rcu'])
    lo, hi = percent(base - .005, now + .005), percent(base + .005, now - .005)
    want = float(row['percent'])
    check(lo - .005 <= want <= hi + .005, f'{row}: the means allow {lo:.3f} .. {hi:.3f} %')
    if want == 0 and row['star'] == '1':
        want = .003  # 'POWER9 elapsed-128' has a star and 0.00 %: they differ, a little
    for i in sorted(range(-49, 50), key=abs):
        b = base + i * .0001
        n = min(max(b * (1 - want / 100), now - .0049), now + .0049)
        if abs(percent(b, n) - want) < .004:
            return b, n
    check(False, f'{row}: no means between')
    return None


def sample(mean, spread, rng):
    """N values of that mean and, nearly, that standard deviation."""
    half = [rng.uniform(.5, 1.1) * spread for _ in range(N // 2)]
    return [mean + h for h in half] + [mean - h for h in half]


def cells(rows):
    rng = random.Random(4)
    for row in rows:
        base, now = means(row)
        # a star in the mail says that its spread was small, none that it was large
        apart = abs(base - now)
        spread = apart * (.5 if row['star'] == '1' else 5) + (.01 if row['star'] == '0' else 0)
        if apart < 1e-9:
            spread = 0 if row['star'] == '0' else spread
        for values in sample(base, spread, rng), sample(now, spread, rng):
            yield f"{row['op']}-{row['threads']} 0 " + ' '.join(f'{v:.12f}' for v in values)


def table(program, rows, rule='2022'):
    done = subprocess.run([program, rule, 'vanilla', 'rcu'], input='\n'.join(cells(rows)) + '\n',
                          capture_output=True, text=True, timeout=60)
    check(done.returncode == 0 and done.stderr == '', f'{program}: {done.returncode}')
    return done.stdout


def as_sent(row):
    left, right = '**' if row['star'] == '1' else '()'
    return (f"Amean {row['op']}-{row['threads']} {row['vanilla']} ( 0.00%) {row['rcu']} "
            f"{left} {row['percent']}%{right}")


def main():
    program, data = sys.argv[1:]
    with open(data) as file:
        rows = list(csv.DictReader(file))
    check(len(rows) == 122 and len({r['machine'] for r in rows}) == 7, 'the mail has 122 rows')
    check(sum(r['star'] == '0' for r in rows) == 5, '5 of them without a star')
    for machine in dict.fromkeys(r['machine'] for r in rows):
        ours = [r for r in rows if r['machine'] == machine]
        text = table(program, ours)
        print(text)
        lines = text.splitlines()
        check(lines[0] == 'pft timings:' and lines[1].split() == ['vanilla', 'rcu'], 'title')
        # archives of the list run blanks together: so compare without them
        got = [' '.join(re.sub(r'([(*]) +', r'\1 ', line).split()) for line in lines[2:]]
        for have, row in zip(got, ours):
            want = re.sub(r'([(*]) ?(\S+%)', r'\1 \2', as_sent(row))
            have = re.sub(r'([(*]) ?(\S+%)', r'\1 \2', have)
            check(have == want, f'{machine}: {have!r} was sent as {want!r}')
        check(len(got) == len(ours), f'{machine}: {len(got)} rows')
        check(len({len(line) for line in lines[1:]}) == 1, 'columns are aligned')
        parsed, columns = parse(text)
        check(columns == ['vanilla', 'rcu'] and len(parsed) == len(ours), 'parsed')
        old, _ = parse('\n'.join(as_sent(row) for row in ours))
        check(old == parsed, f'{machine}: old and new tables read alike')
        for row in ours:
            check(parsed[f"{row['op']}-{row['threads']}"][1][1:] ==
                  (float(row['percent']), row['star'] == '1'), f'{row}')
    # the rule of 2024 asks for eight times more
    strict, _ = parse(table(program, rows[:20], '2024'))
    check(not any(c[2] for r in strict.values() for c in r), '2024: spreads overlap')
    print('passed')


if __name__ == '__main__':
    main()
