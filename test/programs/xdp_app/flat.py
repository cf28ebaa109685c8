#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""flat.py FILE - xdp_app's lines of gauges: is anything growing?

Exits with 1 and says what: a page that is nowhere, pages adrift when all was quiet, more memory in
the last quarter than in the second.
"""
import os
import sys

RSS_SLACK_KIB = int(os.environ.get('PP_RSS_SLACK_KIB', 256))  # sanitizers need more
IN_HANDS = 2 * 32 + 32 + 64  # both queues' bursts, the slow path's, and what moves meanwhile


def samples(path):
    for line in open(path):
        if line.startswith('t='):
            yield {k: float(v) for k, v in (pair.split('=') for pair in line.split())}


def main():
    rows = list(samples(sys.argv[1]))
    if len(rows) < 8:
        sys.exit('only %d samples' % len(rows))
    for r in rows:
        where = r['free'] + r['cached'] + r['in_flight']
        if abs(where - r['managed']) > IN_HANDS:
            sys.exit('t=%g: %d pages of %d' % (r['t'], where, r['managed']))
        if abs(r['adrift']) > IN_HANDS:
            sys.exit('t=%g: %d pages adrift' % (r['t'], r['adrift']))
    last = rows[-1]
    for key in ('adrift', 'kept', 'sending'):
        if last[key]:
            sys.exit('%d pages %s when all was quiet' % (last[key], key))
    if last['free'] + last['cached'] + last['in_flight'] != last['managed']:
        sys.exit('the last sample does not add up: %r' % last)
    n = len(rows) // 4
    early = max(r['rss_kib'] for r in rows[n:2 * n])
    late = max(r['rss_kib'] for r in rows[-n:])
    if late - early > RSS_SLACK_KIB:
        sys.exit('memory grew from %d to %d KiB' % (early, late))
    if not max(r['kept'] for r in rows):
        sys.exit('the slow path has never kept a packet')
    if rows[-1]['received'] <= rows[1]['received']:
        sys.exit('no traffic')
    print('%d samples: %d KiB, then %d KiB; %d pages adrift at the end, %d at most' %
          (len(rows), early, late, last['adrift'], max(abs(r['adrift']) for r in rows)))


main()
