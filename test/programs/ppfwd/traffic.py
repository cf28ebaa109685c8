# SPDX-License-Identifier: BSD-3-Clause
"""traffic.py - the packets that ppfwd makes: sizes, flows, addresses, tags, pace, marks

usage: traffic.py PPFWD PCAP(0|1)

Packets are read from a file and checked by the parser and the checksum of this test.
"""
import collections
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time

PPFWD, PCAP = sys.argv[1], sys.argv[2] == '1'
TMP = tempfile.mkdtemp(prefix='ppcli.')
MAGIC = b'ppfwd\x01\xa7\x5c'
checks = failed = 0


def ok(what, good, more=''):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, str(more)[:600]), flush=True)


def run(*args):
    """the report; the run must be clean"""
    name = TMP + '/json'
    p = subprocess.run([PPFWD, *map(str, args), '--json', name], capture_output=True, timeout=60)
    ok(' '.join(map(str, args)), p.returncode == 0 and not p.stderr and
       b' 0 leaked, 0 freed twice' in p.stdout, (p.returncode, p.stderr, p.stdout))
    with open(name) as f:
        return json.load(f)


def read(name):
    """the packets of a pcap file that libpcap wrote here"""
    with open(name, 'rb') as f:
        text = f.read()
    assert struct.unpack('=I', text[:4])[0] in (0xa1b2c3d4, 0xa1b23c4d)
    at, packets = 24, []
    while at < len(text):
        caplen, length = struct.unpack('=II', text[at + 8:at + 16])
        assert caplen == length
        packets.append(text[at + 16:at + 16 + caplen])
        at += 16 + caplen
    return packets


def made(*args, packets=3000):
    """what port 0 sends"""
    out = TMP + '/out.pcap'
    run('--port', 'pcap:tx=' + out, '--packets', packets, *args)
    got = read(out)
    ok('all of them', len(got) == packets, len(got))
    return got


def add(data):
    if len(data) % 2:
        data += b'\0'
    s = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s


def fields(p):
    """a packet taken apart; None if it is not one that ppfwd should make"""
    at, vlan = 14, None
    if p[12:14] == b'\x81\0':
        vlan, at = struct.unpack('!H', p[14:16])[0], 18
    ip, udp = p[at:at + 20], p[at + 20:]
    if p[at - 2:at] != b'\x08\0' or ip[0] != 0x45 or ip[9] != 17 or ip[8] != 64:
        return None
    if struct.unpack('!H', ip[2:4])[0] != len(p) - at or add(ip) != 0xffff:
        return None
    sport, dport, length, field = struct.unpack('!4H', udp[:8])
    pseudo = ip[12:20] + struct.pack('!HH', 17, length)
    if length != len(udp) or not field or add(pseudo + udp) != 0xffff:
        return None
    return dict(vlan=vlan, src=ip[12:16], dst=ip[16:20], sport=sport, dport=dport, data=udp[8:])


def sizes_of(packets):
    return collections.Counter(map(len, packets))


def right(what, packets):
    bad = [p.hex() for p in packets if not fields(p)]
    ok('%s: every packet is right' % what, not bad, bad[:1])


def case_sizes():
    for size in (64, 65, 100, 1514, 3000):
        got = made('--engine', 'txonly', '--size', size)
        ok('--size %d' % size, set(sizes_of(got)) == {size}, sizes_of(got))
        right('--size %d' % size, got)
    got = made('--engine', 'txonly', '--size', '64-163')
    ok('a range, each size as often', set(sizes_of(got).items()) == {(s, 30) for s in range(64, 164)},
       sizes_of(got))
    right('range', got)
    got = made('--engine', 'txonly', '--txpkts', 'imix')
    ok('imix is 7 : 4 : 1', sizes_of(got) == {64: 1750, 594: 1000, 1518: 250}, sizes_of(got))
    right('imix', got)
    got = made('--engine', 'txonly', '--size', 'imix', '--seed', 7, packets=12000)
    n = sizes_of(got)
    ok('imix, drawn', set(n) == {64, 594, 1518} and abs(n[64] - 7000) < 350 and
       abs(n[594] - 4000) < 350 and abs(n[1518] - 1000) < 200, n)


