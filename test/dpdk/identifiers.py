#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""identifiers.py - every identifier of DPDK that our sources use, and the releases that have it

    identifiers.py PLUGIN                   compare the sources, and the symbols that the plugin lacks, with
                                            identifiers.txt; and the table with the installed headers
    identifiers.py PLUGIN --update GITDIR   write identifiers.txt again, from the tags of a clone of DPDK

CI compiles against one release. A line of identifiers.txt is "NAME all", or "NAME FIRST..LAST OTHER",
where the code takes OTHER in the releases without NAME. "symbol NAME" is one that the libraries export.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = os.path.join(TOP, 'test', 'dpdk', 'identifiers.txt')
FOLDERS = ('drivers/dpdk', 'drivers/dpdk_mempool')
WORD = re.compile(r'\b(?:rte|RTE|per_lcore__rte|lcore_id)_\w+')
RELEASES = ('22.11', '23.03', '23.07', '23.11', '24.03', '24.07', '24.11', '25.03', '25.07', '25.11',
            '26.03', '26.07')
INSTEAD = {'rte_tel_data_add_dict_uint': 'rte_tel_data_add_dict_u64',
           'rte_tel_data_add_dict_u64': 'rte_tel_data_add_dict_uint'}
OURS = {'rte_mempool_pagepool'} # the file's own name
# written by DPDK's build, or found in its sources outside the headers
WHERE = ['lib/*.h', 'lib/*/meson.build', 'drivers/bus/*.h', 'config/*']


def used():
    """identifiers and headers in our sources, without comments"""
    found = set()
    for folder in FOLDERS:
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if not name.endswith(('.c', '.h')):
                continue
            with open(os.path.join(TOP, folder, name)) as f:
                text = re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
            found |= {h for h in re.findall(r'#include <(rte_\w+\.h)>', text)}
            found |= set(WORD.findall(re.sub(r'#include.*', '', text)))
    return {n for n in found if n.rstrip('.h') not in OURS and n not in OURS}


def in_release(git, release):
    """all words of a release's headers, and the headers"""
    text = subprocess.run(['git', '-C', git, 'grep', '-ohE', r'\w+', 'v' + release, '--'] + WHERE,
                          capture_output=True, text=True, check=True).stdout
    files = subprocess.run(['git', '-C', git, 'ls-tree', '-r', '--name-only', 'v' + release],
                           capture_output=True, text=True, check=True).stdout
    return set(text.split()) | {os.path.basename(f) for f in files.split()} | {'rte_build_config.h'}


def exported(git, release):
    """symbols of a release's libraries: from their maps, or from marks in the sources"""
    def grep(pattern, *where):
        return subprocess.run(['git', '-C', git, 'grep', '-ohE', pattern, 'v' + release, '--'] + list(where),
                              capture_output=True, text=True, check=False).stdout
    return set(grep(r'\w+', 'lib/*/version.map').split()) | \
        set(re.findall(r'\((\w+)', grep(r'RTE_EXPORT_\w+\(\w+', 'lib/*.c')))


def symbols(plugin):
    """what the plugin takes from DPDK when it is loaded"""
    text = subprocess.run(['nm', '-D', '--undefined-only', plugin], capture_output=True, text=True,
                          check=True).stdout
    return {name for name in re.findall(r'\b[Uw] (\w+)', text) if 'rte_' in name or 'lcore' in name}


def update(git, plugin):
    names = sorted(used() | set(INSTEAD) | {'symbol ' + name for name in symbols(plugin)})
    words = {r: in_release(git, r) | {'symbol ' + name for name in exported(git, r)} for r in RELEASES}
    with open(TABLE, 'w') as f:
        f.write('# %s of DPDK, by test/dpdk/identifiers.py --update\n' % ' '.join(RELEASES))
        for name in names:
            have = [r for r in RELEASES if name in words[r] or
                    (name.startswith('RTE_LOG_') and name in words[r])]
            if len(have) == len(RELEASES):
                f.write('%s all\n' % name)
            else:
                f.write('%s %s %s\n' % (name, '%s..%s' % (have[0], have[-1]) if have else 'none',
                                        INSTEAD.get(name, '-')))


def check(plugin):
    errors = []
    with open(TABLE) as f:
        table = {name: rest.split() for name, rest in
                 re.findall(r'^((?:symbol )?\w\S*) (.*)', f.read(), re.M)}
    names = used() | {'symbol ' + name for name in symbols(plugin)}
    for name in sorted(names - set(table)):
        errors.append('%s is not in the table; find the releases that have it: --update' % name)
    for name in sorted(set(table) - names):
        errors.append('%s is in the table, and no source uses it' % name)
    for name, releases in sorted(table.items()):
        if releases != ['all'] and releases[1] not in table:
            errors.append('%s: %s only, and nothing to take instead' % (name, releases[0]))
    flags = subprocess.run(['pkg-config', '--cflags-only-I', 'libdpdk'], capture_output=True, text=True)
    folders = [w[2:] for w in flags.stdout.split()] or ['/usr/include/dpdk']
    headers = [os.path.join(d, f) for top in folders for d, _, files in os.walk(top) for f in files
               if f.endswith('.h')]
    words = {os.path.basename(f) for f in headers}
    for f in headers:
        words |= set(re.findall(r'\w+', open(f, errors='replace').read()))
    for name in sorted(n for n in table if n not in words and table[n] == ['all'] and
                       not n.startswith('symbol ')):
        errors.append('%s is not in the installed headers' % name)
    for line in errors:
        print('identifiers: ' + line)
    print('identifiers: %d of DPDK, releases %s to %s' % (len(table), RELEASES[0], RELEASES[-1]))
    return 1 if errors else 0


if len(sys.argv) == 4 and sys.argv[2] == '--update':
    update(sys.argv[3], sys.argv[1])
sys.exit(check(sys.argv[1]))
