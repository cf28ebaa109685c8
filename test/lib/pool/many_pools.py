# SPDX-License-Identifier: BSD-3-Clause
"""Pools by the thousand: nothing is left, and work grows as their number does, by instructions."""
import os
import re
import shutil
import subprocess
import sys

program, sanitize = sys.argv[1:]
os.environ['GLIBC_TUNABLES'] = 'glibc.malloc.tcache_count=0'  # mallinfo2() counts what is free there
FEW, FACTOR, ALL = 250, 4, 10000
TOLERANCE = 1.25  # of instructions a pool, at FACTOR times as many pools


def instructions(*words):
    done = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', program, *words],
                          capture_output=True, text=True)
    found = re.search(r'Collected : (\d+)', done.stderr)
    if done.returncode or not found:
        sys.exit(f'FAILED: {words}: {done.stderr[-2000:]}')
    return int(found[1])


for how in ['create'], ['create', 'reverse'], ['out'], ['out', 'reverse'], ['trim']:
    done = subprocess.run([program, str(ALL), *how], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f'FAILED: {ALL} pools, {how}: {done.stderr}')
    print(f'{ALL} pools, {" ".join(how)}: nothing is left')
if sanitize != 'none' or not shutil.which('valgrind'):
    print('SKIP: instructions are counted by valgrind, and without a sanitizer')
    sys.exit()
for how in ['create'], ['create', 'reverse'], ['out'], ['out', 'reverse'], ['trim']:
    start, few, many = (instructions(str(n), *how) for n in (1, FEW, FACTOR * FEW))
    ratio = (many - start) / (few - start)
    print(f'{" ".join(how)}: {(few - start) / FEW:.0f} instructions a pool, '
          f'{FACTOR} times as many pools: {ratio:.2f} times')
    if ratio > FACTOR * TOLERANCE:
        sys.exit(f'FAILED: {how} is not linear: {ratio:.2f} times')
print('passed')
