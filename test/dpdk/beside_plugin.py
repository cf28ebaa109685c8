#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""beside_plugin.py PPFWD STAND_IN - a dpdk port where EAL's folder has the plugin for mempools

The module loads DPDK after the start, where the plugin cannot load. Its stand-in can, and EAL starts.
"""
import subprocess
import sys


def main(ppfwd, stand_in):
    eal = '--no-huge --no-pci --no-shconf --no-telemetry --file-prefix=ppbeside -d ' + stand_in
    run = subprocess.run([ppfwd, '--port', 'dpdk:net_null0', '--packets', '1000', '--eal', eal], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    print(run.stdout)
    return run.returncode or ' 0 leaked, 0 freed twice' not in run.stdout


sys.exit(main(*sys.argv[1:]))
