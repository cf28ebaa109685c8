#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kernel_map.py SOURCE_ROOT - doc/kernel-map.md names what there is, and all of it

In each table with the columns "kernel", "ours", "differs": every name in "ours" is exported,
or stands in a public header or among the static probes, and each of the kernel's names has
one row. Every exported page_pool_* and pp_zone_*, every counter of struct page_pool_stats,
every flag of pools and zones, and every probe is in some row's "ours".
"""
import glob
import os
import re
import subprocess
import sys

MAP = 'doc/kernel-map.md'
NAMES = re.compile(r'`([^`]*)`')
# what a name of ours looks like, and may have before and behind it
WORD = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')


def read(*path):
    with open(os.path.join(*path), encoding='utf-8') as f:
        return f.read()


def rows(text):
    """Yields (line number, kernel, ours, differs)."""
    inside = False
    for number, line in enumerate(text.split('\n'), 1):
        if not line.startswith('|'):
            inside = False
            continue
        cells = [c.strip() for c in re.split(r'(?<!\\)\|', line)[1:-1]]
        if cells == ['kernel', 'ours', 'differs']:
            inside = True
        elif inside and set(''.join(cells)) - set('-: '):
            yield (number, *cells) if len(cells) == 3 else (number, None, None, None)


def plain(code):
    """All comments gone: what a header only talks about is not there."""
    return re.sub(r'/\*.*?\*/', ' ', code, flags=re.S)


def members(code, struct):
    body = re.search(r'struct %s \{(.*?)\n\};' % struct, code, re.S)
    return set(re.findall(r'\b(\w+);', body.group(1))) - {'sz'} if body else set()


def counters(root, kind):
    run = subprocess.run([sys.executable, os.path.join(root, 'test/counters.py'), '--keys', kind],
                         stdout=subprocess.PIPE, text=True, check=True)
    return {key.replace('rx_pp_', '') for key in run.stdout.split()}


def main():
    root = sys.argv[1]
    exported = set(re.findall(r'^\s*(\w+);', read(root, 'lib/libpagepool.map'), re.M))
    headers = plain('\n'.join(read(h) for h in sorted(
        glob.glob(os.path.join(root, '*/include/pagepool/*.h')))))
    probes = set(re.findall(r'\bP\((\w+)\)', plain(read(root, 'lib/base/probes.h'))))
    known = exported | set(WORD.findall(headers)) | probes
    wanted = {n for n in exported if n.startswith(('page_pool_', 'pp_zone_'))} | probes
    wanted |= counters(root, 'pool') | members(headers, 'page_pool_params')
    wanted |= members(headers, 'page_pool_provider')
    # flags are numbers; lists and rows of counters are macros of another kind
    wanted |= set(re.findall(r'#define (PAGE_POOL_HOLDERS|PP_ZONE_[A-Z_]+)[ \t]+\(?[0-9]', headers))
    bad, seen, mapped, count = [], {}, set(), 0
    for number, kernel, ours, differs in rows(read(root, MAP)):
        count += 1
        if not kernel or not ours or not differs:
            bad.append(f'{MAP}:{number}: a row has three cells, none of them empty')
            continue
        for name in NAMES.findall(kernel):
            if seen.setdefault(name, number) != number:
                bad.append(f'{MAP}:{number}: {name} has a row already, {seen[name]}')
        if not NAMES.findall(ours) and ours != 'none':
            bad.append(f'{MAP}:{number}: neither a name of ours nor "none"')
        for quoted in NAMES.findall(ours):
            for name in WORD.findall(quoted):
                mapped.add(name)
                if name not in known:
                    bad.append(f'{MAP}:{number}: {name} is neither exported nor in a public header')
    bad += [f'{MAP}: {name} is in no row' for name in sorted(wanted - mapped)]
    if len(wanted) < 100 or count < 100 or not probes:
        bad.append(f'{MAP}: {count} rows, {len(wanted)} names wanted: something was not found')
    print('\n'.join(bad) or f'{MAP}: {count} rows; {len(wanted)} names of ours, all there')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
