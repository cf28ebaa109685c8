#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""flat.py VERSION OUT HEADER... -- COMPILER... - the public headers as one, for cffi and bindgen

The headers come out of the preprocessor without system headers, attributes and bodies. So every inline
function is a declaration; libpagepool-ffi has the symbol. Constants are numbers.
"""
import os
import re
import subprocess
import sys

HEAD = '''/* SPDX-License-Identifier: BSD-3-Clause */
/* pagepool %s in one header, made from its public headers: see doc/languages.md */
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef unsigned long size_t;
'''
ARITHMETIC = re.compile(r'[\s()<>|+*~\-0-9a-fA-Fx]+$')


def preprocess(compiler, flags, headers):
    source = ''.join('#include "%s"\n' % h for h in headers)
    return subprocess.run(compiler + flags + ['-E', '-xc', '-'], input=source, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def ours(text, headers):
    """the lines that come from @headers"""
    here = False
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            here = os.path.realpath(marker.group(1)) in headers
        elif here:
            yield line


def closing(text, at):
    """the index behind the bracket that closes the one at @at"""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] in '({') - (text[i] in ')}')
        if not depth:
            return i + 1
    sys.exit('flat.py: a bracket does not close: %s' % text[at:at + 60])


def cut(text, pattern, instead):
    """@instead for each match of @pattern, which ends with a bracket, and all in that bracket"""
    while True:
        found = re.search(pattern, text)
        if not found:
            return text
        text = text[:found.start()] + instead(found) + text[closing(text, found.end() - 1):]


def constants(text, headers):
    own = set()
    for header in headers:
        with open(header) as f:
            own |= set(re.findall(r'^#define (PP_\w+|PAGE_POOL_\w+)[ \t]', f.read(), re.M))
    macros = dict(re.findall(r'^#define (\w+) (.+)$', text, re.M), UINT64_MAX='0xffffffffffffffff')
    for name in own & set(macros):
        value = name
        for _ in range(4):  # a constant of constants
            value = re.sub(r'\b[A-Z]\w+\b', lambda m: macros.get(m.group(0), m.group(0)), value)
        value = re.sub(r'(?<=[0-9a-fA-F])[uUlL]+\b', '', value)
        if ARITHMETIC.match(value):
            number = eval(value)
            yield '#define %s %d%s' % (name, number, '' if number < 1 << 31 else 'u' if number < 1 << 32 else 'ull')


def main(argv):
    split = argv.index('--')
    version, out, headers, compiler = argv[0], argv[1], argv[2:split], argv[split + 1:]
    headers = [os.path.realpath(h) for h in headers]
    text = ' '.join(ours(preprocess(compiler, [], headers), headers))
    text = cut(text, r'__attribute__\s*\(', lambda m: '')
    text = cut(text, r'static inline ([^;{}]*\))\s*\{', lambda m: m.group(1) + ';')
    text = re.sub(r'\s+', ' ', text).replace(' ;', ';')
    text = re.sub(r'([;{]) (?=[^}])', r'\1\n', text)
    with open(out, 'w') as f:
        f.write(HEAD % version)
        f.write('\n'.join(sorted(constants(preprocess(compiler, ['-dM'], headers), headers))) + '\n')
        f.write(text.strip() + '\n')


main(sys.argv[1:])
