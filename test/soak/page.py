# SPDX-License-Identifier: BSD-3-Clause
"""page.py DIR - one page about a soak: what ran, ledgers, memory, failures. Exit status 1: a failure

DIR has rounds.tsv, rss.tsv, machine.tsv as the lanes and sample.py write them, and about.txt with
lines "name: value" for the head of the page.
"""
import os
import statistics
import sys

TOP = sys.argv[1]
SHOWN = 20 # failures
WHAT = {
    'pft': 'threads take and give back pages, 100 drains a second',
    'life': 'the life of blocks against a model, every policy',
    'depot': 'processes on one depot, some killed',
    'af_xdp': 'ppfwd on AF_XDP ports: killed, then TCP with checksums',
    'dpdk': 'ppfwd on DPDK ports (net_af_packet): the same',
    'testpmd': 'dpdk-testpmd on our pools, every second one killed',
    'topology': 'namespaces and veth pairs of a lane',
    'af_xdp end': 'no XDP program is left',
    'end': 'no namespace, process or file is left',
}
LEDGER = 'af_xdp', 'dpdk', 'testpmd'


def lines(name):
    try:
        with open(os.path.join(TOP, name)) as f:
            return [line.rstrip('\n').split('\t') for line in f if line.strip()]
    except FileNotFoundError:
        return []


def slope(points):
    """least squares, a unit of y an hour; points are (seconds, y)"""
    if len(points) < 3 or points[-1][0] == points[0][0]:
        return None
    x = [p[0] for p in points]
    y = [p[1] for p in points]
    mx, my = statistics.mean(x), statistics.mean(y)
    square = sum((a - mx) ** 2 for a in x)
    return 3600 * sum((a - mx) * (b - my) for a, b in points) / square if square else None


def table(head, rows):
    print('| ' + ' | '.join(head) + ' |')
    print('|' + '|'.join(' --- ' if i == 0 else ' ---: ' for i in range(len(head))) + '|')
    for row in rows:
        print('| ' + ' | '.join(str(cell) for cell in row) + ' |')
    print()


def big(n):
    return '{:,}'.format(n)


def mib(kib):
    return '%.1f' % (kib / 1024)


def trend(value):
    return '-' if value is None else '%+.1f' % (value / 1024)


def rounds_by_kind(rounds):
    kinds = {}
    for r in rounds:
        kinds.setdefault(r[0], []).append(r)
    order = list(WHAT)
    return sorted(kinds.items(), key=lambda k: order.index(k[0]) if k[0] in order else 99)


def what_ran(rounds):
    rows = []
    for kind, some in rounds_by_kind(rounds):
        total = [sum(int(r[i]) for r in some) for i in (4, 5, 6, 7)]
        seconds = sum(int(r[2]) - int(r[1]) for r in some)
        rows.append([kind + ': ' + WHAT.get(kind, ''), len(some), big(seconds),
                     sum(r[3] != '0' for r in some), big(total[0]) if total[0] else '-',
                     big(total[1]) if kind in LEDGER else '-'] +
                    [big(n) if kind in LEDGER else '-' for n in total[2:]])
    table(['Part', 'Rounds', 'Seconds', 'Failed', 'Operations', 'Kills', 'Leaked', 'Freed twice'],
          rows)


def memory(samples):
    """A process's figure is the median of its samples.

    The slope over processes leaves out those that were killed young. The first quarter of the
    longest life is warm-up; a life of less than a minute has no slope.
    """
    kinds = {}
    for kind, pid, at, kib in samples:
        kinds.setdefault(kind, {}).setdefault(pid, []).append((float(at), int(kib)))
    rows = []
    for kind, processes in sorted(kinds.items()):
        longest = max(processes.values(), key=len)
        lasting = [p for p in processes.values() if 4 * len(p) >= len(longest)]
        ends = sorted((p[0][0], statistics.median(k for _, k in p)) for p in lasting)
        warm = longest[len(longest) // 4:]
        age = longest[-1][0] - longest[0][0]
        rows.append([kind, len(processes), mib(ends[0][1]), mib(statistics.median(k for _, k in ends)),
                     mib(ends[-1][1]), trend(slope(ends)),
                     '%d' % age, mib(warm[0][1]), mib(warm[-1][1]),
                     trend(slope(warm) if age >= 60 else None)])
    table(['RSS, MiB', 'Processes', 'First', 'Median', 'Last', 'Slope per hour', 'Longest, s',
           'Its first', 'Its last', 'Its slope per hour'], rows)


def machine(samples):
    if not samples:
        return
    names = 'available', 'shared', 'slab'
    rows = []
    for i, name in enumerate(names, 1):
        points = [(float(s[0]), int(s[i])) for s in samples]
        rows.append([name, mib(points[0][1]), mib(statistics.median(k for _, k in points)),
                     mib(points[-1][1]), trend(slope(points))])
    table(['Machine, MiB', 'First', 'Median', 'Last', 'Slope per hour'], rows)
    print('Hugepages, total and free: %s and %s at first, %s and %s at last. The soak uses none; '
          'other programs on the machine may.\n' %
          (samples[0][4], samples[0][5], samples[-1][4], samples[-1][5]))


def failures(rounds):
    bad = [r for r in rounds if r[3] != '0']
    print('## Failures\n')
    if not bad:
        print('None.')
        return
    for r in bad[:SHOWN]:
        print('* %s, %d s after the start, status %s: %s' %
              (r[0], int(r[1]) - int(rounds[0][1]), r[3], r[8]))
    if len(bad) > SHOWN:
        print('* and %d more' % (len(bad) - SHOWN))


def main():
    rounds = lines('rounds.tsv')
    with open(os.path.join(TOP, 'about.txt')) as f:
        about = [line.strip().split(': ', 1) for line in f if ': ' in line]
    bad = sum(r[3] != '0' for r in rounds)
    print('# Soak\n')
    print('%d rounds, %d failed. Made by `test/soak.sh`, which says what a round is.\n' %
          (len(rounds), bad))
    table(['About', 'Value'], about)
    what_ran(rounds)
    memory(lines('rss.tsv'))
    machine(lines('machine.tsv'))
    failures(rounds)
    sys.exit(1 if bad or not rounds else 0)


main()
