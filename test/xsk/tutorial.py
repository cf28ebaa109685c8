#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tutorial.py - the steps of doc/tutorial-xdp.md, from examples/xsk/before.c on

  tutorial.py GUIDE BEFORE OUTDIR N     write step1.c .. stepN.c: each diff applied to the step before
  tutorial.py --same FILE AFTER         the last step is the program after

meson builds each step with the flags of the examples; test/xsk/guide.sh runs them.
"""
import os
import re
import subprocess
import sys


def diffs(guide):
    with open(guide, encoding='utf-8') as f:
        return re.findall(r'^```diff\n(.*?)^```$', f.read(), re.M | re.S)


def main(argv):
    if argv[:1] == ['--same']:
        with open(argv[1], encoding='utf-8') as last, open(argv[2], encoding='utf-8') as after:
            same = last.read() == after.read()
        print('the last step is %s%s' % ('' if same else 'NOT ', argv[2]))
        return 0 if same else 1
    guide, path, outdir, n = argv
    found = diffs(guide)
    if len(found) != int(n):
        sys.exit('%s: %d diffs, test/xsk/meson.build wants %s' % (guide, len(found), n))
    for number, diff in enumerate(found, 1):
        out = os.path.join(outdir, 'step%d.c' % number)
        done = subprocess.run(['patch', '--silent', '--reject-file=-', '--no-backup-if-mismatch', '-o', out, path],
                              input=diff, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            sys.exit('%s: step %d does not apply to %s: %s' % (guide, number, path, done.stdout))
        path = out
    return 0


sys.exit(main(sys.argv[1:]))
