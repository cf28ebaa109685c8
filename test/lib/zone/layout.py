#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""layout.py - a changed struct changes the numbers of shared memory: layout.py LIB ROOTS ROOTS HEADER... -- CC...

Changes a copy of the headers, makes the numbers of a zone and of a depot from it (lib/base/layout.py), and
compares them with those of the headers as they are. ROOTS are those of a zone and of a depot.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = r'''
#include <stdio.h>
#include "base/layout.h"
#include "depot/depot.h"
#include "depot_layout.h"
#include "zone/share.h"
#include "zone_layout.h"

static const uint64_t numbers[] = { ZONE_LAYOUT, DEPOT_LAYOUT };

int main(void)
{
	printf("%llx %llx\n", (unsigned long long)numbers[0], (unsigned long long)numbers[1]);
	return 0;
}
'''
BOTH, ZONE, NONE = {'zone', 'depot'}, {'zone'}, set()

# (what, file, from, to, the numbers that must change)
CHANGES = [
    ('a comment', 'stock/stock.h', r'/\* past the caches \*/', '/* PAST THE CACHES */', NONE),
    ('a field in a gap', 'stock/stock.h', r'(\tbool closed;)', r'\1 bool more;', BOTH),
    ('a field at the end', 'zone/share.h', r'(\tuint64_t recovered;)', r'\1 uint64_t more;', ZONE),
    ('two fields change places', 'stock/stock.h', r'uint32_t saved_high_min;(.*)\n\tuint32_t saved_high_max;',
     r'uint32_t saved_high_max;\1\n\tuint32_t saved_high_min;', BOTH),
    ('a type of the same size', 'stock/stock.h', r'unsigned int cores;', 'int cores;', BOTH),
    ('a name', 'zone/share.h', r'bool unsettled;', 'bool more;', ZONE),
    ('a longer array', 'stock/stock.h', r'char name\[32\]', 'char name[40]', BOTH),
    ('more processes', 'stock/stock.h', r'procs\[SHARE_PROCESSES\]', 'procs[2 * SHARE_PROCESSES]', BOTH),
    ('a struct in a union', 'stock/pcp.h', r'uint32_t keep_out;', 'uint64_t keep_out;', BOTH),
    ('a struct in a struct', 'base/lock.h', r'(\tbool shared;)', r'\1 bool more;', BOTH),
    ('a cache', 'stock/pcp.h', r'(\tuint64_t flushes;)', r'\1 uint64_t more;', BOTH),
    ('a list', 'stock/pcp.h', r'void \*obj\[\] __attribute__\(\(aligned\(16\)\)\)',
     'void *obj[] __attribute__((aligned(32)))', BOTH),
    ('a page', 'include/pagepool/page.h', r'uint8_t shift;\n\tuint8_t flags;', 'uint8_t flags;\n\tuint8_t shift;', ZONE),
    ('a zone', 'zone/zone.h', r'(\tuint32_t headroom;)', r'\1 bool more;', ZONE),
    ("a process's own half", 'zone/zone.h', r'(\tuint32_t moving;)', r'\1 bool more;', NONE),
    ('an alignment', 'base/internal.h', r'PP_LINES       128', 'PP_LINES 256', BOTH),
    ('the order of policies', 'stock/sync/policies.def', r'POLICY\(spin\)\nPOLICY\(irqsave\)',
     'POLICY(irqsave)\nPOLICY(spin)', BOTH),
]


def replace(path, old, new):
    with open(path, encoding='utf-8') as f:
        before = f.read()
    after, n = re.subn(old, new, before, flags=re.S)
    if n != 1:
        sys.exit(f'layout.py: {path} has {n} times "{old}"')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(after)


def numbers(lib, roots, headers, cc, change=None):
    """Of a copy of @lib, after @change."""
    with tempfile.TemporaryDirectory() as top:
        copy = os.path.join(top, 'lib')
        shutil.copytree(lib, copy)
        if change:
            replace(os.path.join(copy, change[1]), change[2], change[3])
        for name in roots:
            subprocess.run([sys.executable, os.path.join(copy, 'base/layout.py'), name.upper() + '_LAYOUT',
                            os.path.join(top, name + '_layout.h'), roots[name]] +
                           [os.path.join(copy, h) for h in headers], check=True)
        with open(os.path.join(top, 'main.c'), 'w', encoding='utf-8') as f:
            f.write(PROGRAM)
        main = os.path.join(top, 'main')
        subprocess.run(cc + ['-D_GNU_SOURCE', '-DPP_DEBUG=0', '-DPP_POISON=0', '-DPP_HAVE_RSEQ=0', '-std=gnu11', '-O1',
                             '-I' + top, '-I' + copy, '-I' + os.path.join(copy, 'include'),
                             '-I' + os.path.join(copy, 'stock/sync/arch/none'), '-c', '-o', main + '.o', main + '.c'],
                       check=True)
        subprocess.run(cc + ['-o', main, main + '.o'], check=True)
        return dict(zip(('zone', 'depot'), subprocess.check_output([main], text=True).split()))


def main():
    split = sys.argv.index('--')
    lib, zone, depot, *headers = sys.argv[1:split]
    headers = [os.path.relpath(h, lib) for h in headers]
    args = lib, {'zone': zone, 'depot': depot}, headers, sys.argv[split + 1:]
    plain, failed = numbers(*args), 0
    for change in CHANGES:
        after = numbers(*args, change)
        differ = {name for name in plain if after[name] != plain[name]}
        if differ != change[4]:
            print(f'{change[0]}: changed are {sorted(differ)}, not {sorted(change[4])}')
            failed = 1
    print(f'{len(CHANGES)} changes; zone {plain["zone"]}, depot {plain["depot"]}')
    return failed


if __name__ == '__main__':
    sys.exit(main())
