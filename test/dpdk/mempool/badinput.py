# SPDX-License-Identifier: BSD-3-Clause
"""badinput.py - mistakes in the environment and in programs: a clear line, rte_errno, no crash"""
from harness import *
from harness import _prefixes

API = os.environ['PP_MEMPOOL_API']


def api(case, says=(), status=0, env=None, memory=64):
    got, out = run([API] + eal('b', memory=memory, lcores='0@%d' % CPUS[0]) + ['--', case], 60,
                   environment(**(env or {})))
    check(got == status, '%s %s: status %s, not %d\n%s' % (case, env, got, status, out))
    for text in says:
        check(re.search(text, out), '%s %s: no line says "%s":\n%s' % (case, env, text, out))
    lines = [l for l in out.split('\n') if l.startswith('PAGEPOOL')]
    say('ok: %s %s: %s' % (case, env or '', lines[0] if lines else 'no line'))
    return out


need()
for policy in ('auto', 'trylock'):
    env = {'PAGEPOOL_POLICY': policy}
    out = api('double_free', [r'pool twice: object 0x[0-9a-f]+ is free already: double free'], env=env)
    check(out.count('double free') == 1, out)
    out = api('foreign', [r'pool mine: object 0x[0-9a-f]+ does not belong to it'], env=env)
    check(out.count('does not belong') == 4, out)
    out = api('out', [r'pool out0 destroyed with 7 objects out', 'pool out1 destroyed with 1 objects',
                      r'pool out3 destroyed with 500 objects out'], env=env)
    check('out2' not in out, out)
    # populated in parts, while objects are out, beside puts, and after a failure: nothing to log
    for case in ('grow', 'grow_in_use', 'grow_again'):
        out = api(case, env=env)
        check('PAGEPOOL' not in out, '%s: %s' % (case, out))
check('PAGEPOOL' not in api('never_populated'), 'a line about a pool that never was')
api('no_memory', memory=64)
check('index' in api('ops'), 'no index')

for env, says in (({'PAGEPOOL_POLICY': 'mutex'}, '"mutex" is not known'),
                  ({'PAGEPOOL_POLICY': 'spin'}, 'spin does not work across processes'),
                  ({'PAGEPOOL_POLICY': 'x' * 200}, 'is not known'),
                  ({'PAGEPOOL_POLICY': '%s%n'}, 'is not known'),
                  ({'PAGEPOOL_HIGH': 'many'}, 'PAGEPOOL_HIGH: "many" is not a number'),
                  ({'PAGEPOOL_HIGH': '0'}, 'PAGEPOOL_HIGH: "0" is not a number above 0'),
                  ({'PAGEPOOL_HIGH': '-1'}, 'PAGEPOOL_HIGH: "-1"'),
                  ({'PAGEPOOL_HIGH': '65537'}, 'high: 65537'),
                  ({'PAGEPOOL_HIGH': '99999999999999999999'}, 'PAGEPOOL_HIGH'),
                  ({'PAGEPOOL_LCORE_CACHE': '513'}, '"513" is not a number from 0 to 512'),
                  ({'PAGEPOOL_LCORE_CACHE': '-1'}, '"-1" is not a number from 0 to 512'),
                  ({'PAGEPOOL_LCORE_CACHE': 'none'}, '"none" is not a number from 0 to 512'),
                  ({'PAGEPOOL_LCORE_CACHE': '4294967294'}, '"4294967294" is not a number from'),
                  ({'PAGEPOOL_BATCH': '1x'}, 'PAGEPOOL_BATCH: "1x"'),
                  ({'PAGEPOOL_BATCH': '513', 'PAGEPOOL_HIGH': '1024'}, 'batch: 513'),
                  ({'PAGEPOOL_BATCH': '9', 'PAGEPOOL_HIGH': '8'}, 'batch: 9')):
    api('refused', [re.escape(says), 'PAGEPOOL: pool refused: .*'], env=env)

# an unmodified program ends with its own words, and ours before
status, out = run(['dpdk-testpmd'] + eal('c', extra=['--vdev=net_null0', '--mbuf-pool-ops-name='
                                                     'pagepool']) + ['--', '--total-num-mbufs=2000'],
                  30, environment(PAGEPOOL_POLICY='mutex'))
check(status == 1 and 'PAGEPOOL: pool mb_pool_0: policy: "mutex"' in out, '%d %s' % (status, out))

# threads that EAL does not know are served from the caches
for policy in ('auto', 'trylock'):
    args = eal('t', memory=64, lcores='0@%d' % CPUS[0])
    p = Program([API] + args + ['--', 'threads'], environment(PAGEPOOL_POLICY=policy))
    p.wait_for('done')
    info = telemetry(_prefixes[-1], '/pagepool/info,threads')
    # trylock: a thread that meets a preempted holder goes past the cache, on one CPU for a time slice
    most = 160000 // (20 if info['policy'] == 'rseq' else 2)
    check(info['fallbacks'] + info['refills'] + info['flushes'] < most,
          'of 160000 calls %d went past the caches: %s' %
          (info['fallbacks'] + info['refills'] + info['flushes'], info))
    check(len(info['cached_by_core']) >= 1 and info['out'] == 0, str(info))
    say('ok: threads, %s: of 160000 calls %d fell back, %d refilled, %d flushed' %
        (info['policy'], info['fallbacks'], info['refills'], info['flushes']))
    p.tell('')
    check(p.finish() == 0, p.log)

# which lcore has what, and since when
p = Program([API] + eal('h', memory=64, lcores='0@%d' % CPUS[0]) + ['--', 'holders'])
first = re.search(r'first (0x[0-9a-f]+)', p.wait_for('done')).group(1)
time.sleep(0.3)
held = telemetry(_prefixes[-1], '/pagepool/holders,holders')
check(held['out_by_lcore'] == {'0': 5, 'none': 3}, str(held))
check(all(250 < ms < 60000 for ms in held['longest_ms_by_lcore'].values()), str(held))
check(sorted(text.split()[2] for text in held['oldest']) == ['0'] * 5 + ['none'] * 3 and re.search(first + r' lcore 0 \d+ ms', ' '.join(held['oldest'])), str(held))
for name in ('', 'plain', 'holders,1'):
    answer = telemetry(_prefixes[-1], '/pagepool/holders,' + name)
    check(answer is None, '/pagepool/holders,%s: %s' % (name, answer))
p.tell('')
check(p.finish() == 0 and re.search(r'freed before: by lcore 0, \d+ ms ago', p.log), p.log)
say('ok: holders: %s' % held['out_by_lcore'])
