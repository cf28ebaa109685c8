# SPDX-License-Identifier: BSD-3-Clause
"""idle.py - --idle wait without interfaces: a worker without packets sleeps, and ends at once

usage: idle.py PPFWD PCAP(0|1)

PP_IDLE_SECONDS (1.5): how long it must be quiet. Interfaces are in test/root/idle.sh.
"""
import json
import os
import resource
import signal
import shutil
import subprocess
import sys
import tempfile
import time

PPFWD, PCAP = sys.argv[1], sys.argv[2] == '1'
QUIET = float(os.environ.get('PP_IDLE_SECONDS', '1.5'))
TMP = tempfile.mkdtemp(prefix='ppcli.')
LOOPS = ['--port', 'loop:a', '--port', 'loop:b']
checks = failed = 0


def ok(what, good, more=''):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, str(more)[:600]), flush=True)


def cpu_seconds():
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def run(*args):
    name = TMP + '/json'
    before = cpu_seconds()
    p = subprocess.run([PPFWD, *map(str, args), '--json', name], capture_output=True, timeout=60)
    used = cpu_seconds() - before
    ok(' '.join(map(str, args)), p.returncode == 0 and not p.stderr and
       b' 0 leaked, 0 freed twice' in p.stdout, (p.returncode, p.stderr))
    with open(name) as f:
        return json.load(f), used


def quiet():
    """begin and end cost the same, however long a run is"""
    few = ['--pages', 1024, '--ring', 64]
    base = min(run(*LOOPS, *few, '--idle', 'wait', '--duration', 0.01)[1] for _ in range(3))
    for _ in range(3):
        report, used = run(*LOOPS, *few, '--idle', 'wait', '--duration', QUIET)
        share = (used - base) / QUIET
        if share < 0.02:
            break
    print('waiting: %.2f %% of a CPU over %.1f s' % (100 * share, QUIET))
    ok('under 2 %', share < 0.02, (used, base))
    ok('it slept', 5 <= report['workers'][0]['sleeps'] < 20 + 20 * QUIET, report['workers'])
    ok('and was not busy', report['workers'][0]['busy_cycles'] == 0)
    report, used = run(*LOOPS, '--idle', 'poll', '--duration', 0.5)
    ok('polling does not sleep', report['workers'][0]['sleeps'] == 0)


def busy():
    """no sleep where there are packets"""
    report, _ = run('--port', 'null', '--port', 'null', '--idle', 'wait', '--packets', 1000000)
    ok('null: all packets', report['packets'] == 1000000)
    ok('null: no sleep', report['workers'][0]['sleeps'] == 0, report['workers'])
    report, _ = run('--port', 'loop:a', '--tx-first', '--idle', 'wait', '--packets', 100000)
    ok('loop: all packets', report['packets'] == 100000)
    ok('loop: hardly a sleep', report['workers'][0]['sleeps'] < 10, report['workers'])


def ends():
    """a signal ends a sleep"""
    for sig in (signal.SIGINT, signal.SIGTERM):
        p = subprocess.Popen([PPFWD, *LOOPS, '--idle', 'wait'], stdout=subprocess.PIPE)
        time.sleep(0.4)
        p.send_signal(sig)
        out = p.communicate(timeout=30)[0]
        ok('signal %d' % sig, p.returncode == 0 and b' 0 leaked' in out)


def files():
    """files end, also beside a port that sleeps; a buffer is sent in time"""
    source, out = TMP + '/in.pcap', TMP + '/out.pcap'
    run('--port', 'pcap:tx=' + source, '--engine', 'flowgen', '--packets', 3000)
    ports = ['--port', 'pcap:rx=' + source, '--port', 'pcap:tx=' + out, '--idle', 'wait']
    run(*ports)
    with open(source, 'rb') as a, open(out, 'rb') as b:
        # behind the file's header and each packet's time
        ok('a file is forwarded', len(a.read()) == len(b.read()))
    report, _ = run(*ports, '--engine', 'noisy', '--noisy-tx-sw-buffer-size', 4000,
                    '--noisy-tx-sw-buffer-flushtime', 30)
    ok('what noisy keeps is sent', report['ports'][1]['tx_packets'] == 3000, report['ports'])


def refused():
    for word, args in (('makes packets', ['--engine', 'flowgen', '--idle', 'wait']),
                       ('makes packets', ['--engine', 'txonly', '--rate', '5', '--idle', 'wait']),
                       ('poll, wait', ['--idle', 'sleep']), ('poll, wait', ['--idle', ''])):
        p = subprocess.run([PPFWD, *LOOPS, '--duration', '0.1', *args], capture_output=True,
                           timeout=60)
        err = p.stderr.decode()
        ok(' '.join(args), p.returncode == 2 and err.count('\n') == 1 and word in err, err)


cases = [quiet, busy, ends, refused]
if PCAP:
    cases.append(files)
else:
    print('not run: files; built without libpcap')
try:
    for case in cases:
        start = time.monotonic()
        case()
        print('%s: %.1f s' % (case.__name__, time.monotonic() - start), flush=True)
finally:
    shutil.rmtree(TMP)
print('%d checks, %d failed' % (checks, failed))
sys.exit(1 if failed or not checks else 0)
