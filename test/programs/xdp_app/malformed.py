#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""malformed.py INTERFACE MAC SECONDS [SEED] - broken packets for xdp_app, sent as they are

Queries and echoes over IPv4 and IPv6 with bytes turned over, cut short, with lengths that lie, or
in a VLAN; every other one with right checksums. From an address that nobody has.
"""
import errno
import random
import socket
import struct
import sys
import time


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def udp(source, target, port, payload, lie):
    length = 8 + len(payload) + lie
    head = struct.pack('!HHHH', random.choice([40000, 40001, 53, 0]), port, length & 0xffff, 0)
    pseudo = source + target + struct.pack('!IHBB', len(payload) + 8, 0, 0, 17)
    value = checksum(pseudo + head + payload) or 0xffff
    return head[:6] + struct.pack('!H', value) + payload


def ipv4(port, payload, lie):
    source, target = socket.inet_aton('10.79.0.77'), socket.inet_aton('10.79.0.2')
    inner = udp(source, target, port, payload, lie)
    head = struct.pack('!BBHHHBBH', 0x45, 0, (20 + len(inner) + lie) & 0xffff, 1, 0, 64, 17, 0)
    value = checksum(head + source + target)
    return b'\x08\x00' + head[:10] + struct.pack('!H', value) + source + target + inner


def ipv6(port, payload, lie):
    source = socket.inet_pton(socket.AF_INET6, 'fd79::77')
    target = socket.inet_pton(socket.AF_INET6, 'fd79::2')
    inner = udp(source, target, port, payload, lie)
    head = struct.pack('!IHBB', 6 << 28, (len(inner) + lie) & 0xffff, 17, 64)
    return b'\x86\xdd' + head + source + target + inner


def payload():
    labels = b''.join(bytes([random.choice([3, 7, 63, 64, 192])]) + b'abcdefg'
                      for _ in range(random.randrange(4)))
    query = struct.pack('!HHHHHH', 1, random.choice([0x100, 0x8000, 0x2800]),
                        random.choice([1, 1, 0, 500]), 0, 0, 0) + labels + b'\0\0\1\0\1'
    return query[:random.randrange(len(query) + 1)]


def packet(head):
    lie = random.choice([0, 0, 1, -1, 30, -9, 60000])
    frame = random.choice([ipv4, ipv6])(random.choice([53, 7]), payload(), lie)
    if not random.randrange(8):
        frame = b'\x81\x00\x00\x05' + frame
    frame = bytearray(head + frame)
    if random.randrange(2):
        for _ in range(random.randrange(1, 5)):
            frame[random.randrange(12, len(frame))] = random.randrange(256)
    if not random.randrange(4):
        frame = frame[:random.randrange(14, len(frame) + 1)]
    return bytes(frame)


def main():
    interface, mac, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
    random.seed(seed)
    head = bytes.fromhex(mac.replace(':', '')) + b'\x02\x00\x00\x00\x00\x77'
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((interface, 0))
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        for _ in range(10):
            try:
                sock.send(packet(head))
                sent += 1
            except OSError as e:
                if e.errno != errno.ENOBUFS:  # TCP has filled the veth's queue
                    raise
        time.sleep(0.02)
    print('%d broken packets, seed %d' % (sent, seed))


main()
