# SPDX-License-Identifier: BSD-3-Clause
"""ppbench report: what is on the page, and that it survives what it is made of.

Exit status 0 passed, 1 failed, 77 skipped.
"""
import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SECONDS = 300 # that a quick report may take


def check(condition, what):
    if not condition:
        print('FAILED:', what)
        sys.exit(1)


def run(*words, timeout=SECONDS):
    done = subprocess.run([args.ppbench, *words], capture_output=True, text=True, timeout=timeout)
    print('$ ppbench', *words, '->', done.returncode)
    print(done.stderr, end='')
    return done


def row(policy, kind='prep', bulk=64, median=2.0, **more):
    unit = 'cycles_per_page_'
    return {'policy': policy, 'kind': kind, 'bulk': bulk, unit + 'median': median,
            unit + 'min': median * 0.99, unit + 'max': median * 1.01, **more}


def result(bench, rows, commit='c0ffee', **more):
    return {'bench': bench, 'version': '0', 'command': f'ppbench {bench} --json /x/y --bulk 64',
            'machine': {'cpu': 'Test & <Co>', 'cores': 2, 'kernel': '6', 'compiler': 'cc',
                        'commit': commit, 'tsc_hz': 1000000000},
            'rows': rows, 'notes': [], **more}


def page_of(results, status=0):
    """The page made of results (a dict, or text for a file that is none), by file name."""
    with tempfile.TemporaryDirectory() as tmp:
        for name, content in results.items():
            with open(os.path.join(tmp, name), 'w') as file:
                file.write(content if isinstance(content, str) else json.dumps(content))
        done = run('report', '--from', tmp, '--out', '-')
        check(done.returncode == status, f'exit status {status}')
        return done.stdout


def section(page, name):
    found = re.search(rf'<section id="{name}">.*?</section>', page, re.S)
    check(found, f'a section {name}')
    return found[0]


def test_answers():
    sizes = [row('trylock', bulk=b, median=m) for b, m in ((1, 40.0), (8, 9.0), (64, 2.1), (128, 2.0))]
    sizes += [row('rseq', bulk=b, median=m) for b, m in ((1, 20.0), (8, 5.0), (64, 1.9), (128, 1.9))]
    compare = [row(p, kind, median=m) for kind in ('raw', 'cross') for p, m in
               (('zone trylock', 3.0), ('zone rseq', 2.5), ('locked stack', 7.0),
                ('rte_mempool stack cache 512', 4.0), ('malloc jemalloc', 50.0),
                ('malloc glibc', 90.0))]
    results = {'a.json': result('compare', compare), 'b.json': result('policy', sizes)}
    page = page_of(results)
    summary = section(page, 'summary')
    check('fastest is <b>rseq</b> 1.90' in summary, 'the fastest scheme')
    check(re.search(r'<b>trylock</b> 2\.10, the default, is 1\.11 times that', summary), 'the default')
    cells = re.findall(r'<td>(?:<b>)?([\d.]+)(?:</b>)?<br><span class="soft">([^<]*)', summary)
    check(cells[:4] == [('2.50', 'rseq'), ('4.00', 'stack cache 512'), ('7.00', 'stack'),
                        ('50.0', 'jemalloc')], f'the fastest of each family: {cells}')
    check('<b>2.50</b>' in summary, 'the fastest of all is bold')
    check(page.index('id="policy"') < page.index('id="compare"'), 'in the order of the cases')
    check('Test &amp; &lt;Co&gt;' in page and '<Co>' not in page, 'text is text')
    check('<b>Quiet.</b>' in page, 'repeats 2 % apart are quiet')
    check('ppbench policy --bulk 64</code>' in page, 'the command, without its file')
    data = re.search(r'download="policy.json" href="data:application/json;base64,([^"]*)"', page)
    check(json.loads(base64.b64decode(data[1], validate=True)) == results['b.json'], 'the JSON')

    refill = [row(p, 'null', b, m, **({'knee': 1} if b == knee else {}))
              for p, knee, rates in (('rseq', 1, (90.0, 80.0, 99.0)), ('trylock', 16, (9.0, 95.0, 99.0)))
              for b, m in zip((1, 16, 64), rates)]
    refill += [row('rseq', 'loop', b, 10.0) for b in (1, 16, 64)]
    refill = [{k.replace('cycles_per_page', 'mpps'): v for k, v in r.items()} for r in refill]
    page = page_of({'r.json': result('refill', refill), 'b.json': result('policy', sizes)})
    check(re.search('null: <b>16</b> pages', section(page, 'summary')), "the default policy's knee")
    check(page.index('id="refill"') < page.index('id="summary"') < page.index('id="policy"'),
          'refill first, then the answers')
    first = section(page, 'refill')
    heat = re.search('<h3>Policy against refill.*?</table>', first, re.S)[0]
    check(re.findall(r'<td[^>]*>([^<]*)', heat) ==
          ['rseq', '95', '90', '100', 'trylock', '9', '96', '100'], f'the mean over ports: {heat}')
    check(first.count('class="mark"') == 2 and first.count('ring: the knee') == 1, 'knees')


