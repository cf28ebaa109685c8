# SPDX-License-Identifier: BSD-3-Clause
"""common_test.py - what the programs share, by common.c

usage: common_test.py COMMON
"""
import json
import math
import subprocess
import sys

COMMON = sys.argv[1]
checks = failed = 0


def ok(what, good, more=''):
    global checks, failed
    checks += 1
    if not good:
        failed += 1
        print('FAIL: %s %s' % (what, more), flush=True)


def run(*args):
    p = subprocess.run([COMMON, *args], capture_output=True, timeout=30)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def read(*args):
    """what was read, by name; the command line must be right"""
    rc, out, err = run('options', *args)
    ok(' '.join(args), rc == 0 and not err, (rc, out, err))
    return dict(w.split('=', 1) for line in out.split('\n')
                for w in (line.split(' ') if 'list=' not in line and 'line=' not in line else [])
                if '=' in w), out


def wrong(word, *args):
    rc, out, err = run('options', *args)
    ok('%s is refused' % list(args), rc == 2 and not out and err.startswith('common: ') and
       err.count('\n') == 1 and word in err, (rc, out, err))


def case_options():
    v, out = read()
    ok('nothing', v['flag'] == '0' and v['bits'] == '0' and 'operand=-' in out)
    v, out = read('--flag', '--bit', '--small', '7', '--large', str(2**64 - 1), '--seconds', '2.5')
    ok('kinds', (v['flag'], v['bits'], v['small'], v['large'], v['seconds']) ==
       ('1', '4', '7', str(2**64 - 1), '2.5'), out)
    ok('given', 'given=11' in out, out)
    v, out = read('-fs', '9', '-t1', 'one', '--bit', '--other-bit')
    ok('letters, operands between', (v['flag'], v['small'], v['seconds'], v['bits']) ==
       ('1', '9', '1', '12') and 'operand=one' in out, out)
    v, out = read('--little=4294967295', '--sec', '10')
    ok('another name, a beginning of one', v['small'] == '4294967295' and v['seconds'] == '10')
    v, out = read('--text', 'a b', '--any', '', '--outside', '0.25', '--word', 'green',
                  '--list', '9,1-3')
    ok('words', 'text=a b any= word=1 outside=0.25 list=9 1 2 3 ' in out, out)
    v, out = read('--hidden', 'x', '--', '--flag')
    ok('after --', 'any=x' in out and 'operand=--flag' in out and v['flag'] == '0', out)
    ok('the line', 'line=options --hidden x -- --flag' in out, out)


def case_wrong():
    wrong('--nonsense: unknown option', '--nonsense')
    wrong('-x: unknown option', '-x')
    wrong('-x: unknown option', '-fxs', '3')
    wrong('-s: a value is missing', '-s')
    wrong('-s: a value is missing', '-fs')
    wrong('--small: a value is missing', '--small')
    wrong('--flag=1: takes no value', '--flag=1')
    wrong('--help=1: takes no value', '--help=1')
    for text in ('', 'x', '-1', '+1', ' 1', '1 ', '0x10', '1.5', '7x'):
        wrong('--small %s: not a number; give 2 to 4294967295' % text, '--small', text)
        wrong('not a number; give 0 to 18446744073709551615', '--large', text)
    for text in ('1', '4294967296', '99999999999999999999999'):
        wrong('--small %s: out of range; give 2 to' % text, '--little', text)
    for text in ('', 'x', '1s', 'nan', 'inf', '-inf'):
        wrong('--seconds %s: not a number; give seconds' % text, '--seconds', text)
    for text in ('0.4', '11', '-1', '1e300'):
        wrong('--seconds %s: out of range; give 0.5 to 10' % text, '--seconds', text)
    wrong('out of range; give 0 to 5', '--outside', '6')
    wrong('--text: the value is empty; give TEXT', '--text', '')
    wrong('--word blue: unknown; give one of red, green', '--word', 'blue')
    for text in ('', ',', '1,', ',1', '1-', '-3', '3-1', '1-2-3', '1;2', 'a', '1,,2'):
        wrong('--list %s: not a list of numbers' % text, '--list', text)
    wrong('out of range; give 1 to 9', '--list', '0')
    wrong('out of range', '--list', '5-10')
    wrong('out of range', '--list', '18446744073709551616')
    wrong('more than 4 numbers', '--list', '1-5')
    wrong('more than 4 numbers', '--list', '1,2,3,4,5')
    wrong('--other-bit: not with common two', '--other-bit', 'two')
    wrong('--large: not with common on, only with two one;', '--large', '1', 'on')
    # one line, whatever is in it, and the first error only
    wrong('--a?b?c: unknown', '--a\nb\033c', '--small', 'x')
    wrong('?', '--word', '\x9b31mred')
    read('--large', '1', 'two')
    read('--large', '1', 'one', '--other-bit')