def case_flows():
    def flows(got):
        return collections.Counter((fields(p)['src'], fields(p)['dst'], fields(p)['sport'],
                                    fields(p)['dport']) for p in got)
    for engine, given, want in (('txonly', None, 1), ('flowgen', None, 1024), ('flowgen', 10, 10),
                                ('txonly', 3000, 3000)):
        got = made('--engine', engine, *(['--flows', given] if given else []))
        n = flows(got)
        ok('%s: %d flows' % (engine, want), len(n) == want, len(n))
        ok('%s: in turn' % engine, max(n.values()) - min(n.values()) <= 1)
        right(engine, got)
    one = made('--engine', 'flowgen', '--flowgen-flows', 50, '--size', '64-90', '--seed', 5)
    two = made('--engine', 'flowgen', '--flowgen-flows', 50, '--size', '64-90', '--seed', 5)
    three = made('--engine', 'flowgen', '--flowgen-flows', 50, '--size', '64-90', '--seed', 6)
    ok('a seed gives the same packets', one == two)
    ok('another others', one != three and len(flows(one)) == len(flows(three)) == 50)
    ok('all sizes', set(sizes_of(one)) == set(range(64, 91)), sizes_of(one))
    right('seed', one)


def case_frame():
    got = made('--engine', 'flowgen', '--vlan', 4094, '--size', 70)
    ok('--vlan', all(fields(p)['vlan'] == 4094 for p in got))
    right('--vlan', got)
    got = made('--engine', 'txonly')
    ok('no tag', all(fields(p)['vlan'] is None for p in got))
    ok('the destination', {p[:6] for p in got} == {b'\x02\0\0\0\0\0'})
    got = made('--engine', 'txonly', '--eth-peer', '0,02:aa:BB:cc:00:ff', '--eth-peer',
               '7,02:00:00:00:00:07')
    ok('--eth-peer', {p[:6] for p in got} == {b'\x02\xaa\xbb\xcc\0\xff'})
    source = TMP + '/source.pcap'
    os.rename(TMP + '/out.pcap', source)
    run('--port', 'pcap:rx=' + source, '--port', 'pcap:tx=' + TMP + '/out.pcap', '--engine', 'mac',
        '--eth-peer', '1,02:00:00:00:11:11')
    ok('--eth-peer with mac', {p[:6] for p in read(TMP + '/out.pcap')} == {b'\x02\0\0\0\x11\x11'})


def window_rates(packets, bits):
    """rates over windows of a second, by the times in the packets

    Only windows that begin and end in a calm: no gap of 5 ms, in which the machine did other
    things, in the 50 ms before, so that there was time to make up for it.
    """
    times = [struct.unpack('!Q', p[50:58])[0] for p in packets]
    sent, stall, calm = [0], times[0], []
    for i, p in enumerate(packets):
        sent.append(sent[-1] + (8 * len(p) if bits else 1))
        if i and times[i] - times[i - 1] > 5e6:
            stall = times[i]
        calm.append(times[i] - stall > 50e6)
    rates, j = [], 0
    for i in range(len(times)):
        while j < len(times) and (times[j] - times[i] < 1e9 or not calm[j]):
            j += 1
        if calm[i] and j < len(times):
            rates.append((sent[j] - sent[i]) / ((times[j] - times[i]) / 1e9))
    return sorted(rates)


