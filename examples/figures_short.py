#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""figures_short.py - what README.md shows of the figures: a picture and five rows

  figures_short.py [--from DIR] [--out DIR] [--table FILE] [--readme FILE]   write both
  figures_short.py --check                                                   are they of these results?

Reads strand.json of --from and the table of --table (doc/figures.md). Writes strand-short.svg to --out,
and the rows between the lines "<!-- five figures -->" and "<!-- /five figures -->" of --readme
(README.md), which links the picture; --from and --out are where it does. examples/figures.sh calls it.
"""
import argparse
import json
import os
import re
import sys

# rows of strand.json in scenario "idle", and their names in the picture
BARS = [
    ('locked stack', 'a stack with a lock, no caches'),
    ('zone trylock high 512', 'pagepool: zone'),
    ('rte_mempool pagepool cache 0', 'pagepool: plugin of rte_mempool'),
    ('page_pool trylock', 'pagepool: page_pool for each queue'),
    ('rte_mempool ring_mp_mc cache 256', 'rte_mempool, cache 256'),
    ('rte_mempool ring_mp_mc cache 512', 'rte_mempool, cache 512'),
]
# rows of the table: how "what" and "beside it" begin, and what README says
ROWS = [
    ('testpmd noisy on 1,200 mbufs', 'ring_mp_mc', 'dpdk-testpmd on 1,200 mbufs, of which another core used some and stopped'),
    ('64 pages from a core', 'rte_pktmbuf', '64 buffers from a core\'s cache and back, ready for packets'),
    ('forwarding between two null ports, macswap', 'dpdk-testpmd', '`ppfwd` against `dpdk-testpmd`, engine macswap, no network'),
    ('dpdk-testpmd io on the plugin, --mbcache=0', 'ring_mp_mc', 'unchanged `dpdk-testpmd` on our plugin, engine io'),
    ('taken on one core, given back', 'rte_mempool', '64 buffers taken on one core and given back on another'),
]
LEFT, SCALE, ROW, TOP = 270, 0.36, 34, 74


def bar(x, y, width, colour, text):
    return (f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="22" fill="{colour}"/>'
            f'<text x="{x + width / 2:.0f}" y="{y + 16}" fill="#fff" text-anchor="middle">{text}</text>')


def picture(strand):
    found = {row['policy']: row for row in strand['rows'] if row['kind'] == 'idle' and row['bulk'] == 32}
    bars = [(found[policy], name) for policy, name in BARS if policy in found]
    if not bars:
        return None
    need = min(row['buffers_median'] for row, _ in bars)
    bottom = TOP + ROW * len(bars)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {bottom + 54}" font-family="sans-serif" '
           'font-size="13"><title>Buffers that a core needs after another core stopped</title>'
           f'<rect width="860" height="{bottom + 54}" fill="#fff"/>'
           '<text x="12" y="22" font-size="16">One core used buffers and stopped. How many must the pool have, '
           'so that the next core forwards?</text>'
           '<text x="12" y="44" fill="#555">It holds 700 at a time. Blue: what the work needs. '
           'Red: what must be there besides, because idle caches keep it.</text>',
           '<text x="848" y="66" text-anchor="end">rate with 1,200</text>']
    for i, (row, name) in enumerate(bars):
        y, stuck = TOP + ROW * i, row['buffers_median'] - need
        out.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{name}</text>')
        out.append(bar(LEFT, y, need * SCALE, '#2b6cb0', f'{need:.0f}'))
        if stuck > 0:
            out.append(bar(LEFT + need * SCALE, y, stuck * SCALE, '#c53030', f'{stuck:.0f}'))
        out.append(f'<text x="{LEFT + row["buffers_median"] * SCALE + 6:.0f}" y="{y + 16}" font-weight="bold">'
                   f'{row["buffers_median"]:,.0f}</text>')
        rate = row['rate_percent_at_1200']
        out.append(f'<text x="848" y="{y + 16}" text-anchor="end">{min(rate, 100):.0f} %</text>')
    at = LEFT + 1200 * SCALE
    out.append(f'<path d="M{at:.0f} {TOP - 8}V{bottom}" stroke="#333" stroke-dasharray="4 3"/>'
               f'<text x="{at:.0f}" y="{bottom + 18}" text-anchor="middle">1,200 buffers</text>')
    out.append('<text x="12" y="%d" fill="#555">ppbench strand, scenario idle; %s, commit %s</text></svg>' %
               (bottom + 44, strand['machine']['cpu'], strand['machine']['commit']))
    return '\n'.join(out) + '\n'


def rows_of(table):
    """the five rows as lines; fewer if the results have fewer"""
    lines = ['| what | pagepool | beside it | times better |', '|---|---|---|---|']
    cells = [[c.strip() for c in line.split('|')[1:-1]] for line in table.split('\n') if line.startswith('| ')]
    for what, beside, name in ROWS:
        row = next((c for c in cells if c[0].startswith(what) and c[1] and c[2].startswith(beside)), None)
        if row:
            unit = row[0].rsplit(', ', 1)[1]
            lines.append('| %s, %s | %s | %s | %s |' % (name, unit, row[1], row[2], row[3]))
    return lines


def main():
    args = argparse.ArgumentParser(usage=__doc__)
    args.add_argument('--from', dest='where')
    args.add_argument('--out')
    args.add_argument('--table', default='doc/figures.md')
    args.add_argument('--readme', default='README.md')
    args.add_argument('--check', action='store_true')
    args = args.parse_args()
    new = {}
    with open(args.readme, encoding='utf-8') as f:
        page = f.read()
    link = re.search(r'doc/figures/[^/)]*(?=/strand-short)', page)
    args.where = args.where or (link[0] if link else 'doc/figures')
    args.out = args.out or args.where
    strand = os.path.join(args.where, 'strand.json')
    if os.path.exists(strand):
        with open(strand, encoding='utf-8') as f:
            svg = picture(json.load(f))
        if svg:
            new[os.path.join(args.out, 'strand-short.svg')] = svg
    with open(args.table, encoding='utf-8') as f:
        lines = rows_of(f.read())
    text, n = re.subn(r'(<!-- five figures -->\n).*?(<!-- /five figures -->)',
                      lambda m: m[1] + '\n'.join(lines) + '\n' + m[2], page, flags=re.S)
    if n != 1:
        sys.exit('figures_short.py: %s: no lines "<!-- five figures -->" and "<!-- /five figures -->"' % args.readme)
    new[args.readme] = text.replace(link[0], os.path.normpath(args.out)) if link else text
    bad = 0
    for path, content in new.items():
        if args.check:
            with open(path, encoding='utf-8') as f:
                same = f.read() == content
            bad += not same
            print('%s: %s' % (path, 'as the results are' if same else 'old: python3 examples/figures_short.py'))
        else:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(content)
    if args.check and (len(new) < 2 or len(lines) != 2 + len(ROWS)):
        print('README.md: %d rows of %d, or no picture' % (len(lines) - 2, len(ROWS)))
        bad += 1
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
