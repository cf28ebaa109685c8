#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""probes_test.py - the static probes are where the notes say, are nops, and can be attached to

usage: probes_test.py LIBPAGEPOOL.SO PPFWD PPSTAT

The kernel's uprobes are attached without any tool, by perf_event_open(), with the semaphore; where
that is not possible it says why, and the notes have been checked all the same.
"""
import ctypes
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

LIB, PPFWD, PPSTAT = map(os.path.abspath, sys.argv[1:4])
PMU = '/sys/bus/event_source/devices/uprobe'
# arguments by size in bytes, negative: signed
PROBES = {
    'zone_drain': [8, 4, -8],
    'zone_accept': [8, 8, 8, -4],
    'page_pool_release': [8, -8, 8, 8],
    'page_pool_state_release': [8, 8, 8, 8],
    'page_pool_state_hold': [8, 8, 8, 8],
    'page_pool_update_nid': [8, -4, -4],
}
PLACED = ('zone_drain', 'zone_accept', 'page_pool_release', 'page_pool_state_release',
          'page_pool_state_hold', 'page_pool_update_nid')
checks = failed = 0


def ok(what, good, more=''):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, more), flush=True)
    return good


def output(*args):
    return subprocess.run(args, check=True, capture_output=True, timeout=60).stdout.decode()


def notes():
    """name: [(location, semaphore, sizes)], by address"""
    text = output('readelf', '-nW', LIB)
    found = {}
    for m in re.finditer(r'Provider: (\S+)\s+Name: (\S+)\s+Location: (\S+), Base: (\S+), '
                         r'Semaphore: (\S+)\s+Arguments: (.*)', text):
        ok('provider', m[1] == 'pagepool', m[1])
        sizes = [int(a.split('@')[0]) for a in re.findall(r'-?\d+@\S+', m[6])]
        found.setdefault(m[2], []).append((int(m[3], 16), int(m[5], 16), sizes))
    return found


def offsets():
    """from an address to the offset in the file"""
    loads = [[int(x, 16) for x in m.groups()] for m in re.finditer(
        r'^\s+LOAD\s+(0x\w+) (0x\w+) 0x\w+ (0x\w+) ', output('readelf', '-lW', LIB), re.M)]

    def offset(address):
        for at, start, size in loads:
            if start <= address < start + size:
                return at + address - start
        raise SystemExit('address %#x is in no segment' % address)
    return offset


class Attr(ctypes.Structure):
    _fields_ = [('type', ctypes.c_uint32), ('size', ctypes.c_uint32), ('config', ctypes.c_uint64),
                ('rest', ctypes.c_uint64 * 4), ('wakeup', ctypes.c_uint32),
                ('bp', ctypes.c_uint32), ('config1', ctypes.c_uint64),
                ('config2', ctypes.c_uint64)]


def attach(tid, location, semaphore):
    """a descriptor that counts how often thread @tid passes @location, or an OSError"""
    libc = ctypes.CDLL(None, use_errno=True)
    path = ctypes.create_string_buffer(LIB.encode())
    attr = Attr(type=int(open(PMU + '/type').read()), size=ctypes.sizeof(Attr),
                config=semaphore << 32, config1=ctypes.addressof(path), config2=location)
    nr = {'x86_64': 298, 'aarch64': 241}[os.uname().machine]
    fd = libc.syscall(nr, ctypes.byref(attr), tid, -1, -1, 8)
    if fd < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return fd


def count(fds):
    return sum(struct.unpack('Q', os.read(fd, 8))[0] for fd in fds)


def check_notes(found):
    offset = offsets()
    code = open(LIB, 'rb').read()
    ok('all probes, no others', set(PLACED) <= set(found) <= set(PROBES), sorted(found))
    for name in sorted(found):
        for location, semaphore, sizes in found[name]:
            ok('%s: arguments' % name, sizes == PROBES.get(name), sizes)
            ok('%s: a semaphore' % name, semaphore)
            if os.uname().machine == 'x86_64':
                at = code[offset(location)]
                ok('%s: one nop' % name, at == 0x90, hex(at))
    semaphores = {s for sites in found.values() for _, s, _ in sites}
    ok('a semaphore each', len(semaphores) == len(found))


def check_attached(found, tmp):
    """drains are seen as long as a tracer is attached, by their number"""
    offset = offsets()
    sock = tmp + '/s'
    p = subprocess.Popen([PPFWD, '--port', 'null', '--port', 'null', '--control', sock,
                          '--accept', 'lazy', '--duration', '30'], stdout=subprocess.DEVNULL)
    try:
        def drains():
            out = subprocess.run([PPSTAT, sock, '--json'], capture_output=True, timeout=20)
            return json.loads(out.stdout)['zones'][0]['drains'] if not out.returncode else -1

        end = time.monotonic() + 20
        while drains() < 0 and time.monotonic() < end:
            time.sleep(0.05)
        try:
            fds = [attach(int(tid), offset(l), offset(s)) for l, s, _ in found['zone_drain']
                   for tid in os.listdir('/proc/%d/task' % p.pid)]
        except OSError as e:
            if os.geteuid() == 0 and os.path.exists(PMU):
                ok('attach', False, e)
            print('not run: attaching: %s' % e)
            return
        before = drains()
        for i in range(5):
            # each visits every cache, whatever is in it
            subprocess.run([PPSTAT, 'disable', sock], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([PPSTAT, 'enable', sock], check=True, stdout=subprocess.DEVNULL)
        want, seen = drains() - before, count(fds)
        ok('each drain is seen', want >= 5 and seen == want, (want, seen))
        for fd in fds:
            os.close(fd)
        print('%d drains seen by a uprobe' % seen)
    finally:
        p.send_signal(signal.SIGTERM)
        ok('ppfwd is well', p.wait(timeout=20) == 0)


def main():
    found = notes()
    check_notes(found)
    if not os.path.exists(PMU):
        print('not run: attaching: this kernel has no uprobes (%s)' % PMU)
    elif 'zone_drain' in found:
        with tempfile.TemporaryDirectory(prefix='pprobe.', dir='/tmp') as tmp:
            check_attached(found, tmp)
    print('%d checks, %d failed' % (checks, failed))
    sys.exit(1 if failed else 0)


main()
