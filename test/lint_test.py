#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""lint_test.py [--objects BUILD] - lint.sh and floors.py find what they are made for

Each test makes a small clean tree, sees that its checks pass, adds one fault and sees that they fail.
With --objects the calls that floors.py reads from the sources are compared with those of the objects.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SPDX = '/* SPDX-License-Identifier: BSD-3-Clause */\n'
NAMELESS = 'whoever', 'who'  # name the thing: which thread is it?
TREE = {
    'lib/include/pagepool/error.h': SPDX + 'const char *pp_error(void);\n',
    'lib/base/error.h': SPDX + 'int base_error(int err);\nextern int base_limit;\n',
    'lib/base/error.c': SPDX + '#include "base/error.h"\n\nint base_limit = 3;\n\nint base_error(int err)\n{\n'
                               '\treturn err;\n}\n',
    'lib/zone/zone.h': SPDX + '#define ZONE_PAGES 3\n\nint zone_take(int n);\nextern int zone_count;\n\n'
                              'static inline int zone_half(int n)\n{\n\treturn n / 2;\n}\n',
    'lib/zone/zone.c': SPDX + '#include "base/error.h"\n#include "zone/zone.h"\n\nint zone_count;\n\n'
                              'int zone_take(int n)\n{\n\treturn base_error(n);\n}\n',
    'lib/pool/pool.h': SPDX + 'int pool_trim(int n);\n',
    'lib/pool/pool.c': SPDX + '#include "pool/pool.h"\n#include "zone/zone.h"\n\n/* trim first */\n'
                              'int pool_trim(int n)\n{\n\treturn zone_take(n) + base_limit;\n}\n',
    'lib/stock/sync/policies.def': SPDX + 'POLICY(trylock)\n',
    'lib/stock/sync/trylock.c': SPDX + 'int pcp_trylock;\n',
    'drivers/null.c': SPDX + '#include <pagepool/error.h>\n\nint null_open(void)\n{\n\treturn 0;\n}\n',
    'doc/guide.md': '# Who needs this guide?\n\nA reader.\n',
}

DOCSTRING = '''
/**
 * pp_error_of() - a reason
 * @err: errno value
 * @n:   number
 *
 * More about it.
 *
 * Context: any thread.
 * Cost:    a load.
 * Return:  a sentence,
 *          or NULL.
 * Source:  none.
 */
const char *pp_error_of(int err, const int n[2]);
'''


