#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""coverage.py [--update] BUILD - the table of the kernel's AF_XDP tests in doc/xdp.md

Made from xskxceiver.txt. Fails if the document has another table, if a test of the list is not one
of the build's, or if a case of kernel_cases.c is in no line.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DOC = os.path.join(HERE, '../../doc/xdp.md')
BEGIN, END = '<!-- test/xsk/coverage.py -->\n', '<!-- end -->\n'


def lines():
    with open(os.path.join(HERE, 'xskxceiver.txt'), encoding='utf-8') as f:
        for line in f:
            if not line.startswith('#'):
                name, tests, note = (part.strip() for part in line.rstrip('\n').split('|'))
                yield name, [] if tests == '-' else tests.split(', '), note


def table():
    rows = ['| kernel | here | |', '|---|---|---|']
    for name, tests, note in lines():
        name = name if name.startswith('(') else f'`{name}`'
        rows.append(f'| {name} | {", ".join(f"`{t}`" for t in tests) or "none"} | {note} |')
    return '\n'.join(rows) + '\n'


def cases():
    with open(os.path.join(HERE, 'kernel_cases.c'), encoding='utf-8') as f:
        return {'xskxceiver ' + name for name in re.findall(r'^\t\{ "(\w+)",', f.read(), re.M)}


def faults(build):
    with open(os.path.join(build, 'meson-info/intro-tests.json'), encoding='utf-8') as f:
        built = {test['name'] for test in json.load(f)}
    listed = {test for _, tests, _ in lines() for test in tests}
    yield from (f'no test {t!r}' for t in sorted(listed - built - cases()))
    yield from (f'{t!r} is in no line of xskxceiver.txt' for t in sorted(cases() - listed))
    if any(t.startswith('xskxceiver ') for t in built):  # a build with clang
        yield from (f'case {t!r} is not run' for t in sorted(cases() - built))


def main(args):
    update = '--update' in args
    build = [a for a in args if not a.startswith('--')][0]
    with open(DOC, encoding='utf-8') as f:
        text = f.read()
    at = text.index(BEGIN) + len(BEGIN)
    to = text.index(END, at)
    found = list(faults(build))
    if text[at:to] != table() and update:
        with open(DOC, 'w', encoding='utf-8') as f:
            f.write(text[:at] + table() + text[to:])
    elif text[at:to] != table():
        found.append('the table of doc/xdp.md differs from xskxceiver.txt: run coverage.py --update BUILD')
    for fault in found:
        print(f'coverage.py: {fault}')
    print(f'{sum(1 for _ in lines())} names of the kernel, {len(cases())} cases of ours, {len(found)} faults')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
