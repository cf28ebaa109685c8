#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""forward.py IN.pcap OUT.pcap [HEADER] - forward a capture through a page pool, MAC addresses swapped

Needs cffi, libpagepool-ffi and the module for pcap ports. HEADER is pagepool/ffi.h; pkg-config knows it.
"""
import subprocess
import sys

import cffi

BURST = 32


def load(header):
    ffi = cffi.FFI()
    with open(header) as f:
        ffi.cdef(f.read())
    return ffi, ffi.dlopen('libpagepool-ffi.so.0')


def installed_header():
    return subprocess.run(['pkg-config', '--variable=header', 'libpagepool-ffi'], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def must(result):
    """@result of a call that returns NULL, or a negative number, if it fails"""
    if result == ffi.NULL or isinstance(result, int) and result < 0:
        sys.exit('forward.py: ' + ffi.string(pp.pp_error()).decode())
    return result


def struct(name, **fields):
    """a struct that tells its size to the library"""
    return ffi.new('struct %s *' % name, dict(fields, sz=ffi.sizeof('struct ' + name)))


def swap(page):
    if page.len >= 12:
        mac = ffi.buffer(pp.pp_page_data(page), 12)
        mac[:] = mac[6:12] + mac[0:6]


def forward(port):
    queue = pp.pp_netdev_queue(port, 0)
    pages = ffi.new('struct pp_page *[]', BURST)
    total = 0
    while True:
        n = pp.pp_rx_burst(queue, pages, BURST)
        if not n and pp.pp_netdev_done(port):
            return total
        for page in pages[0:n]:
            swap(page)
        sent = pp.pp_tx_burst(queue, pages, n)
        pp.page_pool_put_bulk(pages + sent, n - sent)
        pp.pp_tx_clean(queue)
        total += sent


ffi, pp = load(sys.argv[3] if len(sys.argv) > 3 else installed_header())
zone = must(pp.pp_zone_create(struct('pp_zone_params', pages=4096)))
spec = 'pcap:rx=%s,tx=%s' % tuple(sys.argv[1:3])
port = must(pp.pp_netdev_open(spec.encode(), struct('pp_netdev_params', zone=zone)))
packets = forward(port)
pp.pp_netdev_close(port)
audit = struct('pp_audit')
must(pp.pp_zone_audit(zone, audit))
must(pp.pp_zone_destroy(zone))
print('%d packets forwarded, %d of %d pages home' % (packets, audit.home, audit.managed))
sys.exit(audit.home != audit.managed)
