#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""man3.py - man pages of section 3 from the comments of the public headers

  man3.py --list HEADER...                    the names of the pages
  man3.py VERSION DATE OUTDIR HEADER...       write them

A page is written for each function, struct, enum and macro with arguments that has a kernel-doc
comment, and one that lists them all: pagepool(3). Constants stand on the page of their header's
list there.
"""
import os
import re
import sys
import textwrap

SECTIONS = {'Context': 'CONTEXT', 'Cost': 'COST', 'Return': 'RETURN VALUE', 'Source': 'SOURCE',
            'Locking': 'CONTEXT', 'Errors': 'ERRORS'}
COMMENT = re.compile(r'/\*\*[ \n](.*?)\*/[ \t]*\n', re.S)
ERRORS = re.compile(r'(-?E[A-Z0-9]+(?:, -?E[A-Z0-9]+)*): ')
TITLE = re.compile(r'(?:(struct|enum|union) )?(\w+)(\(\))? - (.*)', re.S)


class Entry:
    def __init__(self, header, kind, name, call, title):
        self.header, self.kind, self.name, self.call, self.title = header, kind, name, call, title
        self.args, self.parts, self.synopsis = [], [], ''

    def is_page(self):
        return bool(self.kind or self.call)


def lines_of(comment):
    return [re.sub(r'^ \* ?', '', line).rstrip() for line in comment.strip('\n').split('\n')]


def synopsis_after(text, at, entry):
    """what the comment is about, as C"""
    rest = text[at:].lstrip('\n')
    if rest.startswith('#define'):
        return re.match(r'#define (\w+(?:\([^)]*\))?)', rest).group(0)
    if entry.kind:
        found = re.match(r'struct \w+;', rest) or re.match(r'.*?\n}[^;]*;', rest, re.S) or re.match(r'[^;]*;', rest)
        entry.args += [(n, [t]) for n, t in re.findall(r'/\*\* @(\w+): (.*?) \*/', found.group(0))]
        return re.sub(r' __attribute__\(\(.*?\)\)(?=;)|\s*/\*.*?\*/', '', found.group(0), flags=re.S)
    found = re.match(r'[^;{]*', rest).group(0)
    found = re.sub(r'__attribute__\(\(.*', '', found, flags=re.S)
    found = re.sub(r'\s+', ' ', found.replace('static inline ', '')).strip() + ';'
    # an argument stays in one piece
    found = re.sub(r'(?<!,) ', '\u00a0', found)
    found = '\n'.join(textwrap.wrap(found, 72, subsequent_indent='        ', break_long_words=False,
                                    break_on_hyphens=False))
    return found.replace('\u00a0', ' ')


def parse_body(entry, lines):
    part, paragraph = ['DESCRIPTION', []], None
    entry.parts.append(part)
    for line in lines:
        arg = re.match(r'@(\w+):\s*(.*)', line)
        section = re.match(r'(%s):\s*(.*)' % '|'.join(SECTIONS), line)
        if arg and part[0] == 'DESCRIPTION':
            paragraph = [arg.group(2)]
            entry.args.append((arg.group(1), paragraph))
        elif section:
            part = [SECTIONS[section.group(1)], []]
            paragraph = [section.group(2)]
            part[1].append(paragraph)
            entry.parts.append(part)
        elif not line:
            paragraph = None
        elif paragraph is not None:
            paragraph.append(line)
        else:
            paragraph = [line]
            part[1].append(paragraph)


def parse(path):
    with open(path) as f:
        text = f.read()
    found = []
    for comment in COMMENT.finditer(text):
        lines = lines_of(comment.group(1))
        head = ' '.join(lines[:next((i for i, l in enumerate(lines) if not l or l.startswith('@')), len(lines))])
        title = TITLE.match(head)
        if not title:
            continue
        entry = Entry(os.path.basename(path), *title.groups())
        entry.title = entry.title.rstrip('.')
        parse_body(entry, lines[lines.index(next((l for l in lines if not l or l.startswith('@')), lines[-1])):]
                   if len(lines) > 1 else [])
        if entry.is_page():
            entry.synopsis = synopsis_after(text, comment.end(), entry)
        found.append(entry)
    return found


def escape(text):
    return text.replace('\\', '\\e').replace('-', '\\-')


def inline(text):
    """one paragraph of prose as roff, a sentence a line"""
    text = escape(text)
    text = re.sub(r'``([^`]*)``|`([^`]*)`', lambda m: '\\fB%s\\fP' % (m.group(1) or m.group(2)), text)
    text = re.sub(r'@(\w+)', r'\\fI\1\\fP', text)
    text = re.sub(r'(?<![\w\\])((?:pp|page_pool)_\w+)\(\)', r'\\fB\1\\fP()', text)
    text = re.sub(r'(?<=[\w)\]]\.) (?=[A-Z])', '\n', text)
    lines = [w for l in text.split('\n') for w in textwrap.wrap(l, 78, break_long_words=False, break_on_hyphens=False)]
    return '\n'.join('\\&' + l if l[:1] in ".'" else l for l in lines)


def paragraph_roff(lines):
    """indented lines stay as they are; bullets begin items"""
    if all(l.startswith('  ') for l in lines):
        return ['.nf', '.ft CW'] + ['\\&' + escape(l) for l in lines] + ['.ft', '.fi']
    out, text = [], []
    for line in lines:
        if re.match(r'[*-] ', line):
            if text:
                out.append(inline(' '.join(text)))
            out.append('.IP \\(bu 2')
            text = [line[2:].strip()]
        else:
            text.append(line.strip())
    return out + [inline(' '.join(t for t in text if t))]


def return_roff(lines):
    """errors that begin a line are items, if the line before them introduces a list with its colon"""
    text = [l.strip() for l in lines]
    start = next((i for i in range(1, len(text)) if text[i - 1].endswith(':') and ERRORS.match(text[i])), None)
    if start is None:
        return paragraph_roff(lines)
    out, item, in_list = [inline(' '.join(text[:start]))], [], True
    for i in range(start, len(text)):
        ends = i == start or text[i - 1].endswith('.') or (in_list and text[i - 1].endswith(';'))
        error = ERRORS.match(text[i]) if ends else None
        if ends and item:
            out.append(inline(' '.join(item)))
            item = []
        if error:
            out += ['.TP', escape(error.group(1))]
        elif ends:
            out.append('.PP')
            in_list = False
        item.append(text[i][error.end():] if error else text[i])
    return out + [inline(' '.join(item))]


def page(entry, others, version, date):
    out = ['.\\" SPDX-License-Identifier: BSD-3-Clause',
           '.\\" made from pagepool/%s' % entry.header,
           '.TH %s 3 %s "pagepool %s"' % (entry.name.upper(), date, version),
           '.SH NAME', '%s \\- %s' % (entry.name, inline(entry.title).replace('\n', ' ')),
           '.SH SYNOPSIS', '.nf', '.B #include <pagepool/%s>' % entry.header, '.PP']
    out += ['\\&' + escape(l.replace('\t', '    ')) if l else '.PP' for l in entry.synopsis.split('\n')]
    out += ['.fi']
    if entry.args:
        out.append('.SH %s' % ('MEMBERS' if entry.kind == 'struct' else 'VALUES' if entry.kind == 'enum'
                               else 'ARGUMENTS'))
        for name, lines in entry.args:
            out += ['.TP', '.I %s' % name, inline(' '.join(l.strip() for l in lines if l)) or '\\&']
    for name, paragraphs in entry.parts:
        if not paragraphs:
            continue
        out.append('.SH ' + name)
        for i, lines in enumerate(paragraphs):
            roff = return_roff if name == 'RETURN VALUE' else paragraph_roff
            out += (['.PP'] if i else []) + roff([l for l in lines if l.strip()])
    out.append('.SH SEE ALSO')
    out.append(' ,\n'.join('.BR %s (3)' % o for o in others))
    return '\n'.join(out) + '\n'


def index(entries, version, date):
    out = ['.\\" SPDX-License-Identifier: BSD-3-Clause',
           '.TH PAGEPOOL 3 %s "pagepool %s"' % (date, version),
           '.SH NAME', 'pagepool \\- packet buffers for userspace packet I/O',
           '.SH DESCRIPTION', 'Programs link',
           '.B libpagepool', 'for zones, pools and depots,', '.B libpagepool\\-xsk', 'for AF_XDP sockets, and',
           '.B libpagepool\\-netdev', 'for ports.']
    for header in sorted({e.header for e in entries}):
        out.append('.SS pagepool/%s' % header)
        for e in entries:
            if e.header == header:
                name = ('.BR %s (3)' if e.is_page() else '.B %s') % e.name
                out += ['.TP', name, inline(e.title)]
    return '\n'.join(out) + '\n'


def main(argv):
    if argv[:1] == ['--list'] and len(argv) > 1:
        entries = [e for h in argv[1:] for e in parse(h)]
        print('\n'.join(sorted({e.name + '.3' for e in entries if e.is_page()} | {'pagepool.3'})))
        return 0
    if len(argv) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    version, date, outdir = argv[:3]
    entries = [e for h in argv[3:] for e in parse(h)]
    pages = {e.name: e for e in entries if e.is_page()}
    for name, entry in pages.items():
        near = sorted(e.name for e in pages.values() if e.header == entry.header and e.name != name)
        at = next((i for i, n in enumerate(near) if n > name), len(near))
        others = ['pagepool'] + near[max(0, at - 3):at + 3]
        with open(os.path.join(outdir, name + '.3'), 'w') as f:
            f.write(page(entry, others, version, date))
    with open(os.path.join(outdir, 'pagepool.3'), 'w') as f:
        f.write(index(entries, version, date))
    return 0


sys.exit(main(sys.argv[1:]))
