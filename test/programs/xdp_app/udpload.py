#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""udpload.py ADDRESS SECONDS [RATE] - ask, echo, and look at every byte that comes back

Prints "N sent, N answered, N lost" and exits with 1 if an answer is wrong, or more than one in two
hundred is missing: a veth's queue has 256 places, which TCP fills at times.
"""
import os
import random
import select
import socket
import struct
import sys
import time

TIMEOUT = 2.0
WINDOW = 64
# name: status and address
NAMES = {
    'www.example.org': (0, '192.0.2.7'),
    'WwW.eXaMpLe.oRg': (0, '192.0.2.7'),
    'slow.example.org': (0, '192.0.2.8'),
    'nobody.example.org': (3, None),
}


def question(name):
    labels = b''.join(bytes([len(l)]) + l.encode() for l in name.split('.'))
    return labels + b'\0' + struct.pack('!HH', 1, 1)


def expected(ident, name):
    status, address = NAMES[name]
    head = struct.pack('!HHHHHH', ident, 0x8500 | status, 1, 1 if address else 0, 0, 0)
    answer = b''
    if address:
        answer = struct.pack('!HHHIH', 0xc00c, 1, 1, 60, 4) + socket.inet_aton(address)
    return head + question(name) + answer


class Flow:
    """one kind of traffic through one socket, at most WINDOW on their way"""

    def __init__(self, address, port):
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        self.sock.connect((address, port))
        self.echo = port == 7
        self.waiting = {}
        self.ident = random.randrange(65536)
        self.sent = self.answered = self.lost = 0

    def send(self):
        if len(self.waiting) >= WINDOW:
            return
        self.ident = (self.ident + 1) % 65536
        if self.ident in self.waiting:
            return
        if self.echo:
            data = want = struct.pack('!H', self.ident) + os.urandom(random.randrange(1400))
        else:
            name = random.choice(list(NAMES) if random.random() < 0.3 else ['www.example.org'])
            data = struct.pack('!HHHHHH', self.ident, 0x100, 1, 0, 0, 0) + question(name)
            want = expected(self.ident, name)
        try:
            self.sock.send(data)
        except (BlockingIOError, ConnectionRefusedError):
            return
        self.waiting[self.ident] = (want, time.monotonic())
        self.sent += 1

    def receive(self):
        while True:
            try:
                data = self.sock.recv(4096)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                sys.exit('refused: the kernel got a packet that was for xdp_app')
            ident = struct.unpack('!H', data[:2])[0] if len(data) > 1 else -1
            if ident not in self.waiting:
                sys.exit('an answer that nobody waits for: %s' % data.hex())
            want = self.waiting.pop(ident)[0]
            if data != want:
                sys.exit('wrong answer:\n%s\ninstead of\n%s' % (data.hex(), want.hex()))
            self.answered += 1

    def expire(self, now):
        for ident in [i for i, (_, at) in self.waiting.items() if now - at > TIMEOUT]:
            del self.waiting[ident]
            self.lost += 1


def main():
    address, seconds = sys.argv[1], float(sys.argv[2])
    rate = float(sys.argv[3]) if len(sys.argv) > 3 else 2000
    flows = [Flow(address, 53), Flow(address, 53), Flow(address, 7)]
    start = time.monotonic()
    end = start + seconds
    while time.monotonic() < end or any(f.waiting for f in flows):
        now = time.monotonic()
        due = (min(now, end) - start) * rate - sum(f.sent for f in flows)
        if now < end and due >= 1:
            for _ in range(min(int(due), 30)):
                random.choice(flows).send()
        select.select([f.sock for f in flows], [], [], 0.002)
        for f in flows:
            f.receive()
            f.expire(now)
    sent, answered, lost = (sum(getattr(f, k) for f in flows) for k in ('sent', 'answered', 'lost'))
    print('%d sent, %d answered, %d lost' % (sent, answered, lost))
    sys.exit(0 if answered and lost * 200 <= sent else 1)


main()
