#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames for a port with tx_csum: csum_frames.py write FILE | check FILE

Their sums are wrong, or over another address than the header's. "check" compares what arrived
with what was sent, and has tcpdump judge each sum.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True # not beside the sources
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'programs', 'ppfwd'))

from frames import *

IP4, IP6 = 0x0800, 0x86dd
LSRR = bytes.fromhex('8307040a09090900')
USED = bytes.fromhex('8307080a00000200')
RH0 = bytes([17, 2, 0, 1, 0, 0, 0, 0]) + C6
HOPS = bytes([17, 0, 1, 4, 0, 0, 0, 0])
SUM0 = bytes.fromhex('6e74616263646566')
FRAMES = [
    eth(IP4, ip4(17, udp(A4, B4, sum=7))),
    eth(IP4, ip4(6, tcp(A4, B4, sum=7))),
    eth(IP6, ip6(6, tcp(A6, B6, sum=7))),
    eth(IP6, ip6(17, udp(A6, B6, sum=7)), (0x8100,)),
    # a UDP length below the payload, bytes behind the packet
    bytes.fromhex('02000000000202000000000108004500002200010000401166c80a0000010a00000203e807d0000a'
                  '77b6686953555250'),
    eth(IP4, ip4(17, udp(A4, B4, length=10, sum=7))),
    eth(IP6, ip6(17, udp(A6, B6, length=11, sum=7))),
    eth(IP6, ip6(17, udp(A6, B6, b'', sum=7)) + b'trailer'),
    eth(IP4, ip4(6, tcp(A4, B4, sum=7)) + b'\0\0trailer'),
    # 0 is no sum over IPv6
    bytes.fromhex('02000000000202000000000186dd600000000010114020010db8000000000000000000000001'
                  '20010db800000000000000000000000203e807d0001000006e74616263646566'),
    eth(IP6, ip6(17, udp(A6, B6, sum=0))),
    eth(IP6, ip6(17, udp(A6, B6, SUM0, sum=0)), (0x8100, 0x8100)),
    # what is before the transport header
    eth(IP6, ip6(0, udp(A6, B6, sum=7), HOPS)),
    eth(IP4, ip4(17, udp(A4, B4, sum=7), b'\1\1\1\0')),
    eth(IP4, ip4(17, udp(A4, B4, sum=7), USED)),
    eth(IP4, ip4(17, udp(A4, B4, sum=7)), (0x88a8,)),
    eth(IP4, ip4(6, tcp(A4, B4, sum=7)), (0x88a8, 0x8100, 0x8100, 0x8100)),
    # source routes: right already
    eth(IP4, ip4(17, udp(A4, C4), LSRR)),
    eth(IP4, ip4(6, tcp(A4, C4), b'\1' + LSRR + b'\0\0\0')),
    eth(IP6, ip6(43, udp(A6, C6), RH0)),
]


def differ(a, b):
    return [i for i in range(max(len(a), len(b))) if a[i:i + 1] != b[i:i + 1]]


def check(path):
    got, failed = read_pcap(path), 0
    text = subprocess.run(['tcpdump', '-nvvr', path], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    if len(got) != len(FRAMES) or re.search(r'bad|incorrect', text):
        print('%d of %d frames, and tcpdump says:\n%s' % (len(got), len(FRAMES), text))
        return 1
    if len(re.findall(r'udp sum ok|\(correct\)', text)) != len(FRAMES):
        print('not every sum was judged:\n' + text)
        return 1
    for sent, frame in zip(FRAMES, got):
        at = differ(sent, frame)
        if len(sent) != len(frame) or (at and at[-1] - at[0] > 1):
            print('more than a sum has changed:\n%s\n%s' % (sent.hex(), frame.hex()))
            failed += 1
        if SUM0 in sent and b'\xff\xff' + SUM0 not in frame:
            print('a sum of 0 over IPv6: %s' % frame.hex())
            failed += 1
    return 1 if failed else 0


if __name__ == '__main__':
    if sys.argv[1] == 'write':
        write_pcap(sys.argv[2], FRAMES)
        print(len(FRAMES))
    else:
        sys.exit(check(sys.argv[2]))