class Tree:
    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix='pplint.')
        self.top = self.dir.name
        os.mkdir(os.path.join(self.top, 'test'))
        for name in ('lint.sh', 'floors.py', 'counters.py', 'docstrings.py'):
            if os.path.exists(os.path.join(HERE, name)):
                shutil.copy(os.path.join(HERE, name), os.path.join(self.top, 'test'))
        # no fault from before is in this tree
        text = re.sub(r'^(\w+_left(?:_\w+)?)=\d+', r'\1=0', self.read('test/lint.sh'), flags=re.M)
        self.write('test/lint.sh', text)
        for path, text in TREE.items():
            self.write(path, text)

    def read(self, path):
        with open(os.path.join(self.top, path)) as f:
            return f.read()

    def write(self, path, text):
        path = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)

    def add(self, path, text):
        self.write(path, self.read(path) + text)

    def run(self, *command):
        p = subprocess.run(command, cwd=self.top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return p.returncode, p.stdout


class Lint(unittest.TestCase):
    def setUp(self):
        self.tree = Tree()
        self.addCleanup(self.tree.dir.cleanup)

    def lint(self, check):
        return self.tree.run('sh', 'test/lint.sh', check)

    def fails(self, check, path, text, *said):
        """the tree passes, and does not once TEXT stands at the end of PATH, or in PATH, which is new"""
        status, output = self.lint(check)
        self.assertEqual(status, 0, output)
        if path in TREE:
            self.tree.add(path, text)
        else:
            self.tree.write(path, text)
        status, output = self.lint(check)
        self.assertEqual(status, 1, output)
        for word in said:
            self.assertIn(word, output)

    def test_call_up(self):
        self.fails('floors', 'lib/zone/shrink.c', '#include "pool/pool.h"\n\nint zone_shrink(void)\n{\n'
                   '\treturn pool_trim(3);\n}\n', 'lib/zone/shrink.c: uses pool_trim of lib/pool/pool.c')

    def test_call_up_past_the_header(self):
        self.fails('floors', 'lib/base/error.c', '\nint zone_take(int n);\n\nint base_take(void)\n{\n'
                   '\treturn zone_take(3);\n}\n', 'lib/base/error.c: uses zone_take of lib/zone/zone.c')

    def test_address_of_a_higher_function(self):
        self.fails('floors', 'lib/zone/shrink.c', '#include "pool/pool.h"\n\nint (*zone_shrinker)(int) = pool_trim;\n',
                   'uses pool_trim')

    def test_higher_variable(self):
        self.fails('floors', 'lib/base/error.c', '\nextern int zone_count;\n\nint base_take(void)\n{\n'
                   '\treturn zone_count;\n}\n', 'uses zone_count of lib/zone/zone.c')

    def test_higher_inline_and_macro(self):
        self.fails('floors', 'lib/base/slot.c', '#include "zone/zone.h"\n\nint base_slot(void)\n{\n'
                   '\treturn zone_half(ZONE_PAGES);\n}\n', 'uses zone_half', 'uses ZONE_PAGES', 'includes lib/zone/zone.h')

    def test_calls_beside(self):
        self.fails('floors', 'lib/depot/depot.c', '#include "zone/zone.h"\n\nint depot_take(void)\n{\n'
                   '\treturn zone_take(1);\n}\n', 'uses zone_take')

    def test_comments_and_members_are_no_uses(self):
        self.tree.add('lib/zone/zone.c', '\n/* pool_trim() comes later */\n#include "pool/names.h"\n'
                      'int zone_get(struct x *x)\n{\n\treturn x->pool_trim + x->y.pool_trim;\n}\n')
        status, output = self.lint('floors')
        self.assertEqual(status, 0, output)

    def test_circle(self):
        self.tree.write('lib/zone/buddy.h', SPDX + 'int buddy_take(int n);\n')
        self.tree.add('lib/zone/zone.c', '#include "zone/buddy.h"\n\nint zone_run(int n)\n{\n'
                      '\treturn buddy_take(n);\n}\n')
        self.fails('floors', 'lib/zone/buddy.c', '#include "zone/zone.h"\n\nint buddy_take(int n)\n{\n'
                   '\treturn zone_take(n);\n}\n', 'lib/: 2 files in circles', 'lib/zone/buddy lib/zone/zone')

    def test_circle_of_a_program(self):
        self.tree.write('examples/x/x.h', SPDX + 'int x_run(void);\nint y_run(void);\n')
        self.tree.write('examples/x/y.c', SPDX + '#include "x.h"\n\nint y_run(void)\n{\n\treturn x_run();\n}\n')
        self.fails('floors', 'examples/x/x.c', '#include "x.h"\n\nint x_run(void)\n{\n\treturn y_run();\n}\n',
                   'examples/: 2 files in circles', 'examples/x/x examples/x/y')

    def test_known_offence(self):
        self.tree.add('lib/base/error.c', '#include "zone/zone.h"\n')
        self.assertEqual(self.lint('floors')[0], 1)
        self.tree.write('test/floors.known', 'up lib/base lib/zone/zone.h until later\ncircle lib 2\n')
        status, output = self.lint('floors')
        self.assertEqual(status, 0, output)

    def test_known_offence_that_is_gone(self):
        self.fails('floors', 'test/floors.known', 'up lib/base zone_take until later\n', 'not needed any more')
        self.assertEqual(self.tree.run('python3', 'test/floors.py', '--prune')[0], 0)
        status, output = self.lint('floors')
        self.assertEqual(status, 0, output)

    def test_file_without_a_room(self):
        self.fails('floors', 'lib/attic/attic.c', 'int attic;\n', 'lib/attic/attic.c: has no room')

    def test_policy_that_is_not_listed(self):
        self.fails('policies', 'lib/stock/sync/spin.c', 'int pcp_spin;\n', 'spin: a policy is spin.c and a line')

    def test_policy_without_a_file(self):
        self.fails('policies', 'lib/stock/sync/policies.def', 'POLICY(rcu)\n', 'rcu: a policy is rcu.c and a line')

    def test_word_in_a_comment(self):
        self.fails('language', 'lib/pool/pool.c', '\n/* %s was inside has left */\n' % NAMELESS[0], 'lib/pool/pool.c:11')

    def test_word_in_a_guide(self):
        self.fails('language', 'doc/guide.md', '\nSomebody reads.\n', 'doc/guide.md:5')

    def test_word_in_a_script(self):
        self.fails('language', 'test/some.sh', '# the one %s waits\n' % NAMELESS[1], 'test/some.sh:1')

    def test_function_of_41_lines(self):
        function = 'int zone_long(int n)\n{\n%s}\n'
        self.tree.add('lib/zone/zone.c', function % ('\tn++;\n' * 40))
        self.fails('sizes', 'lib/pool/pool.c', function % ('\tn++;\n' * 41),
                   'lib/pool/pool.c:zone_long(): 41 lines; the limit is 40')

    def test_file_of_401_lines(self):
        self.tree.write('lib/zone/long.c', '\n' * 400)
        self.fails('sizes', 'lib/zone/longer.c', '\n' * 401, 'lib/zone/longer.c: 401 lines; the limit is 400')

    def docstring(self, old, new, *said):
        """the comment in its shape passes; with NEW instead of OLD it does not"""
        self.assertIn(old, DOCSTRING)
        status, output = self.lint('docstrings')
        self.assertEqual(status, 0, output)
        self.tree.add('lib/include/pagepool/error.h', DOCSTRING)
        self.fails('docstrings', 'lib/include/pagepool/error.h', DOCSTRING.replace(old, new), 'pp_error_of()', *said)

    def test_docstring_without_a_field(self):
        self.docstring(' * Cost:    a load.\n', '', 'Cost: is missing')

    def test_docstring_without_return(self):
        self.docstring(' * Return:  a sentence,\n *          or NULL.\n', '', 'Return: is missing')

    def test_docstring_with_fields_in_another_order(self):
        self.docstring(' * Context: any thread.\n * Cost:    a load.\n', ' * Cost:    a load.\n * Context: any thread.\n',
                       'its fields are in the order Cost, Context, Return, Source')

    def test_docstring_with_fields_in_one_paragraph(self):
        self.docstring('thread.\n * Cost:    a', 'thread. Cost: a', 'Cost: is missing', 'Cost: is not on a line of its own')

    def test_docstring_with_a_field_that_is_not_aligned(self):
        self.docstring('Cost:    a', 'Cost: a', 'Cost: its text begins in column 9')

    def test_docstring_with_a_line_that_is_not_aligned(self):
        self.docstring(' *          or', ' *         or', 'a line behind Return:')

    def test_docstring_with_an_empty_field(self):
        self.docstring(' * Cost:    a load.', ' * Cost:', 'Cost: says nothing')

    def test_docstring_with_text_behind_the_fields(self):
        self.docstring('none.\n', 'none.\n *\n * More.\n', 'a line behind Source:')

    def test_docstring_without_an_argument(self):
        self.docstring(' * @n:   number\n', '', 'its arguments are err, n, and the comment has err')

    def test_docstring_in_one_line(self):
        self.docstring(DOCSTRING[:DOCSTRING.index('const')], '/** pp_error_of() - a reason */\n', 'Source: is missing')

    def test_docstring_of_a_function_that_returns_nothing(self):
        self.docstring('const char *pp_error_of', 'void pp_error_of', 'Return: of a function that returns nothing')

    def test_docstring_of_an_inline_function(self):
        self.docstring('const char *pp_error_of(int err, const int n[2]);', 'static inline void pp_error_of(int *err)\n{\n}',
                       'its arguments are err, and the comment has err, n', 'Return: of a function')


class Objects(unittest.TestCase):
    def test_sources_show_what_objects_call(self):
        if not build:
            self.skipTest('no --objects')
        p = subprocess.run([sys.executable, os.path.join(HERE, 'floors.py'), '--objects', build],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(p.returncode, 0, p.stdout)


build = None
if sys.argv[1:2] == ['--objects']:
    build = sys.argv.pop(2)
    sys.argv.pop(1)
unittest.main()
