#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""guides.py - the commands of the guides run as they are written

  guides.py --check                    each block of commands is run by a test, or says why not, and
                                       doc/README.md leads to each guide
  guides.py [--root] [--without PARTS] BUILD GUIDE     run those of one guide

A block of a guide says what it is: ```sh has commands, ```text has none. Above a block of commands
may stand a comment:

  <!-- not run: REASON -->    another machine is needed, or minutes
  <!-- run: NAME -->          by the test in RUN_BY, which knows that name
  <!-- run as root -->        in a network namespace with eth0 and eth1, veth pairs with two queues

Without one it is run here, by bash -e, in a directory with the names of this tree, after the
blocks before it; with --root those for root are run, and no others. Programs are those of BUILD.
What a block starts in the background gets SIGTERM at the block's end, and must end well. A block that needs one of
PARTS, such as pcap, is left out where it was not built, and that is said.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ['README.md', 'CONTRIBUTING.md', 'RELEASING.md', 'SECURITY.md', 'lib/README.md', 'doc/*.md']
# guides with a test of their own for all blocks, or for those with a name
RUN_BY = {'README.md': '.ci/run', 'doc/building.md': 'test/consumers/run.sh',
          'doc/ovs.md': 'test/dpdk/mempool/ovs.py', 'doc/ppfwd.md': 'test/programs/ppfwd/guide.sh'}
KINDS = {'sh', 'text', 'c', 'diff', 'meson', 'cmake', 'json', 'python', 'rust', 'ini'}
COMMAND = re.compile(r'\s*(\$ |sudo |(sh|bash|meson|ninja|gcc|cc|python3?|make|cmake|ppfwd|ppbench|ppstat|minfwd|xdp_app|'
                     r'dpdk-\w+|bpftrace|socat|dig|ip|apt|apt-get|dpkg-\w+|pkg-config|git|curl|promtool|PKG_CONFIG_PATH=\S+) )')
# a word in a block, and the part of the build that it needs
NEEDS = {'pcap:': 'pcap', 'dpdk:': 'dpdk', 'af_xdp:': 'af_xdp', 'libxdp': 'af_xdp', 'ppstat': 'json'}
# until what a block started answers
WAIT = '''#!/bin/bash
for i in $(seq 200); do
	%s && break
	sleep 0.1
done
exec %s "$@"
'''


class Block:
    def __init__(self, guide, line, kind, mark, text):
        self.guide, self.line, self.kind, self.mark, self.text = guide, line, kind, mark, text

    def where(self):
        return '%s:%d' % (self.guide, self.line)

    def says(self, what):
        return self.mark == what or self.mark.startswith(what + ':')


def blocks(guide):
    with open(os.path.join(TOP, guide), encoding='utf-8') as f:
        lines = f.read().split('\n')
    mark, start = '', None
    for number, line in enumerate(lines, 1):
        fence = re.match(r'\s*```(.*)$', line)
        if start is not None:
            if fence:
                yield Block(guide, start, kind, mark, '\n'.join(lines[start:number - 1]) + '\n')
                start, mark = None, ''
        elif fence:
            start, kind = number, fence.group(1)
        else:
            comment = re.match(r'<!-- (.*) -->$', line)
            mark = comment.group(1) if comment else mark if not line else ''


def is_run_here(block):
    return block.kind == 'sh' and block.guide not in RUN_BY and not block.says('not run')


def faults(guide):
    test = RUN_BY.get(guide)
    for b in blocks(guide):
        if b.kind not in KINDS:
            yield b, '```%s: a block is one of %s' % (b.kind, ', '.join(sorted(KINDS)))
        if b.kind == 'text' and COMMAND.match(b.text) and not b.says('screen'):
            yield b, 'a command in a block of text: ```sh, so that it is run'
        if b.kind != 'sh':
            continue
        if b.says('not run') and len(b.mark) < len('not run: ') + 10:
            yield b, 'not run, and no reason'
        if b.says('run'):
            with open(os.path.join(TOP, test or 'meson.build'), encoding='utf-8') as f:
                if not test or not re.search(r'\b%s\b' % re.escape(b.mark[5:]), f.read()):
                    yield b, '%s does not run "%s"' % (test or 'no test', b.mark[5:])


