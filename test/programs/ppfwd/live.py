# SPDX-License-Identifier: BSD-3-Clause
"""live.py - the line while ppfwd runs: on terminals of several widths, resized, and in files

usage: live.py PPFWD
"""
import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time

PPFWD = sys.argv[1]
TWO = [PPFWD, '--port', 'null', '--port', 'null']
LINE = re.compile(r'^ *[0-9]+\.[0-9] s +[1-9][0-9.]* Mpps( +[1-9][0-9]* packets)?'
                  r'( +0 dropped)?(  cache +[0-9.]+ %)?$')
checks = failed = 0


def ok(what, good, more=''):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, more), flush=True)


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))


class Terminal:
    """ppfwd with a terminal of so many columns as stderr"""

    def __init__(self, columns, *args):
        self.master, slave = pty.openpty()
        resize(self.master, columns)
        self.p = subprocess.Popen([*TWO, *args], stderr=slave, stdout=subprocess.PIPE)
        os.close(slave)
        self.text = ''

    def read(self, lines):
        """until it has drawn so many lines more"""
        want = self.text.count('\r') + lines
        while self.text.count('\r') < want:
            try:
                self.text += os.read(self.master, 4096).decode()
            except OSError:
                break
        return self.text

    def end(self):
        self.p.terminate()
        self.out = self.p.communicate(timeout=30)[0].decode()
        try:
            while True:
                more = os.read(self.master, 4096).decode()
                if not more:
                    break
                self.text += more
        except OSError:
            pass
        os.close(self.master)
        return self.p.returncode


def drawn(text):
    """the lines, without what moves the cursor"""
    return [re.sub(r'\033\[[0-9]*[A-Z]', '', t) for t in re.split(r'[\r\n]+', text) if t]


def widths():
    for columns, fields in ((200, 4), (80, 4), (60, 3), (40, 2), (20, 1), (10, 0)):
        t = Terminal(columns, '--stats-period', '0.1')
        t.read(4)
        rc = t.end()
        lines = [l for l in drawn(t.text) if l]
        ok('%d columns: ended well' % columns, rc == 0 and ' 0 leaked' in t.out, t.out)
        ok('%d columns: more than one' % columns, len(lines) >= 2, lines)
        ok('%d columns: none is wider' % columns, all(len(l) < columns for l in lines), lines)
        if fields:
            ok('%d columns: shape' % columns, all(LINE.match(l) for l in lines[1:]), lines)
        if fields >= 4:
            ok('%d columns: all fields' % columns, lines[-1].endswith('%'), lines)
        ok('%d columns: nothing moves up' % columns, 'A' not in t.text, repr(t.text))


def narrower():
    t = Terminal(80, '--stats-period', '0.2')
    t.read(3)
    resize(t.master, 40)
    text = t.read(3)
    t.end()
    at = text.find('\033[1A')
    ok('the wrapped line is begun again', at > 0 and text.count('\033[1A') == 1, repr(text))
    ok('and the next fit', all(len(l) < 40 for l in drawn(text[at:])), repr(text[at:]))


def tmux():
    """a real terminal: one line, no trail, at 80 and at 40 columns, and after a resize"""
    if not shutil.which('tmux'):
        print('not run: tmux; it is not installed')
        return
    tmp = tempfile.mkdtemp()

    def call(*args):
        return subprocess.run(['tmux', '-S', sock, *args], capture_output=True, text=True,
                              timeout=30).stdout

    def screen():
        return [l for l in call('capture-pane', '-p', '-t', 'x').split('\n') if l.strip()]

    def settled(columns):
        """the screen once its line has changed three times"""
        seen = []
        end = time.monotonic() + 30
        while len(seen) < 3 and time.monotonic() < end:
            now = screen()
            if now and now[-1] not in seen and ' s ' in now[-1] and len(now[-1]) < columns:
                seen.append(now[-1])
            time.sleep(0.05)
        return screen()

    env = dict(os.environ, LANG='C.UTF-8')
    env.pop('TMUX', None)
    for first, then in ((80, 40), (40, 80)):
        sock = os.path.join(tmp, 's%d' % first)  # the server before may still be at its end
        command = "exec '%s' --port null --port null --stats-period 0.2" % PPFWD
        subprocess.run(['tmux', '-f', '/dev/null', '-S', sock, 'new-session', '-d', '-s', 'x', '-x',
                        str(first), '-y', '24', command], env=env, check=True, timeout=30)
        try:
            for columns in (first, then):
                call('resize-window', '-t', 'x', '-x', str(columns), '-y', '24')
                lines = settled(columns)
                ok('tmux, %d columns after %d: one line' % (columns, first), len(lines) == 1, lines)
        finally:
            call('kill-server')
    shutil.rmtree(tmp)


def files():
    with tempfile.TemporaryFile() as err:
        p = subprocess.run([*TWO, '--duration', '1', '--stats-period', '0.2'], stderr=err,
                           stdout=subprocess.PIPE, timeout=60)
        err.seek(0)
        lines = err.read().decode().split('\n')
    ok('a file has lines', p.returncode == 0 and len(lines) >= 3, lines)
    ok('whole ones', lines[-1] == '' and all(LINE.match(l) and l.endswith('%')
                                             for l in lines[:-1]), lines)
    for args in ([], ['--stats-period', '0']):
        p = subprocess.run([*TWO, '--duration', '1.2', *args], capture_output=True, timeout=60)
        ok('none without --stats-period S', p.returncode == 0 and not p.stderr, p.stderr)


def table():
    """no line of the table is wider than 80 columns, whatever the names"""
    name = 'loop:' + 'n' * 31
    p = subprocess.run([PPFWD, '--port', name, '--port', 'loop:b,peer=c', '--engine', 'flowgen',
                        '--duration', '0.3', '--trace', '--memory-hz', '500'],
                       capture_output=True, timeout=60)
    lines = p.stdout.decode().split('\n')
    ok('a table', p.returncode == 0 and len(lines) > 10, (p.stdout, p.stderr))
    ok('no line of it is wider than 80', all(len(l) <= 80 for l in lines), lines)


for case in (widths, narrower, tmux, files, table):
    start = time.monotonic()
    case()
    print('%s: %.1f s' % (case.__name__, time.monotonic() - start), flush=True)
print('%d checks, %d failed' % (checks, failed))
sys.exit(1 if failed or not checks else 0)
