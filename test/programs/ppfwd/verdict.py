#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tcpdump's verdict on frames that ppfwd forwarded: verdict.py PPFWD

What "tcpdump -vv" has to say of what leaves is in the table below. A UDP sum of 0 over IPv6 it does
not mind: there the bytes are looked at, too.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True # not beside the sources

from frames import *

ETHER4, ETHER6 = 0x0800, 0x86dd
LSRR = bytes.fromhex('8307040a09090900')
SSRR = bytes.fromhex('890b080a0707070a09090900')
USED = bytes.fromhex('8307080a09090900')
RH0 = bytes([17, 2, 0, 1, 0, 0, 0, 0]) + C6
RH0_USED = bytes([17, 2, 0, 0, 0, 0, 0, 0]) + B6
SRH = bytes([6, 2, 4, 1, 0, 0, 0, 0]) + C6
HOPS = bytes([17, 0, 1, 4, 0, 0, 0, 0])
GROUP, BROADCAST = b'\xe0\0\0\1', b'\xff' * 4
SUM0 = bytes.fromhex('6e74616263646566')


def ping(**how):
    return eth(ETHER4, ip4(1, icmp(), **how))


# engine, name, frame, regular expression over tcpdump's text, or '': nothing leaves
TABLE = [
    # source routes: the sum is over the last address, and is right
    ('csum', 'loose route', '02000000000202000000000108004700002c000100004011cba30a0000010a0000028307040a'
     '0909090003e807d0001071ef68656c6c6f212121', 'udp sum ok'),
    ('csum', 'strict route, TCP', eth(ETHER4, ip4(6, tcp(A4, C4), SSRR)), r'cksum 0x\w+ \(correct\)'),
    ('csum', 'loose route behind padding', eth(ETHER4, ip4(17, udp(A4, C4), b'\1\1\1\1' + LSRR)), 'udp sum ok'),
    ('csum', 'routing header', eth(ETHER6, ip6(43, udp(A6, C6), RH0)), 'udp sum ok'),
    ('csum', 'segment routing header', eth(ETHER6, ip6(43, tcp(A6, C6), SRH)), r'cksum 0x\w+ \(correct\)'),
    ('csum', 'routing header used up, wrong sum', eth(ETHER6, ip6(43, udp(A6, B6, sum=7), RH0_USED)), 'udp sum ok'),
    ('5tswap', 'loose route', eth(ETHER4, ip4(17, udp(A4, C4), LSRR)), 'udp sum ok'),
    ('5tswap', 'strict route, TCP', eth(ETHER4, ip4(6, tcp(A4, C4), SSRR)), r'cksum 0x\w+ \(correct\)'),
    ('5tswap', 'routing header', eth(ETHER6, ip6(43, udp(A6, C6), RH0)), 'udp sum ok'),
    ('5tswap', 'segment routing header', eth(ETHER6, ip6(43, tcp(A6, C6), SRH)), r'cksum 0x\w+ \(correct\)'),
    ('5tswap', 'no route', eth(ETHER4, ip4(17, udp(A4, B4))), r'10\.0\.0\.2\.2000 > 10\.0\.0\.1\.1000: \[udp sum ok'),
    # lengths: UDP ends before IP does, and IP before the frame
    ('csum', 'short UDP', '02000000000202000000000108004500002200010000401166c80a0000010a00000203e807d0000a'
     '77b6686953555250', 'udp sum ok'),
    ('csum', 'short UDP, wrong sum', eth(ETHER4, ip4(17, udp(A4, B4, length=10, sum=7))), 'udp sum ok'),
    ('csum', 'short UDP over IPv6', eth(ETHER6, ip6(17, udp(A6, B6, length=11, sum=7))), 'udp sum ok'),
    ('csum', 'wrong sum, and bytes behind', eth(ETHER4, ip4(17, udp(A4, B4, sum=7)) + b'trailer'), 'udp sum ok'),
    # 0 over IPv6 is no sum
    ('csum', 'no sum that would be 0', '02000000000202000000000186dd600000000010114020010db800000000000000000000'
     '000120010db800000000000000000000000203e807d0001000006e74616263646566', 'udp sum ok'),
    ('csum', 'no sum that would be 0, behind options', eth(ETHER6, ip6(0, udp(A6, B6, SUM0, sum=0), HOPS)), 'udp sum ok'),
    ('csum', 'no sum that would be 0, in a VLAN', eth(ETHER6, ip6(17, udp(A6, B6, SUM0, sum=0)), (0x8100,)), 'udp sum ok'),
    ('csum', 'no sum over IPv6', eth(ETHER6, ip6(17, udp(A6, B6, sum=0))), 'udp sum ok'),
    ('csum', 'no sum over IPv4', eth(ETHER4, ip4(17, udp(A4, B4, sum=0))), r'\[no cksum\]'),
    # tags
    ('csum', 'one 802.1ad tag', eth(ETHER4, ip4(17, udp(A4, B4, sum=7)), (0x88a8,)), 'udp sum ok'),
    ('csum', 'two old tags', eth(ETHER4, ip4(17, udp(A4, B4, sum=7)), (0x9100, 0x9200)), 'udp sum ok'),
    ('csum', 'four tags', eth(ETHER6, ip6(6, tcp(A6, B6, sum=7)), (0x88a8, 0x8100, 0x8100, 0x8100)),
     r'cksum 0x\w+ \(correct\)'),
    # pings: a TTL of our own
    ('icmpecho', 'last hop', ping(ttl=1), r'ttl 64.*\n.*10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo reply'),
    ('icmpecho', 'far away', ping(ttl=255), r'ttl 64.*\n.*ICMP echo reply'),
    ('icmpecho', 'in a VLAN, with options', eth(ETHER4, ip4(1, icmp(), b'\1\1\1\0', ttl=2), (0x8100,)), r'ttl 64.*\n.*ICMP echo reply'),
    ('icmpecho', 'route used up', ping(options=USED), r'ttl 64.*\n.*ICMP echo reply'),
    ('icmpecho', 'dead', ping(ttl=0), ''),
    ('icmpecho', 'from a group', ping(src=GROUP), ''),
    ('icmpecho', 'from all', ping(src=BROADCAST), ''),
    ('icmpecho', 'from class E', ping(src=b'\xf0\1\2\3'), ''),
    ('icmpecho', 'from nobody', ping(src=b'\0\0\0\0'), ''),
    ('icmpecho', 'from itself', ping(src=b'\x7f\0\0\1'), ''),
    ('icmpecho', 'to all', ping(dst=BROADCAST), ''),
    ('icmpecho', 'to all stations', b'\xff' * 6 + ping()[6:], ''),
    ('icmpecho', 'wrong header sum', ping(sum=7), ''),
    ('icmpecho', 'wrong sum', eth(ETHER4, ip4(1, icmp(sum=7))), ''),
    ('icmpecho', 'a hop on its way', ping(options=LSRR), ''),
]


