#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""layout.py - a constant expression that differs when a struct in shared memory differs

  layout.py MACRO OUT ROOTS FILE...

Writes to OUT a header that defines MACRO, for base/layout.h. ROOTS are the structs that begin a part of
the memory, separated by commas; NAME:FIELD ends at FIELD, which begins memory that is not shared. Structs
and unions that lie in them by value follow. All are read from FILEs. So are the policies: the
memory has their numbers. A declaration has one field, as everywhere in the library.
"""
import hashlib
import re
import sys

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)
ATTRIBUTE = re.compile(r'__attribute__\s*\(\(.*?\)\)(?=\s*[;{]|\s*$)|\b__line_aligned\b', re.S)
FIELD = re.compile(r'(?P<type>\w[\w\s*]*?)(?P<name>\w+)\s*(?P<array>(?:\[[^\]]*\]\s*)*)$')
NESTED = re.compile(r'(?:struct|union)\s*\{(?P<body>.*)\}\s*(?P<name>\w*)$', re.S)
VALUE = re.compile(r'(struct|union) (\w+)$')


def body_at(text, brace):
    """What lies between the brace there and its partner."""
    depth = 0
    for i in range(brace, len(text)):
        depth += {'{': 1, '}': -1}.get(text[i], 0)
        if not depth:
            return text[brace + 1:i]
    sys.exit('layout.py: a brace has no partner')


def declarations(body):
    depth, begin = 0, 0
    for i, c in enumerate(body):
        depth += {'{': 1, '}': -1}.get(c, 0)
        if c == ';' and not depth:
            yield body[begin:i].strip()
            begin = i + 1


def fields(body, path=''):
    """(path, type, is a flexible array) of each field; those of anonymous structs as the others."""
    for text in declarations(body):
        nested, field = NESTED.match(text), FIELD.match(text)
        if nested:
            name = nested['name']
            yield from fields(nested['body'], path + name + '.' if name else path)
        elif field:
            kind = ' '.join(field['type'].replace('*', ' * ').split())
            yield path + field['name'], kind, re.match(r'\[\s*\]', field['array']) is not None
        else:
            sys.exit(f'layout.py: cannot read the field "{text}"')


def key(text):
    """A constant of this text. It is odd, so that two places of one field have two products."""
    return '0x%016xu' % (int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], 'big') | 1)


def rows(roots, text):
    clean = ATTRIBUTE.sub('', text)
    bodies = {f'{m[1]} {m[2]}': body_at(clean, m.end() - 1)
              for m in re.finditer(r'^(struct|union) (\w+)\s*\{', clean, re.M)}
    left = [('struct ' + root.partition(':')[0], root.partition(':')[2]) for root in roots]
    done = set()
    while left:
        name, end = left.pop(0)
        if name in done:
            continue
        if name not in bodies:
            sys.exit(f'layout.py: {name} is in none of the files')
        done.add(name)
        for path, kind, flexible in fields(bodies[name]):
            place = f'{name}, {path}, {key(f"{name} {path} {kind}")}'
            if path == end or flexible:
                yield f'LAYOUT_PLACE({place})'
            if path == end:
                break
            if not flexible:
                yield f'LAYOUT_FIELD({place})'
            if VALUE.match(kind):
                left.append((kind, ''))
        else:
            if end:
                sys.exit(f'layout.py: {name} has no field {end}')
            yield f'LAYOUT_SIZE({name}, {key(name)})'
    for policy in re.findall(r'^POLICY\((\w+)\)', clean, re.M):
        yield f'LAYOUT_NUMBER(POLICY_{policy}, {key(policy)})'


def main():
    macro, out, roots, *files = sys.argv[1:]
    text = ''
    for path in files:
        with open(path, encoding='utf-8') as f:
            text += COMMENT.sub('', f.read())
    lines = [f'#define {macro} (0u'] + ['\t+ ' + row for row in rows(roots.split(','), text)]
    with open(out, 'w', encoding='utf-8') as f:
        f.write('/* made by layout.py */\n' + ' \\\n'.join(lines) + ')\n')


if __name__ == '__main__':
    main()
