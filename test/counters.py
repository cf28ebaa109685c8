#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""counters.py - every counter reaches every reader

  counters.py [--top DIR] --check      print a line for each fault, exit status 1 if there is any
  counters.py [--top DIR] --write      renew the tables of counters in the docs
  counters.py [--top DIR] --keys KIND  the counters' keys in JSON; KIND: zone, pool, window, port

A counter is one line C(name, kind, help) of a list PP_..._COUNTERS(C) in a public header. Its struct
consists of its lists alone; the sources below set each of its members; each reader goes through
the table made from the list; and the table in the guide is the list's.
"""
import glob
import os
import re
import sys

STATS, NETDEV = 'lib/include/pagepool/stats.h', 'drivers/include/pagepool/netdev.h'
JSON, STAT, VIEW, METRICS = ('examples/ppfwd/json.c', 'lib/control/stat.c', 'examples/ppstat/view.c',
                             'examples/ppstat/prometheus.c')
# kind: header, struct, lists, table; the sources that set the members; the readers; the guide
KINDS = {
    'zone': (STATS, 'pp_zone_stats', ['PP_ZONE_COUNTERS'], 'PP_ZONE_COUNTER_TABLE',
             ['lib/zone/*.c', 'lib/stock/*.c'], [JSON, STAT, VIEW, METRICS], 'doc/ppstat.md'),
    'pool': (STATS, 'page_pool_stats', ['PP_POOL_KERNEL_COUNTERS', 'PP_POOL_COUNTERS'], 'PP_POOL_COUNTER_TABLE',
             ['lib/pool/*.c'], [JSON, STAT, VIEW, METRICS], 'doc/page_pool.md'),
    'window': (STATS, 'pp_window_stats', ['PP_WINDOW_COUNTERS'], 'PP_WINDOW_COUNTER_TABLE',
               ['lib/base/trace.c', 'lib/stock/*.c', 'lib/zone/*.c'], [JSON, STAT, METRICS], 'doc/ppstat.md'),
    'port': (NETDEV, 'pp_netdev_stats', ['PP_NETDEV_COUNTERS'], 'PP_NETDEV_COUNTER_TABLE',
             ['drivers/*.[ch]', 'drivers/*/*.[ch]'], [JSON, 'drivers/netdev/netdev.c'], 'doc/ports.md'),
}
KIND_WORDS = {'PP_SUM': 'sum', 'PP_MAX': 'largest', 'PP_GAUGE': 'now'}
ROW = re.compile(r'C\((\w+),\s*(\w+),\s*((?:"[^"]*"\s*)+)\)')


def read(top, path):
    with open(os.path.join(top, path), encoding='utf-8') as f:
        return f.read()


def plain(code):
    return re.sub(r'/\*.*?\*/', ' ', code, flags=re.S)


class Counters:
    def __init__(self, top, kind):
        self.top, self.kind, self.faults = top, kind, []
        self.header, self.struct, self.lists, self.table, self.sources, self.readers, self.guide = KINDS[kind]
        code = plain(read(top, self.header)).replace('\\\n', '\n')
        self.rows = [row for name in self.lists for row in self.parse(code, name)]
        self.body = re.search(r'struct %s \{(.*?)\n\};' % self.struct, code, re.S)

    def parse(self, code, name):
        text = re.search(r'#define %s\(C\)(.*?)(?=\n\s*\n|\n#|\nstruct)' % name, code, re.S)
        if not text:
            self.faults.append('%s: there is no list %s' % (self.header, name))
            return []
        if ROW.sub('', text[1]).strip():
            self.faults.append('%s: %s: not C(name, kind, help): %s' %
                               (self.header, name, ' '.join(ROW.sub('', text[1]).split())))
        kernel = 'KERNEL' in name
        return [(m[1], m[2], ''.join(re.findall(r'"([^"]*)"', m[3])), kernel) for m in ROW.finditer(text[1])]

    def keys(self):
        return [('rx_pp_' if kernel else '') + name for name, kind, text, kernel in self.rows]

    def check_struct(self):
        want = ['size_t sz;'] + ['%s(PP_COUNTER_MEMBER)' % name for name in self.lists]
        have = [line.strip() for line in self.body[1].split('\n') if line.strip()] if self.body else []
        if have != want:
            self.faults.append('%s: struct %s is not made of its lists alone: %s' %
                               (self.header, self.struct, ' '.join(want)))

    def check_sources(self):
        paths = sorted({p for s in self.sources for p in glob.glob(os.path.join(self.top, s))})
        code = plain('\n'.join(read(self.top, p) for p in paths))
        for name, *_ in self.rows:
            if not re.search(r'(\.|->)%s(\s*\+?=[^=]|, |\))' % name, code):
                self.faults.append('%s: no file of %s sets %s of struct %s' %
                                   (self.header, ' '.join(self.sources), name, self.struct))

    def check_readers(self):
        for path in self.readers:
            if self.table not in plain(read(self.top, path)):
                self.faults.append('%s: does not go through %s' % (path, self.table))

    def table_text(self):
        rows = ['| counter | value | counts |', '|---|---|---|']
        rows += ['| `%s` | %s | %s |' % (name, KIND_WORDS.get(kind, kind), text.replace('|', '\\|'))
                 for name, kind, text, kernel in self.rows]
        return '\n'.join(rows) + '\n'

    def guide_parts(self):
        mark = '<!-- counters of a %s: test/counters.py --write -->\n' % self.kind
        text = read(self.top, self.guide)
        if mark not in text:
            self.faults.append('%s: has no table: %s' % (self.guide, mark.strip()))
            return None
        before, rest = text.split(mark, 1)
        old = re.match(r'(\|.*\n)*', rest)[0]
        return before + mark, old, rest[len(old):]

    def check_guide(self):
        parts = self.guide_parts()
        if parts and parts[1] != self.table_text():
            self.faults.append('%s: the table of counters of a %s is old: python3 test/counters.py --write' %
                               (self.guide, self.kind))

    def write_guide(self):
        parts = self.guide_parts()
        if parts:
            with open(os.path.join(self.top, self.guide), 'w', encoding='utf-8') as f:
                f.write(parts[0] + self.table_text() + parts[2])

    def check_all(self):
        self.check_struct()
        self.check_sources()
        self.check_readers()
        self.check_guide()


def main(args):
    top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if args[:1] == ['--top']:
        top, args = args[1], args[2:]
    if args[:1] == ['--keys'] and len(args) == 2 and args[1] in KINDS:
        print('\n'.join(Counters(top, args[1]).keys()))
        return 0
    if args not in (['--check'], ['--write']):
        print(__doc__)
        return 2
    faults = []
    for kind in KINDS:
        counters = Counters(top, kind)
        if args == ['--check']:
            counters.check_all()
        else:
            counters.write_guide()
        faults += counters.faults
    for fault in faults:
        print(fault)
    return 1 if faults else 0


sys.exit(main(sys.argv[1:]))