def test_labels():
    noisy = [dict(row('trylock'), cycles_per_page_max=4.0) for _ in range(3)]
    simulated = [row('trylock', 'scale', 64, 5.0, simulated=True), row('rseq', 'scale', 64, 4.0)]
    page = page_of({'1.json': result('policy', noisy),
                    '2.json': result('scale', simulated, commit='other'),
                    '3.json': result('drain', [{'policy': 'rcu', 'kind': 'refused', 'bulk': 64,
                                                'refused': 'no <membarrier>'}])})
    check('<b>Noisy.</b>' in page, 'repeats 100 % apart are noise')
    check('different machines, kernels or commits' in page, 'two commits are not one')
    scale = section(page, 'scale')
    check(scale.count('>simulated<') == 1 and 'trylock (simulated)' in scale and 'class="sim"' in scale,
          'simulated in table and figure')
    check('rseq (simulated)' not in scale, 'and what was measured is not')
    check('no &lt;membarrier&gt;' in section(page, 'drain'), 'a refusal and its reason')


def test_charts():
    """A figure is well-formed, and has the values of the rows: bars of one bulk, curves of several."""
    rows = [row(p, k, b, m * (1 + b)) for k, m in (('prep', 2.0), ('a & <b>', 300.0))
            for p in ('trylock', 'rseq') for b in ((1, 8, 64) if k == 'prep' else (64,))]
    shown = section(page_of({'a.json': result('policy', rows)}), 'policy')
    points = []
    for figure in re.findall('<svg.*?</svg>', shown, re.S):
        points += [t.text for t in xml.etree.ElementTree.fromstring(figure).iter('title')]
    check(sorted(points) == sorted(f"{r['policy']}, {r['kind']}, {r['bulk']}: "
                                   f"{r['cycles_per_page_median']:g}" for r in rows), f'{points}')
    check(shown.count('<path class="series') == 2 and shown.count('<path class="ours') == 2,
          'two curves, two bars')


def test_damage():
    good = result('policy', [row('trylock')])
    whole = json.dumps(good)
    for name, content, says in (
            ('no JSON', whole[:len(whole) // 2], 'is no JSON object'),
            ('empty', '', 'is no JSON object'), ('a list', '[1]', 'is no JSON object'),
            ('no rows', '{"bench":"drain"}', 'has no rows'),
            ('rows of nothing', '{"bench":"drain","rows":[1,null,[]]}', None),
            ('odd types', '{"bench":7,"rows":[{"policy":1,"kind":[],"bulk":"x","c_median":"y"}],'
                          '"notes":5,"machine":[]}', None)):
        page = page_of({'a.json': good, 'bad.json': content}, 1 if says else 0)
        check('<b>trylock</b> 2.00' in section(page, 'summary') and page.rstrip().endswith('</html>'),
              f'{name}: the page is whole')
        check(not says or says in page, f'{name}: the page says so')
    for value in (0, -5, 1e300, 1e-300):
        page = page_of({'a.json': result('policy', [row('trylock', median=value, bulk=b)
                                                    for b in (1, 2, 3)] + [row('rseq')])})
        drawn = ''.join(re.findall('<svg.*?</svg>', page, re.S))
        check(not re.search(r'\b-?(nan|inf)\b', drawn), f'median {value}')


def test_run():
    """The report itself: every case, in time, and nothing left in /tmp."""
    before = {name for name in os.listdir('/tmp') if name.startswith('ppbench.')}
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, 'report.html')
        done = run('report', '--quick', '--repeat', '1', '--out', out)
        with open(out) as file:
            page = file.read()
        cases = re.findall(r'^  (\w+) +\S', run('--help').stdout.split('options:')[0], re.M)
        check(cases and cases[-1] == 'report', f'cases {cases}')
        failed = re.findall(r'<section id="(\w+)"><h2>\w+</h2>(?:(?!</section>).)*<b>Failed', page, re.S)
        for why in re.findall(r'<b>Failed.*?</p>', page, re.S):
            print(why)
        if len(os.sched_getaffinity(0)) > 1:
            check(done.returncode == 0 and not failed, f'failed: {failed}')
        for case in cases[:-1]:
            more = ' --port all --policy all' if case == 'refill' else ''
            check(f'<code class="cmd">ppbench {case}{more} --quick --repeat 1</code>' in section(page, case),
                  case)
            check(case in failed or '<svg' in section(page, case), f'{case}: a figure')
        browser = subprocess.run([sys.executable, args.browser, out, '--figures', str(len(cases))],
                                 capture_output=True, text=True)
        print(browser.stdout, browser.stderr, sep='', end='')
    now = {name for name in os.listdir('/tmp') if name.startswith('ppbench.')}
    check(not now - before, 'nothing is left behind')
    sys.exit(browser.returncode)


def test_figures():
    """examples/figures.sh: the table is that of the results, and the rest of the page stays."""
    rows = [row('zone trylock', 'raw', median=2.0), row('array', 'raw', median=1.0),
            row('zone trylock', median=4.0), row('rte_pktmbuf ring_mp_mc cache 512', median=30.0),
            row('zone trylock', 'cross', median=9.0), row('rte_mempool ring_mp_mc cache 512', 'cross', median=9.1)]
    with tempfile.TemporaryDirectory() as tmp:
        def script(*words):
            done = subprocess.run(['/bin/sh', args.figures, *words], capture_output=True, text=True,
                                  timeout=60)
            print('$ figures.sh', *words, '->', done.returncode, done.stderr)
            return done

        table, results = os.path.join(tmp, 'figures.md'), os.path.join(tmp, 'results')
        build = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(args.ppbench))))
        words = ['--build', build, '--from', results, '--out', os.path.join(tmp, 'out'),
                 '--table', table]
        os.mkdir(results)
        with open(os.path.join(results, 'compare.json'), 'w') as file:
            json.dump(result('compare', rows), file)
        with open(os.path.join(results, 'peers.txt'), 'w') as file:
            file.write('null,io          ppfwd   30.000 (29.000 .. 31.000)   '
                       'testpmd   20.000 (19.000 .. 21.000)   ratio 1.50\n')
        with open(table, 'w') as file:
            file.write('no marks\n')
        done = script(*words)
        check(done.returncode == 1 and done.stderr.count('\n') == 1, 'no place for the table')
        with open(table, 'w') as file:
            file.write('above\n<!-- figures -->\nold\n<!-- /figures -->\n![x](figures/old/x.svg)\n')
        for _ in range(2):
            check(script(*words).returncode == 0, 'a table')
            with open(table) as file:
                text = file.read()
            check(text.startswith('above\n<!-- figures -->\nTest & <Co>, 2 CPUs') and
                  text.endswith('<!-- /figures -->\n![x](figures/results/x.svg)\n') and 'old' not in text,
                  'in its place, and the picture is of these results')
            check('array: 1 (0.99 .. 1.01) | 0.50 |' in text, 'slower than an array')
            check('ring_mp_mc cache 512: 30 (29.7 .. 30.3) | 7.50 |' in text, 'better than mbufs')
            check('dpdk-testpmd: 20 (19 .. 21) | 1.50 |' in text, 'peers')
            check('9.1 (9.01 .. 9.19) | 1.01, ranges overlap |' in text, 'as good as the other')
            check('glibc' not in text, 'what was not measured is not there')
        check(os.path.exists(os.path.join(tmp, 'out', 'report.html')), 'the page')
        check(script('--build', build, '--from', results).returncode == 0, 'a machine of its own')
        with open(os.path.join(results, 'README.md')) as file:
            text = file.read()
        check(text.startswith('# Figures of results\n') and 'array: 1 (' in text, 'its own table')
        os.unlink(os.path.join(results, 'peers.txt'))
        with open(os.path.join(results, 'compare.json'), 'w') as file:
            json.dump(result('compare', []), file)
        done = script(*words)
        check(done.returncode == 1 and done.stderr.count('\n') == 1, 'no figures, no table')
        for wrong in ['--nonsense'], ['--out']:
            check(script(*wrong).returncode == 2, f'{wrong}: usage')


