#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""counters_test.py - counters.py finds a counter that does not reach all of its readers

Each test copies the files that counters.py reads, sees that they pass, makes one fault and sees it found.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = 'lib', 'drivers', 'examples', 'doc'
STATS, NETDEV = 'lib/include/pagepool/stats.h', 'drivers/include/pagepool/netdev.h'


class Counters(unittest.TestCase):
    def setUp(self):
        tree = tempfile.TemporaryDirectory(prefix='ppcounters.')
        self.addCleanup(tree.cleanup)
        self.top = tree.name
        for folder in FOLDERS:
            shutil.copytree(os.path.join(TOP, folder), os.path.join(self.top, folder),
                            ignore=lambda at, names: [n for n in names if os.path.isfile(os.path.join(at, n))
                                                      and not n.endswith(('.c', '.h', '.md'))])

    def run_tool(self, *args):
        p = subprocess.run([sys.executable, os.path.join(TOP, 'test/counters.py'), '--top', self.top, *args],
                           stdout=subprocess.PIPE, text=True)
        return p.returncode, p.stdout

    def change(self, path, pattern, text):
        path = os.path.join(self.top, path)
        with open(path) as f:
            old = f.read()
        new, n = re.subn(pattern, text, old)
        self.assertGreater(n, 0, '%s: no %s' % (path, pattern))
        with open(path, 'w') as f:
            f.write(new)

    def finds(self, *said):
        status, output = self.run_tool('--check')
        self.assertEqual(status, 1, output)
        for words in said:
            self.assertIn(words, output)

    def test_clean(self):
        self.assertEqual(self.run_tool('--check'), (0, ''))

    def test_counter_that_is_never_set(self):
        self.change(STATS, r'(\tC\(trims, )', r'\tC(lost_pages, PP_SUM, "pages lost") \\\n\1')
        self.finds('sets lost_pages of struct page_pool_stats', 'doc/page_pool.md: the table')

    def test_port_counter_that_is_never_set(self):
        self.change(NETDEV, r'(\tC\(rx_bad, )', r'\tC(rx_odd, PP_SUM, "odd packets") \\\n\1')
        self.finds('sets rx_odd of struct pp_netdev_stats', 'doc/ports.md: the table')

    def test_member_beside_the_list(self):
        self.change(STATS, r'(\tPP_ZONE_COUNTERS\(PP_COUNTER_MEMBER\))', r'\1\n\tuint64_t hidden;')
        self.finds('struct pp_zone_stats is not made of its lists alone')

    def test_reader_without_the_table(self):
        for path, table in (('lib/control/stat.c', 'PP_ZONE_COUNTER_TABLE'),
                            ('examples/ppfwd/json.c', 'PP_NETDEV_COUNTER_TABLE'),
                            ('examples/ppstat/prometheus.c', 'PP_POOL_COUNTER_TABLE'),
                            ('examples/ppstat/view.c', 'PP_POOL_COUNTER_TABLE'),
                            ('drivers/netdev/netdev.c', 'PP_NETDEV_COUNTER_TABLE')):
            self.change(path, table, '{ PP_LAST_ROW }')
            self.finds('%s: does not go through %s' % (path, table))

    def test_guide_that_is_old(self):
        self.change('doc/ppstat.md', r'\| `drains` \|.*\n', '')
        self.finds('doc/ppstat.md: the table of counters of a zone is old')
        self.assertEqual(self.run_tool('--write')[0], 0)
        self.assertEqual(self.run_tool('--check'), (0, ''))

    def test_line_that_is_no_counter(self):
        self.change(STATS, r'C\(trims, PP_SUM, ', 'C(trims, ')
        self.finds('not C(name, kind, help)')


unittest.main()