def paced(rate, per_second, *args, bits=False):
    """within 1 % over a second; where the machine is too busy for a calm, again, then within 10 %"""
    near = 0.01
    for _ in range(3):
        run('--port', 'pcap:tx=%s/out.pcap' % TMP, '--engine', 'txonly', '--rate', rate,
            '--latency', 1, '--duration', '1.5', *args)
        rates = window_rates(read(TMP + '/out.pcap'), bits)
        got = rates[len(rates) // 2] if rates else 0
        if abs(got / per_second - 1) < 0.01:
            break
    else:
        packets = read(TMP + '/out.pcap')
        got = sum(8 * len(p) if bits else 1 for p in packets) / 1.5
        near = 0.1
        print('this machine is busy: --rate %s is checked to 10 %%' % rate)
    ok('--rate %s' % rate, abs(got / per_second - 1) < near, (got, len(rates)))


def case_rate():
    for _ in range(5):  # on a machine that is busy with other things, again
        r = run('--port', 'null', '--engine', 'txonly', '--rate', '1M', '--duration', '1.1')
        got = r['ports'][0]['tx_packets'] / r['duration_s']
        if abs(got / 1e6 - 1) < 0.01:
            break
    ok('--rate 1M', abs(got / 1e6 - 1) < 0.05, got)
    if not PCAP:
        return
    paced('12.5kpps', 12500, '--size', 'imix')
    paced('30Mbps', 3e7, '--size', 'imix', '--seed', '3', bits=True)


def case_first():
    args = ['--port', 'loop:a', '--engine', 'macswap', '--burst', 16]
    r = run(*args, '--tx-first', '--packets', 100000)
    ok('--tx-first goes round', r['packets'] == 100000, r['packets'])
    ok('in one burst', r['ports'][0]['rx_bursts'][5] >= 100000 // 16 - 1, r['ports'][0])
    r = run(*args, '--duration', 0.2)
    ok('nothing goes round without', r['packets'] == 0, r['packets'])


def quantile(histogram, q):
    below, want = 0, int(q * sum(n for _, n in histogram))
    for end, n in histogram:
        below += n
        if below > want:
            return end
    return 0


def case_latency():
    loops = ['--port', 'loop:a,peer=b', '--port', 'loop:b,peer=a', '--engine', 'flowgen']
    r = run(*loops, '--latency', 10, '--packets', 200000)
    lat = r['latency']
    received = sum(p['rx_packets'] for p in r['ports'])
    ok('each tenth', abs(lat['samples'] - received / 10) <= 200, (lat['samples'], received))
    ok('in order', 0 < lat['p50_ns'] <= lat['p99_ns'] <= lat['p999_ns'] <= lat['max_ns'], lat)
    ok('a histogram of all', sum(n for _, n in lat['histogram']) == lat['samples'])
    for key, q in (('p50_ns', 0.5), ('p99_ns', 0.99), ('p999_ns', 0.999)):
        ok('%s is the histogram\'s' % key, lat[key] == min(quantile(lat['histogram'], q),
                                                         lat['max_ns']), lat[key])
    if not PCAP:
        return
    got = made('--engine', 'flowgen', '--latency', 3, '--vlan', 5, '--size', '64-80')
    wrote = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    marked = [fields(p)['data'][8:16] for p in got if fields(p)['data'].startswith(MAGIC)]
    ok('a third is marked', len(marked) == 1000 and fields(got[2])['data'].startswith(MAGIC))
    ok('with the time', all(0 < wrote - struct.unpack('!Q', m)[0] < 60e9 for m in marked))
    right('--latency', got)
    # packets that lay in a file for so long
    os.rename(TMP + '/out.pcap', TMP + '/marked.pcap')
    time.sleep(0.3)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    r = run('--port', 'pcap:rx=%s/marked.pcap' % TMP, '--engine', 'rxonly', '--latency', 1)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    times = [struct.unpack('!Q', m)[0] for m in marked]
    lat = r['latency']
    ok('all are found', lat['samples'] == 1000, lat['samples'])
    ok('the longest', before - times[0] <= lat['max_ns'] <= after - times[0], lat['max_ns'])
    ok('the median, to 4 %', 0.96 * (before - times[-1]) <= lat['p50_ns'] <=
       1.04 * (after - times[0]), lat['p50_ns'])


def case_noisy():
    source, out = TMP + '/source.pcap', TMP + '/out.pcap'
    made('--engine', 'flowgen', packets=5000)
    os.rename(out, source)
    packets = read(source)
    ports = ['--port', 'pcap:rx=' + source, '--port', 'pcap:tx=' + out]
    for engine in ('io', 'recycle', 'noisy'):
        run(*ports, '--engine', engine)
        ok('%s: all, in order' % engine, read(out) == packets)
    for keep in (1, 1000, 5000, 65536):
        noisy = ['--engine', 'noisy', '--noisy-tx-sw-buffer-size', keep]
        r = run(*ports, *noisy)
        left = max(0, 5000 - keep)
        ok('noisy keeps the last %d' % keep, read(out) == packets[:left], len(read(out)))
        ok('and drops them', r['ports'][1]['tx_dropped'] == 5000 - left, r['ports'][1])
        ok('their pages were away', r['pools'][0]['inflight_max'] >= min(keep, 5000))
        r = run(*ports, *noisy, '--noisy-tx-sw-buffer-flushtime', 5)
        ok('noisy sends what it keeps after a while', read(out) == packets, len(read(out)))
        ok('and drops none', r['ports'][1]['tx_dropped'] == 0)
    null = ['--port', 'null', '--port', 'null', '--engine', 'noisy', '--packets', 100000]
    quiet = run(*null)['cycles_per_packet']
    for kind in ('reads', 'writes', 'reads-writes'):
        loud = run(*null, '--noisy-lkup-num-' + kind, 300, '--noisy-lkup-memory', 8)
        ok('300 %s take time' % kind, loud['cycles_per_packet'] > 2 * quiet + 100,
           (quiet, loud['cycles_per_packet']))


cases = ['rate', 'first', 'latency']
if PCAP:
    cases = ['sizes', 'flows', 'frame', 'noisy'] + cases
else:
    print('not run: sizes, flows, frame, noisy; built without libpcap')
try:
    for case in cases:
        start = time.monotonic()
        globals()['case_' + case]()
        print('%s: %.1f s' % (case, time.monotonic() - start), flush=True)
finally:
    shutil.rmtree(TMP)
print('%d checks, %d failed' % (checks, failed))
sys.exit(1 if failed or not checks else 0)
