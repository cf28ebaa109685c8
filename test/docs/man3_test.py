#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""man3_test.py DIR MAP... - a man page in DIR for each exported symbol, and mandoc has nothing to say"""
import glob
import os
import re
import subprocess
import sys


def main(directory, maps):
    bad = []
    pages = sorted(glob.glob(os.path.join(directory, '*.3')))
    names = {os.path.basename(p)[:-2] for p in pages}
    symbols = []
    for path in maps:
        with open(path) as f:
            symbols += re.findall(r'^\s+(\w+);', f.read(), re.M)
    bad += ['%s has no man page' % s for s in symbols if s not in names]
    if len(symbols) < 100 or len(pages) < len(symbols):
        bad.append('%d symbols, %d pages' % (len(symbols), len(pages)))
    for path in pages:
        with open(path) as f:
            text = f.read()
        for word in ('SYNOPSIS', 'DESCRIPTION') if path.endswith('/pagepool.3') else ('SYNOPSIS',):
            if '.SH ' + word not in text and not path.endswith('/pagepool.3'):
                bad.append('%s: no %s' % (path, word))
        for left in re.findall(r'.*(?:@\w|``).*', text):
            bad.append('%s: markup left: %s' % (path, left))
    with open(os.path.join(directory, 'pp_zone_create.3')) as f:
        text = f.read()
    for error in 'EINVAL', 'EMFILE, ENFILE, EFBIG', 'EAGAIN':
        if '\n.TP\n%s\n' % error not in text:
            bad.append('pp_zone_create.3: %s is no item of a list' % error)
    # a link to a page that is installed elsewhere is no fault
    lint = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning'] + pages, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    bad += lint.stdout.splitlines()
    print('\n'.join(bad + ['%d pages, %d symbols, %d findings' % (len(pages), len(symbols), len(bad))]))
    return 1 if bad else 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
