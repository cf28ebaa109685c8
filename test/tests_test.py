#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tests_test.py - the sum at the end of a run says why a test failed"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))


def entry(name, result, stdout='', stderr=''):
    return {'name': 'pagepool:unit / ' + name, 'result': result, 'stdout': stdout, 'stderr': stderr,
            'command': ['./test-' + name]}


class Sum(unittest.TestCase):
    def sum(self, log, status):
        with tempfile.TemporaryDirectory(prefix='pptests.') as build:
            os.mkdir(os.path.join(build, 'meson-info'))
            os.mkdir(os.path.join(build, 'meson-logs'))
            with open(os.path.join(build, 'meson-info', 'intro-tests.json'), 'w') as f:
                json.dump([{'name': t['name'].split(' / ')[1], 'suite': ['unit']} for t in log], f)
            with open(os.path.join(build, 'meson-logs', 'testlog.json'), 'w') as f:
                f.write('\n'.join(json.dumps(t) for t in log) + '\n')
            p = subprocess.run([sys.executable, os.path.join(HERE, 'tests.py'), 'sum', build, str(status)],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               cwd=os.path.dirname(HERE))
        return p.returncode, p.stdout.rstrip('\n').split('\n')

    def test_end_of_the_output_is_beside_the_failure(self):
        out = ''.join('line %d\n' % n for n in range(100))
        status, lines = self.sum([entry('good', 'OK', 'hidden\n'), entry('bad', 'FAIL', out, 'assert 3 == 4\n'),
                                  entry('late', 'TIMEOUT', 'waits\n')], 1)
        self.assertEqual(status, 1)
        at = [n for n, line in enumerate(lines) if line.startswith('FAILED: pagepool:unit / bad: FAIL')][0]
        shown = [line for line in lines[at + 1:] if line.startswith('    | ')]
        self.assertNotIn('    | line 70', shown)
        self.assertIn('    | line 99', lines[at + 1:at + 33])
        self.assertIn('    | assert 3 == 4', lines[at + 1:at + 33])
        late = [n for n, line in enumerate(lines) if line.startswith('FAILED: pagepool:unit / late: TIMEOUT')][0]
        self.assertEqual(lines[late + 1:], ['    | waits', '1 passed, 2 failed'])
        self.assertFalse([line for line in lines if 'hidden' in line])

    def test_nothing_failed(self):
        status, lines = self.sum([entry('good', 'OK', 'hidden\n')], 0)
        self.assertEqual((status, lines), (0, ['1 passed, 0 failed']))


unittest.main()
