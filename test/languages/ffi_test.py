#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ffi_test.py TOP LIBRARY FLAT [BINDGEN] - libpagepool-ffi and pagepool/ffi.h against the public headers

Each inline function is a symbol of LIBRARY and declared in FLAT, which has the exported functions and the
structs as well, of the same sizes, and is taken by compilers, cffi and bindgen.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import cffi

TOP, LIBRARY, FLAT = sys.argv[1:4]
HEADERS = sorted(glob.glob(TOP + '/*/include/pagepool/*.h'))
findings = []


def read(path):
    with open(path) as f:
        return f.read()


def run(*command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        findings.append('%s: %s' % (' '.join(command), done.stdout[:500]))
    return done.stdout


def sizes(before, names):
    """sizes of structs in a program that begins with @before"""
    body = ''.join('printf("%%s %%zu\\n", "%s", sizeof(struct %s));' % (n, n) for n in names)
    with tempfile.TemporaryDirectory() as tmp:
        run('cc', '-xc', '-std=gnu11', '-I%s/lib/include' % TOP, '-I%s/drivers/include' % TOP, '-o', tmp + '/a', '-',
            text=before + '\n#include <stdio.h>\nint main(void) { %s return 0; }' % body)
        return run(tmp + '/a')


def main():
    text = '\n'.join(read(h) for h in HEADERS)
    flat = read(FLAT)
    inline = set(re.findall(r'^static inline [^;{]*?(\w+)\(', text, re.M))
    symbols = {l.split()[-1].split('@')[0] for l in run('nm', '-D', '--defined-only', LIBRARY).splitlines()
               if ' A ' not in l}
    exported = set()
    for path in glob.glob(TOP + '/*/libpagepool*.map'):
        exported |= set(re.findall(r'^\s+(\w+);', read(path), re.M))
    declared = set(re.findall(r'(\w+)\([^()]*(?:\([^()]*\)[^()]*)*\);', flat))

    if len(inline) < 20 or len(exported) < 150:
        findings.append('%d inline functions, %d exported' % (len(inline), len(exported)))
    findings.extend('%s is inline, and no symbol' % n for n in sorted(inline - symbols))
    findings.extend('%s is a symbol, and not inline' % n for n in sorted(symbols - inline))
    findings.extend('%s is not in ffi.h' % n for n in sorted((inline | exported) - declared))
    if '__attribute__' in flat or 'static' in flat or '#include' in flat:
        findings.append('ffi.h has attributes, bodies or includes')

    names = sorted(set(re.findall(r'^struct (\w+) \{', text, re.M)))
    real = sizes(''.join('#include "%s"\n' % h for h in HEADERS), names)
    if sizes('#include "%s"' % FLAT, names) != real:
        findings.append('structs of ffi.h have other sizes')
    ffi = cffi.FFI()
    ffi.cdef(flat)
    for name, size in (line.split() for line in real.splitlines()):
        if ffi.sizeof('struct ' + name) != int(size):
            findings.append('struct %s: %d bytes for cffi, %s for C' % (name, ffi.sizeof('struct ' + name), size))
    for name in re.findall(r'^#define (\w+) -?\d+u?l*$', flat, re.M):
        if name not in text:
            findings.append('%s is of no header' % name)
    run('cc', '-xc', '-std=c11', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-fsyntax-only', FLAT)
    if len(sys.argv) > 4:
        bound = run(sys.argv[4], FLAT)
        findings.extend('bindgen has no %s' % n for n in sorted(declared - set(re.findall(r'pub fn (\w+)', bound))))
    print('\n'.join(findings + ['%d inline functions, %d exported, %d structs, %d findings' %
                                (len(inline), len(exported), len(names), len(findings))]))
    return 1 if findings else 0


sys.exit(main())
