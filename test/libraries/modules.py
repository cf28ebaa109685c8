#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""modules.py PPFWD LIBDIR DRIVERDIR - ports with a driver that is a module: found, missing, and refused

A copy of the libraries, as they are installed: without a path of their own to look in.
"""
import os
import shutil
import subprocess
import sys
import tempfile

PPFWD, LIB, DRIVERS = sys.argv[1:]
NETDEV, XSK, MODULE = 'libpagepool-netdev.so.0', 'libpagepool-xsk.so.0', 'libpagepool-netdev-pcap.so.0'
bad = 0


def copy(source, target, old=b'', new=b''):
    """@new, as long as @old, stands for it in the copy"""
    with open(source, 'rb') as f:
        data = f.read()
    if old and old not in data:
        sys.exit('%s has no %r' % (source, old))
    with open(target, 'wb') as f:
        f.write(data.replace(old, new) if old else data)
    os.chmod(target, 0o755)


def check(what, top, port, *words):
    global bad
    run = subprocess.run([top + '/examples/ppfwd/ppfwd', '--port', port], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True,
                         env=dict(os.environ, LD_LIBRARY_PATH=top + '/beside'))
    if run.returncode != 1 or len(run.stdout.splitlines()) != 1 or not all(w in run.stdout for w in words):
        print('%s: exit status %d, and not one line with %s:\n%s' % (what, run.returncode, words, run.stdout))
        bad += 1


def main():
    with tempfile.TemporaryDirectory() as top:
        for folder in 'lib', 'drivers', 'examples/ppfwd', 'beside':
            os.makedirs(top + '/' + folder)
        drivers = top + '/drivers/'
        copy(PPFWD, top + '/examples/ppfwd/ppfwd')
        shutil.copy(LIB + '/libpagepool.so.0', top + '/lib')
        if os.path.exists(DRIVERS + '/' + XSK):
            shutil.copy(DRIVERS + '/' + XSK, top + '/beside')
        copy(DRIVERS + '/' + NETDEV, drivers + NETDEV, b'$ORIGIN', b'/ORIGIN')
        opened = "cannot read '/none'"
        missing = ("port pcap:rx=/none: driver 'pcap' is a module", MODULE, 'install the package')

        check('no module', top, 'pcap:rx=/none', *missing)
        check('no module', top, 'dpdk:net_null0', "driver 'dpdk' is a module", 'install the package')
        copy(DRIVERS + '/' + MODULE, top + '/beside/' + MODULE)
        check('where the linker looks', top, 'pcap:rx=/none', opened)
        os.rename(top + '/beside/' + MODULE, drivers + MODULE)
        check('beside the library', top, 'pcap:rx=/none', opened)
        os.chmod(drivers, 0o777)
        check('in a directory for every user', top, 'pcap:rx=/none', *missing)
        os.chmod(drivers, 0o755)
        copy(DRIVERS + '/' + MODULE, drivers + MODULE, b'NETDEV_PRIVATE_0', b'NETDEV_PRIVATE_9')
        check('of another version', top, 'pcap:rx=/none', "driver 'pcap'", 'one version', 'NETDEV_PRIVATE_9')
        copy(DRIVERS + '/' + MODULE, drivers + MODULE, b'libpcap.so', b'libqcap.so')
        check('without its library', top, 'pcap:rx=/none', "driver 'pcap'", 'install what it needs', 'libqcap.so')
        with open(drivers + MODULE, 'w') as f:
            f.write('no library')
        check('damaged', top, 'pcap:rx=/none', "driver 'pcap'", 'does not load')
    print('%d findings' % bad)
    return 1 if bad else 0


sys.exit(main())