def case_help():
    rc, out, err = run('options', '--help')
    ok('--help', rc == 0 and not err and out == run('options', '-h')[1])
    lines = out.split('\n')
    ok('usage and tail', lines[0] == 'usage: common options ...' and lines[-2] == 'the end', lines)
    for want in ('  -f, --flag         a flag', '  --bit              a bit',
                 '  -s, --small, --little N', '                     a number',
                 '                     in two lines', '                     a line of its own',
                 '  -t, --seconds S    a time', '  -h, --help         print this text and exit'):
        ok('a line: ' + want, want in lines, out)
    ok('not listed', 'hidden' not in out)
    ok('--version', run('options', '-V')[1].startswith('common '))
    with open('/dev/full', 'w') as full:
        p = subprocess.run([COMMON, 'options', '--help'], stdout=full, timeout=30)
    ok('--help on a full disk', p.returncode == 1)


def case_text():
    """whole, in 7 bytes, in 6 columns, and 6 columns with blanks"""
    for text, *want in (
            (b'abc', 'abc', 'abc', 'abc', 'abc   '), (b'', '', '', '', '      '),
            (b'abcdefghi', 'abcdefghi', 'abcdefg', 'abcdef', 'abcdef'),
            ('éééééééé'.encode(), 'éééééééé', 'ééé', 'éééééé', 'éééééé'),
            ('日本語日'.encode(), '日本語日', '日本', '日本語', '日本語'),
            ('a日本語'.encode(), 'a日本語', 'a日本', 'a日本', 'a日本 '),
            ('😀'.encode(), '😀', '😀', '😀', '😀    '),
            ('a\u202eb\u2066c\u200b'.encode(), 'a?b?c?', 'a?b?c?', 'a?b?c?', 'a?b?c?'),
            (b'\x1b[2J\x9b\n', '?[2J??', '?[2J??', '?[2J??', '?[2J??'),
            ('\x85\u2028e\u0301'.encode(), '??e?', '??e?', '??e?', '??e?  '),
            # no UTF-8: cut off, too long, a surrogate, alone
            (b'a\xc3', 'a?', 'a?', 'a?', 'a?    '), (b'\xc0\xaf', '??', '??', '??', '??    '),
            (b'\xed\xa0\x80', '???', '???', '???', '???   '), (b'\xe6\x97x', '??x', '??x', '??x', '??x   ')):
        rc, out, err = run('text', '6', text)
        ok('text %r' % text, rc == 0 and out == '|'.join(want) + '|\n', (out, want))


def case_json():
    rc, out, _ = run('json')
    o = json.loads(out)
    odd = ''.join(map(chr, range(1, 128))) + 'é€😀'
    ok('odd characters', rc == 0 and o['odd'].startswith(odd) and set(o['odd'][len(odd):]) == {'x'},
       repr(o['odd']))
    ok('values', o['a "key"\\'] == '' and o['most'] == 2**64 - 1 and o['nan'] is None and
       o['inf'] is None and o['yes'] is True and abs(o['pi'] - math.pi) < 1e-8, o)
    ok('shapes', o['empty'] == [] and o['nothing'] == {} and
       o['list'] == [1, {'no': False}, ['last']], o)
    ok('no line has a control character', all(c >= ' ' or c == '\n' for c in out))
    with open('/dev/full', 'w') as full:
        ok('a full disk', subprocess.run([COMMON, 'json'], stdout=full).returncode == 1)


for case in (case_options, case_wrong, case_help, case_text, case_json):
    case()
print('%d checks, %d failed' % (checks, failed))
sys.exit(1 if failed or not checks else 0)