def forward(ppfwd, directory, engine, frames):
    """What leaves, each with tcpdump's text on it."""
    rx, tx = (os.path.join(directory, name) for name in ('in.pcap', 'out.pcap'))
    write_pcap(rx, frames)
    ports = (['--port', 'pcap:rx=%s,tx=%s' % (rx, tx)] if engine == 'icmpecho' else
             ['--port', 'pcap:rx=' + rx, '--port', 'pcap:tx=' + tx])
    subprocess.run([ppfwd, '--engine', engine, '--pages', '1024'] + ports, check=True,
                   stdout=subprocess.DEVNULL, timeout=60)
    text = subprocess.run(['tcpdump', '-nvvr', tx], check=True, timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return list(zip(read_pcap(tx), re.split(r'\n(?=\S)', text.strip())))


def judge(name, frame, out, text, want):
    if want == '':
        return 'something left' if out else None
    if len(out) != len(frame):
        return '%d bytes became %d' % (len(frame), len(out))
    if re.search(r'bad|incorrect|wrong', text):
        return 'tcpdump finds a wrong sum'
    if name.startswith('no sum that') and b'\xff\xff' + SUM0 not in out:
        return 'there is still no sum'
    return None if re.search(want, text) else 'tcpdump does not say "%s"' % want


def results(ppfwd, directory, engine, rows):
    """All at once if as many leave as have to, else one by one."""
    left = forward(ppfwd, directory, engine, [frame for _, frame, _ in rows])
    if len(left) == len([want for _, _, want in rows if want]):
        left.reverse()
        return [left.pop() if want else (b'', '') for _, _, want in rows]
    return [(forward(ppfwd, directory, engine, [frame]) or [(b'', '')])[0] for _, frame, _ in rows]


def main():
    if not shutil.which('tcpdump'):
        print('SKIP: tcpdump is not installed')
        return 1 if os.environ.get('CI') == 'true' else 77
    failed = 0
    with tempfile.TemporaryDirectory(prefix='ppverdict.') as directory:
        for engine in ('csum', '5tswap', 'icmpecho'):
            rows = [(name, bytes.fromhex(frame) if isinstance(frame, str) else frame, want)
                    for e, name, frame, want in TABLE if e == engine]
            for row, (out, text) in zip(rows, results(sys.argv[1], directory, engine, rows)):
                why = judge(row[0], row[1], out, text, row[2])
                if why:
                    failed += 1
                    print('FAIL: %s: %s: %s\n  in  %s\n  out %s\n%s' % (
                        engine, row[0], why, row[1].hex(), out.hex(), text))
    print('%d frames, %d failed' % (len(TABLE), failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
