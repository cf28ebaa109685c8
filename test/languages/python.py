#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""python.py FORWARD HEADER - a capture goes through the Python example, and comes out with its addresses swapped"""
import struct
import subprocess
import sys
import tempfile

PACKETS = 1000


def packet(i, swapped=False):
    ends = bytes(range(6)), bytes(range(6, 12))
    return ends[swapped] + ends[not swapped] + b'\x08\x00' + bytes([i % 256]) * (50 + i % 1000)


def capture(swapped):
    out = struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
    for i in range(PACKETS):
        data = packet(i, swapped)
        out += struct.pack('<IIII', i, i, len(data), len(data)) + data
    return out


def packets(data):
    at = 24
    while at < len(data):
        _, _, kept, _ = struct.unpack_from('<IIII', data, at)
        yield data[at + 16:at + 16 + kept]
        at += 16 + kept


def forward(*args):
    return subprocess.run([sys.executable, sys.argv[1], *args, sys.argv[2]], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


def main():
    with tempfile.TemporaryDirectory() as tmp:
        source, target = tmp + '/in.pcap', tmp + '/out.pcap'
        with open(source, 'wb') as f:
            f.write(capture(False))
        done = forward(source, target)
        print(done.stdout)
        with open(target, 'rb') as f:
            same = list(packets(f.read())) == list(packets(capture(True)))
        none = forward(tmp + '/none', target)
        print(none.stdout)
        return not (done.returncode == 0 and same and '%d packets forwarded' % PACKETS in done.stdout and
                    none.returncode == 1 and 'cannot read' in none.stdout and none.stdout.count('\n') == 1)


sys.exit(main())
