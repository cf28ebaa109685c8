#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""needed.py FILE=NAME,NAME... - each FILE needs the libraries NAME, and libc; sanitizers add their own"""
import re
import subprocess
import sys

LIBC = r'(libc|ld-linux[-a-z0-9_]*|ld-musl[-a-z0-9_]*|lib(a|t|ub)san|libgcc_s|libm|libpthread|libdl)\.'


def needed(path):
    dynamic = subprocess.run(['readelf', '-d', path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return {n for n in re.findall(r'\(NEEDED\).*\[(.*)\]', dynamic) if not re.match(LIBC, n)}


def main(argv):
    bad = 0
    for arg in argv:
        path, _, names = arg.partition('=')
        wanted, found = set(filter(None, names.split(','))), {n.split('.so')[0] for n in needed(path)}
        if found != wanted:
            print('%s needs %s, and not %s' % (path, sorted(found) or 'libc only', sorted(wanted) or 'libc only'))
            bad += 1
    print('%d files, %d with other libraries than expected' % (len(argv), bad))
    return 1 if bad or not argv else 0


sys.exit(main(sys.argv[1:]))