def check():
    with open(os.path.join(TOP, 'test/docs/meson.build'), encoding='utf-8') as f:
        tests = f.read()
    bad, count, here = [], 0, 0
    for guide in sorted(g for p in PAGES for g in glob.glob(p, root_dir=TOP)):
        found = list(blocks(guide))
        bad += ['%s: %s' % (b.where(), why) for b, why in faults(guide)]
        mine = [b for b in found if is_run_here(b)]
        count += sum(b.kind == 'sh' for b in found)
        here += len(mine)
        name = os.path.basename(guide)[:-3]
        for want, kind in ((any(not b.says('run as root') for b in mine), 'guides'),
                           (any(b.says('run as root') for b in mine), 'root_guides')):
            listed = re.search(r'^%s = \[(.*?)\]' % kind, tests, re.M | re.S)
            if want and "'%s'" % name not in listed.group(1):
                bad.append("%s: '%s' is missing in %s of test/docs/meson.build" % (guide, name, kind))
        with open(os.path.join(TOP, guide), encoding='utf-8') as f:
            for path in re.findall(r'`(?:sh|python3|bash) ((?:examples|test|packaging|doc|\.ci)/[\w./-]+)', f.read()):
                if not os.path.exists(os.path.join(TOP, path)):
                    bad.append('%s: there is no %s' % (guide, path))
    with open(os.path.join(TOP, 'doc/README.md'), encoding='utf-8') as f:
        linked = set(re.findall(r'\(([\w-]+\.md)', f.read()))
    bad += ['doc/README.md: no task leads to %s' % g for g in sorted(glob.glob('*.md', root_dir=os.path.join(TOP, 'doc')))
            if g not in linked | {'README.md'}]
    if count < 20 or here < 10:
        bad.append('%d blocks of commands, %d run here: something was not found' % (count, here))
    print('\n'.join(bad) or '%d blocks of commands, %d run by this test; the others have a test or a reason' % (count, here))
    return 1 if bad else 0


def tool(directory, name, wait, path):
    with open(os.path.join(directory, name), 'w', encoding='utf-8') as f:
        f.write(WAIT % (wait, path))
    os.chmod(f.name, 0o755)


def environment(build, work):
    """PATH with the programs of the build; ppstat and socat wait for what was started before them"""
    tools = os.path.join(work, '.tools')
    os.mkdir(tools)
    programs = [os.path.join(build, 'examples', p) for p in ('ppfwd', 'ppbench', 'xdp_app')]
    real = os.path.join(build, 'examples/ppstat/ppstat')
    tool(tools, 'ppstat', '"%s" list >/dev/null 2>&1' % real, real)
    tool(tools, 'socat', 'for s in *.sock; do [ -S "$s" ]; done', shutil.which('socat') or 'socat')
    env = dict(os.environ, PATH=':'.join([tools] + programs + [os.environ['PATH']]), XDG_RUNTIME_DIR=work,
               PKG_CONFIG_PATH=os.path.join(build, 'meson-uninstalled'))
    env['LD_LIBRARY_PATH'] = ':'.join(os.path.join(build, d) for d in ('lib', 'drivers'))
    return env


INTERFACES = '''
for i in 0 1; do
	ip link add eth$i numrxqueues 2 numtxqueues 2 type veth peer name far$i numrxqueues 2 numtxqueues 2 || exit
	ip link set eth$i up && ip link set far$i up || exit
done
exec "$@"
'''


def run(args):
    mine = [b for b in blocks('doc/%s.md' % args.guide) if is_run_here(b) and b.says('run as root') == args.root]
    work = tempfile.mkdtemp(prefix='guide.')
    bad = ran = 0
    try:
        for name in os.listdir(TOP):
            if not name.startswith(('build', '.')):
                os.symlink(os.path.join(TOP, name), os.path.join(work, name))
        os.symlink(os.path.abspath(args.build), os.path.join(work, 'build'))
        env = environment(os.path.abspath(args.build), work)
        script = os.path.join(work, '.script')
        shell = ['bash', '-e', '-x', '-o', 'pipefail', script]
        if args.root:
            shell = ['unshare', '--net', 'bash', '-c', INTERFACES, 'bash'] + shell
        for b in mine:
            missing = [part for word, part in NEEDS.items() if word in b.text and part in args.without.split(',')]
            if missing:
                print('%s: not run: built without %s' % (b.where(), ', '.join(missing)))
                continue
            with open(script, 'w', encoding='utf-8') as f:
                f.write(b.text + '\nfor job in $(jobs -p); do kill -TERM $job 2>/dev/null || :; wait $job; done\n')
            p = subprocess.run(shell, cwd=work, env=env, timeout=120, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
            ran += 1
            good = p.returncode == 0 and ' leaked' not in re.sub(r'\b0 leaked', '', p.stdout)
            bad += not good
            print('%s: %s' % (b.where(), 'runs' if good else 'FAILED: %d\n%s' % (p.returncode, p.stdout)), flush=True)
    finally:
        shutil.rmtree(work)
    if not mine:
        print('no block to run')
    print('%d blocks, %d failed' % (ran, bad))
    return 1 if bad or not mine else 0 if ran else 77


def main():
    args = argparse.ArgumentParser()
    args.add_argument('--check', action='store_true')
    args.add_argument('--root', action='store_true')
    args.add_argument('--without', default='')
    args.add_argument('build', nargs='?')
    args.add_argument('guide', nargs='?')
    args = args.parse_args()
    if args.check:
        return check()
    if args.root and os.geteuid():
        print('SKIP: needs root, for network namespaces')
        return 77
    return run(args)


if __name__ == '__main__':
    sys.exit(main())
