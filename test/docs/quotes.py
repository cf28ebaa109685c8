#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""quotes.py GUIDE SOURCE... - each C block of a guide stands in its source as it is

A block is preceded by a comment that names its file, and may leave out whole pieces by a
line of three dots. All C blocks must be such quotes. With --at-least N fewer are a failure.
"""
import argparse
import re
import sys


def blocks(text):
    """Yields (line number, file or None, lines of the block)."""
    name = body = None
    for number, line in enumerate(text.split('\n'), 1):
        said = re.match(r'<!-- (\S+) -->$', line)
        if body is not None:
            if line.startswith('```'):
                yield number - len(body), name, body
                name = body = None
            else:
                body.append(line)
        elif line.startswith('```c'):
            body = []
        elif said:
            name = said.group(1)
        elif line:
            name = None


def pieces(body):
    """The parts of a block between lines of three dots."""
    part = []
    for line in body + ['...']:
        if line.strip() == '...':
            if part:
                yield '\n'.join(part)
            part = []
        else:
            part.append(line)


def main():
    args = argparse.ArgumentParser()
    args.add_argument('--at-least', type=int, default=1)
    args.add_argument('guide')
    args.add_argument('sources', nargs='+')
    args = args.parse_args()
    with open(args.guide, encoding='utf-8') as f:
        found = list(blocks(f.read()))
    bad = []
    for number, name, body in found:
        source = next((s for s in args.sources if name and f'/{s}'.endswith(f'/{name}')), None)
        if not source:
            bad.append(f'{args.guide}:{number}: C that is quoted from {name or "nowhere"}')
            continue
        with open(source, encoding='utf-8') as f:
            text = '\n' + f.read()
        for part in pieces(body):
            if '\n' + part + '\n' not in text:
                bad.append(f'{args.guide}:{number}: not in {name} as it is quoted')
    if len(found) < args.at_least:
        bad.append(f'{args.guide}: {len(found)} quotes, fewer than {args.at_least}')
    print('\n'.join(bad) or f'{args.guide}: {len(found)} quotes are as in their sources')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
