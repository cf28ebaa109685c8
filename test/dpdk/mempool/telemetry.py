# SPDX-License-Identifier: BSD-3-Clause
"""telemetry.py - /pagepool/... in a running testpmd, with good, unknown and hostile parameters"""
from harness import *

need('dpdk-testpmd', 'stdbuf')
pmd = Testpmd(eal('m', extra=['--vdev=net_null0', '--vdev=net_null1']),
              ['--mbcache=0', '--total-num-mbufs=4000'])
P = pmd.prefix
name = pmd.pools()[0]
check(pmd.pools() == [name], 'list: %s' % pmd.pools())
pmd.ask('start')
pmd.forwarding()
info = pmd.info(name)
check(info['name'] == name and info['size'] == 4000 and info['lcore_cache'] ==
      info['lcore_cache_asked'] == 0, str(info))
ledger(info)
pmd.ask('stop')

# the caches drained, and what was cached is free then
info = pmd.info(name)
check(info['cached'] > 0 and sum(info['cached_by_core'].values()) == info['cached'], str(info))
drained = telemetry(P, '/pagepool/drain,' + name)
check(drained == {'moved': info['cached'], 'result': 'done'}, str(drained))
after = pmd.info(name)
check(after['cached'] == 0 and after['free'] == info['free'] + info['cached'], str(after))
check(after['drains'] > info['drains'] and not after['cached_by_core'], str(after))

# other sizes, while it forwards; the answer says what is in force, after a refusal, too
pmd.ask('start')
for high, batch in ((8, 2), (1, 1), (64, 64), (16, 4)):
    check(telemetry(P, '/pagepool/set,%s,%d,%d' % (name, high, batch)) ==
          {'result': 'done', 'high': high, 'batch': batch}, 'set %d,%d' % (high, batch))
    now = pmd.info(name)
    check(now['high'] == high and now['batch'] == batch, str(now))
for bad, says in (('0,1', 'high'), ('100000,1', 'high'), ('8,9', 'batch'), ('8,0', 'batch')):
    answer = telemetry(P, '/pagepool/set,%s,%s' % (name, bad))
    check(says in answer['result'] and (answer['high'], answer['batch']) == (16, 4),
          'set %s: %s' % (bad, answer))
check(pmd.info(name)['high'] == 16, 'a refused size was taken')

# pools made later: by the rules of their creation
for good, force in (('trylock', ('trylock', 0, 0)), ('trylock,64,8', ('trylock', 64, 8)),
                    ('auto,0,0', ('auto', 0, 0)), ('trylock,1024,0', ('trylock', 1024, 0))):
    answer = telemetry(P, '/pagepool/set,default,' + good)
    check(answer == dict(zip(('result', 'policy', 'high', 'batch'), ('done',) + force)),
          'default,%s: %s' % (good, answer))
for bad, says in (('mutex', 'not known'), ('rcu', 'rcu'), ('spin', 'spin'), ('llist,8,2', 'llist'),
                  ('trylock,99999999,1', 'high: 99999999'), ('trylock,65537,1', 'high: 65537'),
                  ('trylock,8,9', 'batch: 9'), ('auto,1024,513', 'batch: 513')):
    answer = telemetry(P, '/pagepool/set,default,' + bad)
    check(answer and says in answer['result'] and
          (answer['policy'], answer['high'], answer['batch']) == ('trylock', 1024, 0),
          'default,%s: %s' % (bad, answer))
for bad in ('trylock,-1,-1', 'trylock,2,1x', 'trylock,4294967297,1', 'trylock,8', 'trylock,8,', 'trylock,,8',
            'trylock,8,4,2', 'trylock, 8,4', 'trylock,+8,4', 'trylock,0x8,4', 'x' * 40):
    answer = telemetry(P, '/pagepool/set,default,' + bad)
    check(answer is None, 'default,%s: %s' % (bad, answer))
check(telemetry(P, '/pagepool/set,default,auto')['result'] == 'done', 'default,auto')

# names that there are not, of another kind, and nonsense: null, and it goes on
hostile = ['', 'nobody', name + 'x', 'x' * 26, 'x' * 200, ',', ',,,', '%s%n%s', name[:-1], '-1',
           '../../etc/passwd', '\x01\x02', 'default', 'default,', name + ',']
for what in ('info', 'drain', 'set'):
    for text in hostile:
        if text == name + ',' and what != 'set':
            continue
        answer = telemetry(P, '/pagepool/%s,%s' % (what, text))
        check(answer is None, '/pagepool/%s,%s: %s' % (what, text, answer))
for text in ('x,1', '1', '1,', 'a,b', '1 2', '-1,-1', '2,1x', '2,-1', '+2,1', ' 2,1', '2, 1', '2,1,1', '2,1,',
             '4294967298,1', '4294967297,4294967297', '99999999999999999999,1'):
    answer = telemetry(P, '/pagepool/set,%s,%s' % (name, text))
    check(answer is None, '/pagepool/set,%s: %s' % (text, answer))
check(pmd.info(name)['high'] == 16 and pmd.info(name)['batch'] == 4, str(pmd.info(name)))
check(telemetry(P, '/pagepool/list,whatever') == [name], 'list with parameters')
check(telemetry(P, '/pagepool/nothing') is None, '/pagepool/nothing')
check('/pagepool/info' in telemetry(P, '/'), 'help')
pmd.ask('stop')
check(ledger(pmd.info(name)) == 0, 'mbufs are out after stop')

# and the way a user would
status, out = run(['sh', '-c', 'echo /pagepool/info,%s | dpdk-telemetry.py -f %s' % (name, P)], 20)
check(status == 0 and '"ops": "pagepool"' in out, 'dpdk-telemetry.py: ' + out)
pmd.quit()
say('ok')
