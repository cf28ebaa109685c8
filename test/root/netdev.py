#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""NAPIs of an interface, by the kernel's netdev family: netdev.py IF [SETTING=VALUE...]

Prints a line for each, in the order of their numbers: defer-hard-irqs, gro-flush-timeout, threaded.
With settings, makes these in each first. It shares no code with the driver.
"""
import socket
import struct
import sys

NETLINK_GENERIC, ACK, DUMP = 16, 4, 0x300
GET_FAMILY, NAPI_GET, NAPI_SET = 3, 11, 14
IFINDEX, ID = 1, 2
SETTINGS = {'defer-hard-irqs': 5, 'gro-flush-timeout': 6, 'threaded': 8}
WORD = struct.Struct('I')


def ask(sock, family, command, attrs, flags=0):
    text = b''.join(struct.pack('HH', 4 + len(v), t) + v + bytes(-len(v) % 4) for t, v in attrs)
    sock.send(struct.pack('IHHIIBBH', 20 + len(text), family, 1 | flags, 0, 0, command, 1, 0) + text)
    answers = []
    while True:
        data = sock.recv(1 << 16)
        while data:
            size, kind = struct.unpack_from('IH', data)
            if kind == 2 and struct.unpack_from('i', data, 16)[0]:
                sys.exit(f'netdev.py: errno {-struct.unpack_from("i", data, 16)[0]}')
            if kind in (2, 3):
                return answers
            answers.append(parse(data[20:size]))
            data = data[(size + 3) & ~3:]
        if not flags:
            return answers


def parse(data):
    attrs = {}
    while data:
        size, kind = struct.unpack_from('HH', data)
        attrs[kind & 0x3fff] = data[4:size]
        data = data[(size + 3) & ~3:]
    return attrs


def main(name, *settings):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
    sock.settimeout(5)
    family = int.from_bytes(ask(sock, 16, GET_FAMILY, [(2, b'netdev\0')])[0][1], sys.byteorder)

    def napis():
        found = ask(sock, family, NAPI_GET, [(IFINDEX, WORD.pack(socket.if_nametoindex(name)))], DUMP)
        return sorted(found, key=lambda napi: napi[ID][::-1])

    for napi in napis() if settings else []:
        new = [(SETTINGS[s.split('=')[0]], WORD.pack(int(s.split('=')[1]))) for s in settings]
        ask(sock, family, NAPI_SET, [(ID, napi[ID])] + new, ACK)
    for napi in napis():
        print(*(int.from_bytes(napi.get(kind, b''), sys.byteorder) for kind in SETTINGS.values()))


main(*sys.argv[1:])
