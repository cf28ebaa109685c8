#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tests.py - is it every test, and did every one run?

  tests.py full DIR            compare the tests of the build directory DIR with those of a fresh
                               configuration in which no part may be missing but those that were
                               disabled for DIR by an option. Exit status 0: the same, 3: not, and
                               the difference is printed, 1: a part cannot be had, and is named.
  tests.py sum DIR STATUS [SUITE]...
                               what the last "meson test" of DIR did, which ended with STATUS: skipped
                               tests with their reasons, failed ones with the end of their output,
                               "N passed, N failed"
"""
import collections
import configparser
import json
import os
import re
import socket
import subprocess
import sys
import tempfile


def tests_of(build):
    with open(os.path.join(build, 'meson-info', 'intro-tests.json')) as f:
        return json.load(f)


def options_of(build):
    """what was said on the command lines of meson setup and meson configure, and machine files"""
    parser = configparser.ConfigParser(interpolation=None, delimiters=['='])
    parser.optionxform = str
    parser.read(os.path.join(build, 'meson-private', 'cmd_line.txt'))
    options = dict(parser['options']) if 'options' in parser else {}
    files = []
    for kind in ('native_file', 'cross_file'):
        text = parser.get('properties', kind, fallback='[]')
        files += ['--%s=%s' % (kind.replace('_', '-'), name) for name in re.findall(r"'([^']*)'", text)]
    return options, files


def features():
    with open('meson_options.txt') as f:
        return re.findall(r"^option\('(\w+)', type: 'feature'", f.read(), re.M)


def left_out(options):
    """the parts that are off by choice"""
    off = options.get('auto_features') == 'disabled'
    return [name for name in features()
            if options.get(name, 'auto') == 'disabled' or off and name not in options]


def blame(text):
    """the part that meson did not find and stopped for, from the line of meson.build that it names"""
    where = re.search(r'^(\S*meson\.build):(\d+):\d+: ERROR: (.*)', text, re.M)
    if not where:
        return None, (re.findall(r'ERROR: (.*)', text) or ['see above'])[-1]
    with open(where.group(1)) as f:
        line = f.read().split('\n')[int(where.group(2)) - 1]
    part = re.search(r"get_option\('(\w+)'\)", line)
    return part and part.group(1), where.group(3)


def full(build):
    options, files = options_of(build)
    for name in left_out(options):
        print('left out by choice, as %s was configured: %s' % (build, name))
    options.setdefault('auto_features', 'enabled')
    with tempfile.TemporaryDirectory(prefix='ppfull.') as reference:
        command = ['meson', 'setup', reference] + files + ['-D%s=%s' % o for o in options.items()]
        p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if p.returncode:
            part, why = blame(p.stdout)
            if not part:
                print(p.stdout[-2000:])
                print('tests.py: a full build cannot be configured: %s' % why, file=sys.stderr)
                return 1
            print("tests.py: the part '%s' cannot be built here, and its tests would be missing: %s; install"
                  ' what it needs (test/deps.sh has the names), or leave it out by choice: --setup'
                  ' -D%s=disabled' % (part, why, part), file=sys.stderr)
            return 1
        wanted = collections.Counter(t['name'] for t in tests_of(reference))
    here = collections.Counter(t['name'] for t in tests_of(build))
    missing = sorted((wanted - here).elements())
    extra = sorted((here - wanted).elements())
    if not missing and not extra:
        return 0
    print('%s has %d tests, a full build %d; missing: %s%s' % (
        build, sum(here.values()), sum(wanted.values()),
        ', '.join(missing[:8]) + (' and %d more' % (len(missing) - 8) if len(missing) > 8 else '') or 'none',
        '; not in a full build: ' + ', '.join(extra[:8]) if extra else ''))
    return 3


def af_xdp():
    try:
        socket.socket(44, socket.SOCK_RAW, 0).close()
        return True
    except OSError:
        return False


LAST_LINES = 30


class Sum:
    # with CI=true, as root, where the kernel has AF_XDP, no root test may be skipped
    strict = os.environ.get('CI') == 'true' and os.geteuid() == 0 and af_xdp()

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, text):
        print('FAILED: ' + text)
        self.failed += 1

    def add(self, test):
        name, result = test['name'], test['result']
        output = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
        reasons = [line for line in output.split('\n') if line.startswith('SKIP')]
        forbidden = self.strict and 'root' in re.split('[:+]', name.split(' / ')[0])[1:]
        if result in ('OK', 'EXPECTEDFAIL'):
            for reason in reasons:
                print('skipped in part: %s: %s' % (name, reason))
            if reasons and forbidden:
                self.fail('%s: nothing may be skipped here' % name)
            else:
                self.passed += 1
        elif result == 'SKIP':
            print('skipped: %s: %s' % (name, reasons[0] if reasons else 'SKIP: no reason given'))
            if forbidden:
                self.fail('%s: nothing may be skipped here' % name)
            elif not reasons:
                self.fail('%s: skipped without a reason' % name)
            else:
                self.skipped += 1
        else:
            self.fail('%s: %s, repeat with: %s' % (name, result, ' '.join(test['command'])))
            # here, too: a log that is cut in the middle still says why
            lines = output.strip('\n').split('\n')
            if len(lines) > LAST_LINES:
                print('    | (%d lines before)' % (len(lines) - LAST_LINES))
            for line in lines[-LAST_LINES:]:
                print('    | ' + line)


def did_not_run(build, suites, log):
    wanted = collections.Counter(
        t['name'] for t in tests_of(build)
        if not suites or any(s.split(':')[-1] in suites for s in t['suite']))
    ran = collections.Counter(t['name'].split(' / ', 1)[-1] for t in log)
    return sorted((wanted - ran).elements())


def total(build, status, suites):
    path = os.path.join(build, 'meson-logs', 'testlog.json')
    log = []
    if os.path.exists(path):
        with open(path) as f:
            log = [json.loads(line) for line in f]
    result = Sum()
    for test in log:
        result.add(test)
    if not log:
        result.fail('no test was run')
    else:
        for name in did_not_run(build, suites, log):
            result.fail('%s: did not run' % name)
    if status and not result.failed:
        result.fail('meson test, exit status %d' % status)
    options, _ = options_of(build)
    for name in left_out(options):
        print('left out by choice: the tests of %s' % name)
    print('%d passed, %d failed%s' % (result.passed, result.failed,
                                      ', %d skipped' % result.skipped if result.skipped else ''))
    return 1 if result.failed else 0


if len(sys.argv) == 3 and sys.argv[1] == 'full':
    sys.exit(full(sys.argv[2]))
if len(sys.argv) >= 4 and sys.argv[1] == 'sum':
    sys.exit(total(sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
print(__doc__, file=sys.stderr)
sys.exit(2)
