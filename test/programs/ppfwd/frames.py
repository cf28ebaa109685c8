# SPDX-License-Identifier: BSD-3-Clause
"""Frames made by code of its own, and files of them: what is forwarded and tcpdump judges."""
import socket
import struct

MACS = bytes.fromhex('020000000002020000000001')
A4, B4, C4 = (socket.inet_aton(a) for a in ('10.0.0.1', '10.0.0.2', '10.9.9.9'))
A6, B6, C6 = (socket.inet_pton(socket.AF_INET6, a) for a in ('2001:db8::1', '2001:db8::2', '2001:db8::9'))


def csum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def eth(etype, rest, tags=()):
    head = b''.join(struct.pack('!HH', t, 7) for t in tags)
    return MACS + head + struct.pack('!H', etype) + rest


def udp(src, dst, payload=b'hello!!!', length=None, sum=None, data=b''):
    n = 8 + len(payload) if length is None else length
    head = struct.pack('!HHH', 1000, 2000, n)
    body = head + b'\0\0' + payload
    right = csum(src + dst + struct.pack('!HH', 17, n) + body[:n] if n >= 8 else body) or 0xffff
    return head + struct.pack('!H', right if sum is None else sum) + payload + data


def tcp(src, dst, payload=b'hello!!', sum=None):
    head = struct.pack('!HHIIBBH', 1000, 2000, 1, 1, 0x50, 0x18, 512)
    right = csum(src + dst + struct.pack('!HH', 6, 20 + len(payload)) + head + b'\0\0\0\0' + payload)
    return head + struct.pack('!HH', right if sum is None else sum, 0) + payload


def icmp(kind=8, payload=b'ping', sum=None):
    body = struct.pack('!HH', 77, 1) + payload
    right = csum(bytes([kind, 0, 0, 0]) + body)
    return bytes([kind, 0]) + struct.pack('!H', right if sum is None else sum) + body


def ip4(proto, rest, options=b'', src=A4, dst=B4, ttl=64, sum=None, frag=0):
    n = 20 + len(options)
    head = struct.pack('!BBHHHBB', 0x40 | n // 4, 0, n + len(rest), 1, frag, ttl, proto)
    right = csum(head + b'\0\0' + src + dst + options)
    return head + struct.pack('!H', right if sum is None else sum) + src + dst + options + rest


def ip6(proto, rest, ext=b'', src=A6, dst=B6):
    return struct.pack('!IHBB', 6 << 28, len(ext) + len(rest), proto, 64) + src + dst + ext + rest


def write_pcap(path, frames):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for frame in frames:
            f.write(struct.pack('<IIII', 1700000000, 0, len(frame), len(frame)) + frame)


def read_pcap(path):
    data, frames, at = open(path, 'rb').read(), [], 24
    while at < len(data):
        n = struct.unpack_from('<I', data, at + 8)[0]
        frames.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return frames
