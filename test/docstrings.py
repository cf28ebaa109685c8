#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""docstrings.py HEADER... - every comment of a public function has the same shape

  what; each argument, in the order of the declaration; text; then, each on a line of its own,

    Context: where and when it may be called
    Cost:    what it costs
    Return:  what it returns, with every error; not of void functions
    Source:  what it is like elsewhere, and what differs; "none" if there is nothing

A reader finds the same fact at the same place of each comment, and a fact that is missing shows.
Prints a line for each finding, and exits 1 if there is any.
"""
import re
import sys

COMMENT = re.compile(r'/\*\*[ \n](.*?)\*/[ \t]*\n', re.S)
TITLE = re.compile(r'(\w+)\(\) - ')
FIELDS = ['Context', 'Cost', 'Return', 'Source']
FIELD = re.compile(r'(%s):(\s*)(.*)' % '|'.join(FIELDS))
INDENT = len('Context: ')


def parameters(declaration):
    """names, in order; of an array and of a pointer, too"""
    inside = re.search(r'\((.*)\)', declaration, re.S).group(1)
    found = [p.strip() for p in inside.split(',')]
    return [re.search(r'(\w+)(?:\[\w*\])?$', p).group(1) for p in found if p not in ('void', '...')]


def declaration_after(text, at):
    """the function's declaration, without attributes; None: a macro, or a table"""
    found = re.match(r'\s*([^#;{]*)[;{]', text[at:])
    if not found or '(' not in found.group(1):
        return None
    return re.sub(r'\s*__attribute__.*', '', found.group(1), flags=re.S)


def check_fields(lines, is_void):
    """what is wrong with the fields, and with the lines behind the first of them"""
    seen = []
    for line in lines:
        field = FIELD.match(line)
        if field:
            seen.append(field.group(1))
            if not field.group(3):
                yield '%s: says nothing' % field.group(1)
            elif len(field.group(1) + ':' + field.group(2)) != INDENT:
                yield '%s: its text begins in column %d' % (field.group(1), INDENT)
        elif seen and not line.startswith(' ' * INDENT):
            yield 'a line behind %s: is not indented as its text is: %s' % (seen[-1], line.strip())
    want = [f for f in FIELDS if f != 'Return' or not is_void]
    for name in want:
        if name not in seen:
            yield '%s: is missing' % name
    if is_void and 'Return' in seen:
        yield 'Return: of a function that returns nothing'
    order = [f for f in want if f in seen]
    if seen != order and sorted(seen) == sorted(order):
        yield 'its fields are in the order %s' % ', '.join(seen)
    for name in sorted({f for f in seen if seen.count(f) > 1}):
        yield '%s: is there twice' % name
    for line in lines:
        inner = re.search(r'[.;] (%s): ' % '|'.join(FIELDS), line)
        if inner:
            yield '%s: is not on a line of its own' % inner.group(1)


def check(path):
    with open(path) as f:
        text = f.read()
    for comment in COMMENT.finditer(text):
        lines = [re.sub(r'^ ?\* ?', '', l).rstrip() for l in comment.group(1).strip().split('\n')]
        title = TITLE.match(lines[0])
        declaration = declaration_after(text, comment.end()) if title else None
        if not declaration:
            continue
        name = title.group(1)
        line = text.count('\n', 0, comment.start()) + 1
        arguments = [m.group(1) for m in (re.match(r'@(\w+):', l) for l in lines) if m]
        if arguments != parameters(declaration):
            yield line, name, 'its arguments are %s, and the comment has %s' % (
                ', '.join(parameters(declaration)) or 'none', ', '.join(arguments) or 'none')
        is_void = re.match(r'(static inline )?void \w', declaration) is not None
        for what in check_fields(lines, is_void):
            yield line, name, what


def main(paths):
    if not paths:
        print(__doc__, file=sys.stderr)
        return 2
    findings = ['%s:%d: %s(): %s' % (path, line, name, what) for path in paths for line, name, what in check(path)]
    if findings:
        print('\n'.join(findings))
    return 1 if findings else 0


sys.exit(main(sys.argv[1:]))