def test_failures():
    """A case that fails is a line of the page, and the others are there."""
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, 'report.html')
        first = str(min(os.sched_getaffinity(0)))
        done = run('report', '--quick', '--repeat', '1', '--cores', first, '--policy', 'trylock',
                   '--bulk', '64', '--out', out)
        check(done.returncode == 1 and done.stderr.count('\n') == 1, 'one line says so')
        with open(out) as file:
            page = file.read()
        check(re.search(r'Failed\.</b> ppbench: cross needs 2 different CPUs', section(page, 'cross')),
              'its own words')
        check('<svg' in section(page, 'policy'), 'and policy has figures')
        check('cases gave no figures' in page, 'the top says so')
    for words, status, says in (
            (['report'], 2, '--out'), (['report', '--out'], 2, 'value'),
            (['report', '--out', '/nonexistent/x.html'], 1, "'/nonexistent/x.html'"),
            (['report', '--from', '/nonexistent', '--out', '-'], 1, 'No such file'),
            (['report', '--json', '-', '--out', '-'], 2, 'no --json'),
            (['policy', '--out', 'x.html'], 2, '--out: not with ppbench policy'),
            (['policy', '--from', 'x'], 2, '--from: not with ppbench policy')):
        done = run(*words)
        check(done.returncode == status and done.stderr.count('\n') == 1, f'status {status}')
        check(says in done.stderr and done.stdout == '', f'it says {says}')
    with tempfile.TemporaryDirectory() as tmp:
        check(run('report', '--from', tmp, '--out', '-').returncode == 1, 'an empty directory')
        with open(os.path.join(tmp, 'a.json'), 'w') as file:
            json.dump(result('policy', [row('trylock')]), file)
        done = run('report', '--from', tmp, '--out', '/dev/full')
        check(done.returncode == 1 and done.stderr.count('\n') == 1, 'a full disk')


parser = argparse.ArgumentParser()
parser.add_argument('--ppbench')
parser.add_argument('--browser')
parser.add_argument('--figures')
parser.add_argument('test')
args = parser.parse_args()
globals()['test_' + args.test]()
print('passed')
