# SPDX-License-Identifier: BSD-3-Clause
"""sample.py DIR - each second the memory of the processes that DIR/live names, and of the machine

DIR/live/PID has the kind of the process. Lines go to DIR/rss.tsv: KIND PID SECONDS KIB, and to
DIR/machine.tsv: SECONDS and what MACHINE names, in that order. Ends with SIGTERM.
"""
import os
import re
import signal
import sys
import time

MACHINE = 'MemAvailable', 'Shmem', 'Slab', 'HugePages_Total', 'HugePages_Free'


def field(path, name):
    with open(path) as f:
        found = re.search(r'^%s:\s+(\d+)' % name, f.read(), re.M)
    return int(found.group(1)) if found else None


def sample_processes(directory, out):
    for pid in os.listdir(directory):
        path = os.path.join(directory, pid)
        try:
            kib = field('/proc/%s/status' % pid, 'VmRSS')
            with open(path) as f:
                kind = f.read().strip()
        except (FileNotFoundError, ProcessLookupError):
            kib = None
        if kib is None: # ended
            os.unlink(path)
        else:
            out.write('%s\t%s\t%.1f\t%d\n' % (kind, pid, time.time(), kib))


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    top = sys.argv[1]
    with open(top + '/rss.tsv', 'a') as rss, open(top + '/machine.tsv', 'a') as machine:
        while True:
            sample_processes(top + '/live', rss)
            machine.write('\t'.join(['%.1f' % time.time()] + [
                str(field('/proc/meminfo', name)) for name in MACHINE]) + '\n')
            rss.flush()
            machine.flush()
            time.sleep(1)


main()
