#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""users_test.py - root's ppstat and the programs of other users, with a /run and a /tmp of its own

usage: users_test.py PPFWD PPSTAT JSON_C(0|1)
"""
import ctypes
import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time

PPFWD, PPSTAT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
HAVE_JSON = sys.argv[3] == '1'
NOBODY = 65534
STAT = {'version': 1, 'verb': 'stat', 'library': '0', 'pid': 1, 'command': 'a stranger',
        'time_ns': 1, 'tsc_hz': 1, 'zones': [], 'pools': []}
children = []
failed = 0


def ok(what, good, more=''):
    global failed
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, more), flush=True)


def skip(why):
    print('SKIP: ' + why)
    sys.exit(77)


def private_dirs():
    """strangers' names, and those of other tests, are not in the way; the programs stay"""
    top = os.path.commonpath([PPFWD, PPSTAT])
    hidden = [os.open(top, os.O_PATH)] if top.startswith(('/tmp/', '/run/')) else []
    if ctypes.CDLL(None).unshare(0x20000):
        skip('no mount namespace here')
    for args in (['--make-rprivate', '/'], ['-t', 'tmpfs', '-o', 'mode=755', 'none', '/run'],
                 ['-t', 'tmpfs', '-o', 'mode=1777', 'none', '/tmp']):
        subprocess.run(['mount'] + args, check=True)
    for fd in hidden:
        os.makedirs(top)
        subprocess.run(['mount', '--bind', '/proc/self/fd/%d' % fd, top], check=True, pass_fds=[fd])


def run(*args):
    p = subprocess.run([PPSTAT, *args], capture_output=True, timeout=30, text=True)
    return p.returncode, p.stdout, p.stderr


def listen(where, uid):
    """a program of a user that answers as a program with pools would; its number"""
    ready, told = os.pipe()
    pid = os.fork()
    if pid:
        children.append(pid)
        os.close(told)
        assert os.read(ready, 1) == b'1', 'no listener'
        return pid
    try:
        signal.alarm(60)
        os.setgid(uid)
        os.setuid(uid)
        os.umask(0o77)
        os.makedirs(where, exist_ok=True)
        s = socket.socket(socket.AF_UNIX)
        s.bind('%s/pagepool.%d.sock' % (where, os.getpid()))
        s.listen(8)
        os.write(told, b'1')
        while True:
            c = s.accept()[0]
            if c.recv(300):
                c.send(json.dumps(STAT).encode() + b'\n')
            c.close()
    finally:
        os._exit(1)


def scenes():
    user = pwd.getpwuid(NOBODY).pw_name
    pid = listen('/tmp/pagepool.%d' % NOBODY, NOBODY)
    # the only program is a stranger's: root is told, beside the answer and in it
    rc, out, err = run('--json')
    ok('json', rc == 0 and json.loads(out)['verb'] == 'stat', (out, err))
    ok('named', err.count('\n') == 1 and '%d (python3 of %s)' % (pid, user) in err, err)
    if HAVE_JSON:
        rc, out, err = run()
        ok('in the head', rc == 0 and ' of %s  a stranger' % user in out.split('\n')[0], (out, err))
        rc, out, err = run(str(pid))
        ok('by its pid', rc == 0 and ' of %s  ' % user in out and not err, (out, err))
    rc, out, err = run('list')
    ok('listed', rc == 0 and out.count('\n') == 1 and out.endswith(' of %s\n' % user), (out, err))
    # names that lead elsewhere: to a program that is listed already, and to a listener of root's
    os.symlink('/tmp/pagepool.%d' % NOBODY, '/tmp/pagepool.again')
    other = listen('/var/tmp/ppstat-users-%d' % os.getpid(), 0)
    os.mkdir('/tmp/pagepool.lure')
    lure = '/var/tmp/ppstat-users-%d/pagepool.%d.sock' % (os.getpid(), other)
    os.symlink(lure, '/tmp/pagepool.lure/pagepool.%d.sock' % other)
    rc, out, err = run('list')
    os.unlink(lure)
    os.rmdir(os.path.dirname(lure))
    ok('once', rc == 0 and out.count('\n') == 1 and str(pid) in out, (out, err))
    # a program of root's, too, where the library puts it
    env = {k: v for k, v in os.environ.items() if k != 'XDG_RUNTIME_DIR'}
    p = subprocess.Popen([PPFWD, '--port', 'null', '--port', 'null', '--control', 'auto',
                          '--duration', '60'], stdout=subprocess.DEVNULL, env=env)
    children.append(p.pid)
    end = time.monotonic() + 30
    while not os.path.exists('/run/pagepool/pagepool.%d.sock' % p.pid):
        ok('ppfwd runs', p.poll() is None and time.monotonic() < end)
        if failed:
            return
        time.sleep(0.02)
    while 'ppfwd' not in run('list')[1] and time.monotonic() < end:
        time.sleep(0.02)
    rc, out, err = run('--json')
    ok('both', rc == 1 and '2 programs: ' in err and '%d (ppfwd)' % p.pid in err and
       '%d (python3 of %s)' % (pid, user) in err, (out, err))


if os.geteuid():
    skip('other users: only root can be one')
private_dirs()
os.environ.pop('XDG_RUNTIME_DIR', None)
try:
    scenes()
finally:
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
print('users: %d failed' % failed)
sys.exit(1 if failed else 0)
