#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""floors.py - the graph of rooms and floors, read from the sources

  floors.py [--top DIR]            print rooms, floors, arrows and circles of files
  floors.py [--top DIR] --check    print a line for each offence, exit status 1 if there is any
  floors.py [--top DIR] --prune    remove from test/floors.known what it need not hold any more
  floors.py [--top DIR] --objects BUILD
                                   compare the calls found in the sources with those that nm finds in
                                   the objects of the build directory BUILD

A room is a folder, with what lies below it. FLOORS has them from the bottom up. A file uses an
identifier if it names a function, a variable or a macro that another file defines, or if it includes
that file. A file may use its own room and the rooms on lower floors. A circle is a set of files that
use each other in turn, where NAME.c and NAME.h of one folder count as one file.

test/floors.known holds offences that are still allowed: "up ROOM IDENTIFIER UNTIL-WHEN" for a room that
uses a higher one, and "circle FOLDER N" for N files in circles. An offence that it does not hold
fails the check. So does an entry without its offence.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

# From the bottom up: the rooms of a floor. A room is named by its folder; the longest name that fits
# a path decides.
FLOORS = [
    ['lib/base'],
    ['lib/stock'],
    ['lib/depot', 'lib/zone'],
    ['lib/pool', 'lib/packet'],
    ['lib/control', 'drivers/netdev', 'drivers/xsk'],
    ['drivers', 'drivers/dpdk_mempool'],
    ['examples'],
]
# Public headers lie in one folder and belong to the rooms that keep their promises.
PUBLIC = {
    'lib/include/pagepool': {
        'control.h': 'lib/control', 'depot.h': 'lib/depot', 'error.h': 'lib/base', 'fault.h': 'lib/base',
        'memory.h': 'lib/zone', 'packet.h': 'lib/packet', 'page.h': 'lib/base', 'page_pool.h': 'lib/pool', 'policy.h': 'lib/stock', 'rx_meta.h': 'lib/packet', 'share.h': 'lib/zone',
        'stats.h': 'lib/base',
        'version.h': 'lib/base', 'zone.h': 'lib/zone', 'zone_set.h': 'lib/zone',
    },
    'drivers/include/pagepool': {
        'netdev.h': 'drivers/netdev', 'xsk.h': 'drivers/xsk',
    },
}
HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
KNOWN = 'test/floors.known'
IDENTIFIER = re.compile(r'(?<![\w.])(?<!->)(?<!struct )[A-Za-z_]\w*')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def room_of(path):
    folder, name = os.path.split(path)
    if folder in PUBLIC:
        return PUBLIC[folder].get(name)
    while folder and folder not in HEIGHT:
        folder = os.path.dirname(folder)
    return folder or None


def scope_of(path):
    """programs are apart from each other: names of one mean nothing in another"""
    parts = path.split('/')
    return '/'.join(parts[:2]) if parts[0] == 'examples' and len(parts) > 2 else parts[0]


def without_comments(text):
    def blank(match):
        word = match.group(0)
        return word if word[0] in '"\'' else ' ' + '\n' * word.count('\n')
    return COMMENT.sub(blank, text)


class File:
    """what a file includes, defines and names"""

    def __init__(self, path, text):
        self.path = path
        self.room = room_of(path)
        self.defines = set()   # functions, variables and macros that other files may use
        self.declares = set()  # those that a prototype or extern promises
        self.own = set()       # what no other file sees
        self.names = set()     # all identifiers of bodies, initialisers and macros
        self.pastes = set()    # the beginnings of identifiers that a macro makes with ##
        text = without_comments(text)
        self.includes = re.findall(r'^[ \t]*#[ \t]*include[ \t]+([<"][^>"]+)', text, re.M)
        text = COMMENT.sub('""', text.replace('\\\n', ' '))
        text = re.sub(r'^[ \t]*extern[ \t]*""[ \t]*\{', '', text, flags=re.M)
        for name, body in re.findall(r'^[ \t]*#[ \t]*define[ \t]+(\w+)(.*)$', text, re.M):
            if path.endswith('.h'):
                self.defines.add(name)
            else:
                self.own.add(name)
            self.names.update(IDENTIFIER.findall(body))
            self.pastes.update(re.findall(r'(\w+)[ \t]*##', body))
        text = re.sub(r'^[ \t]*#.*$', '', text, flags=re.M)
        for chunk in self.chunks(text):
            self.declaration(chunk)
        self.names -= self.own

    @staticmethod
    def chunks(text):
        """the declarations of the top level, each with its body"""
        depth = start = 0
        for at, char in enumerate(text):
            if char == '{':
                depth += 1
            elif char == '}':
                depth = max(depth - 1, 0)  # 0: the end of extern "C"
                head = text[start:text.find('{', start)]
                if depth == 0 and '=' not in head and head.rstrip().endswith(')'):
                    yield text[start:at + 1]
                    start = at + 1
            elif char == ';' and depth == 0:
                yield text[start:at + 1]
                start = at + 1

    def declaration(self, chunk):
        head, brace, _ = chunk.partition('{')
        head = re.sub(r'__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)', ' ', head)
        static = re.search(r'\bstatic\b', head) and self.path.endswith('.c')
        function = None
        if '=' not in head and '(' in head:
            function = re.search(r'(\w+)\s*\(', head)
            # static_assert(...) and macros that stand for a definition
            if not brace or not re.search(r'\w[\s*]+\w+\s*\(', head):
                function = None
            if function:
                (self.own if static else self.defines).add(function.group(1))
            elif not brace and re.match(r'\s*(static_assert|_Static_assert|[A-Z_]+)\s*\(', head):
                self.names.update(IDENTIFIER.findall(chunk))
                return
            if not function and not brace:
                self.prototype(head)
                return
        elif re.search(r'\bextern\b', head):
            self.declares.update(re.findall(r'(\w+)\s*(?:\[[^\]]*\]\s*)*;', head))
        elif not re.search(r'\btypedef\b', head):
            self.variable(head, chunk, static)
        if brace and (function or '=' in chunk):
            self.names.update(IDENTIFIER.findall(chunk))
        elif '=' in head:
            self.names.update(IDENTIFIER.findall(head))

    def prototype(self, head):
        name = re.search(r'\w[\s*]+(\w+)\s*\(', head)
        if name:
            self.declares.add(name.group(1))

    def variable(self, head, chunk, static):
        left = head.partition('=')[0]
        if '=' not in head and '{' in chunk:
            left = chunk[chunk.rfind('}') + 1:]  # struct { ... } name;
        name = re.search(r'(\w+)\s*(\[[^\]]*\]\s*)*;?\s*$', left)
        if not name or '{' not in chunk and not re.search(r'\w[\s*]+\w+\s*(\[[^\]]*\]\s*)*;?\s*$', left):
            return
        if re.match(r'\s*(struct|union|enum)\s+\w+\s*;?\s*$', left):
            return  # only a type is named
        (self.own if static else self.defines).add(name.group(1))


class Tree:
    def __init__(self, top):
        self.top = top
        self.files = {}
        for path in self.list():
            with open(os.path.join(top, path), errors='replace') as f:
                self.files[path] = File(path, f.read())
        self.uses = collections.defaultdict(lambda: collections.defaultdict(set))
        self.find_uses()

    def list(self):
        for base in ('lib', 'drivers', 'examples'):
            for folder, _, names in sorted(os.walk(os.path.join(self.top, base))):
                for name in sorted(names):
                    path = os.path.relpath(os.path.join(folder, name), self.top)
                    if re.search(r'\.[ch]$', name) and not name.endswith('.bpf.c'):
                        yield path

    def included(self, user, include):
        name = include[1:]
        if include[0] == '<':
            places = list(PUBLIC) if name.startswith('pagepool/') else []
            places = [os.path.dirname(p) for p in places]
        else:
            parts = user.split('/')
            places = [os.path.dirname(user)] + ['/'.join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]
            places.append('lib')
        found = [os.path.normpath(os.path.join(p, name)) for p in places]
        found = [p for p in found if p in self.files]
        # one of several headers of that name, which meson chooses
        return found[:1] or [p for p in self.files if os.path.basename(p) == name]

    def reach(self):
        """for each file the files that it includes, directly or not"""
        direct = {path: {t for i in f.includes for t in self.included(path, i)} for path, f in self.files.items()}
        for path, targets in direct.items():
            for target in targets:
                self.uses[path][target].add('#include')
        reach = {}
        for path in self.files:
            seen, todo = {path}, [path]
            while todo:
                more = direct[todo.pop()] - seen
                seen |= more
                todo += more
            reach[path] = seen
        # a template sees what the files see that include it
        for path in self.files:
            if path.endswith('_impl.h'):
                reach[path] = set().union(*(r for r in reach.values() if path in r))
        return reach

    def find_uses(self):
        defined, declared = collections.defaultdict(set), collections.defaultdict(set)
        for path, file in self.files.items():
            for name in file.defines:
                defined[name].add(path)
            for name in file.declares:
                declared[name].add(path)
        reach = self.reach()
        for path, file in self.files.items():
            for name in file.names:
                if path in defined.get(name, ()):
                    continue
                promised = declared.get(name, set()) & reach[path]
                for target in defined.get(name, ()):
                    near = scope_of(target) in (scope_of(path), 'lib', 'drivers', 'examples/common')
                    if target in reach[path] or promised and near and target.endswith('.c'):
                        self.uses[path][target].add(name)
            self.uses[path].pop(path, None)

    def upward(self):
        """(room of the user, identifier) -> list of (user, target)"""
        found = collections.defaultdict(list)
        for user, targets in self.uses.items():
            for target, names in targets.items():
                low, high = self.files[user].room, self.files[target].room
                if low == high or low is None or high is None or HEIGHT[high] < HEIGHT[low]:
                    continue
                for name in names:
                    key = target if name == '#include' else name
                    found[low, key].append((user, target))
        return found

    def arrows(self):
        found = collections.defaultdict(int)
        for user, targets in self.uses.items():
            for target, names in targets.items():
                rooms = self.files[user].room, self.files[target].room
                if rooms[0] != rooms[1] and None not in rooms:
                    found[rooms] += len(names)
        return found

    def circles(self, folder):
        edges = collections.defaultdict(set)
        for user, targets in self.uses.items():
            for target in targets:
                a, b = unit(user), unit(target)
                if a != b and user.startswith(folder + '/') and target.startswith(folder + '/'):
                    edges[a].add(b)
        return [sorted(c) for c in components(edges) if len(c) > 1]

    def homeless(self):
        return [p for p, f in self.files.items() if f.room is None]


def unit(path):
    return path[:-2]


def components(edges):
    """Tarjan's strongly connected components, without recursion"""
    index, low, on, stack, result = {}, {}, set(), [], []
    for root in sorted(edges):
        if root in index:
            continue
        work = [(root, iter(sorted(edges[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on.add(target)
                    work.append((target, iter(sorted(edges.get(target, ())))))
                    break
                if target in on:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = set()
                    while True:
                        member = stack.pop()
                        on.discard(member)
                        component.add(member)
                        if member == node:
                            break
                    result.append(component)
    return result


def read_known(top):
    path = os.path.join(top, KNOWN)
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [line.split(None, 3) for line in f if line.strip() and not line.startswith('#')]


def check(tree):
    known = read_known(tree.top)
    allowed = {(k[1], k[2]) for k in known if k[0] == 'up'}
    found = tree.upward()
    findings = ['%s: has no room in FLOORS of test/floors.py' % p for p in tree.homeless()]
    for (room, name), places in sorted(found.items()):
        if (room, name) not in allowed:
            for user, target in sorted(places):
                said = 'includes ' + target if name == target else 'uses %s of %s' % (name, target)
                findings.append('%s: %s: an arrow up' % (user, said))
    for room, name in sorted(allowed - set(found)):
        findings.append('%s: %s %s is not needed any more; python3 test/floors.py --prune' % (KNOWN, room, name))
    limits = {k[1]: int(k[2]) for k in known if k[0] == 'circle'}
    for folder in ('lib', 'drivers', 'examples'):
        circles = tree.circles(folder)
        n = sum(len(c) for c in circles)
        if n > limits.get(folder, 0):
            findings.append('%s/: %d files in circles, %d are allowed: %s' % (
                folder, n, limits.get(folder, 0), '; '.join(' '.join(c) for c in circles)))
        elif folder in limits and not n:
            findings.append('%s: circle %s is not needed any more; python3 test/floors.py --prune' % (KNOWN, folder))
    return findings


def prune(tree):
    found = tree.upward()
    path = os.path.join(tree.top, KNOWN)
    with open(path) as f:
        lines = f.readlines()
    with open(path, 'w') as f:
        for line in lines:
            words = line.split(None, 3)
            if words[:1] == ['up'] and (words[1], words[2]) not in found:
                continue
            if words[:1] == ['circle']:
                n = sum(len(c) for c in tree.circles(words[1]))
                n = min(n, int(words[2]))
                if not n:
                    continue
                line = 'circle %s %d\n' % (words[1], n)
            f.write(line)


def show(tree):
    arrows, up = tree.arrows(), tree.upward()
    rooms = [r for floor in FLOORS for r in floor if any(f.room == r for f in tree.files.values())]
    for height in reversed(range(len(FLOORS))):
        for room in FLOORS[height]:
            files = [f for f in tree.files.values() if f.room == room]
            if not files:
                continue
            below = sorted((b for a, b in arrows if a == room and HEIGHT[b] < HEIGHT[room]),
                           key=lambda r: -HEIGHT[r])
            print('%d %-22s %3d files -> %s' % (height + 1, room, len(files), ', '.join(below) or 'libc'))
    print('%d rooms on %d floors' % (len(rooms), len({HEIGHT[r] for r in rooms})))
    for (room, name), places in sorted(up.items()):
        print('up: %s uses %s (%s)' % (room, name, ', '.join('%s of %s' % p for p in sorted(places))))
    print('%d arrows up, %d identifiers and includes' % (
        len({(r, tree.files[p[0][1]].room) for (r, _), p in up.items()}), len(up)))
    for folder in ('lib', 'drivers', 'examples'):
        circles = tree.circles(folder)
        for circle in circles:
            print('circle of %d in %s/: %s' % (len(circle), folder, ' '.join(circle)))
        print('%s/: %d circles of files, %d files in them' % (folder, len(circles), sum(map(len, circles))))


def compare(tree, build):
    """calls that nm sees between objects and that the sources did not show"""
    with open(os.path.join(build, 'compile_commands.json')) as f:
        commands = json.load(f)
    defined, wanted = {}, collections.defaultdict(set)
    for command in commands:
        source = os.path.normpath(os.path.join(command['directory'], command['file']))
        source = os.path.relpath(source, os.path.abspath(tree.top))
        if source not in tree.files or not source.startswith(('lib/', 'drivers/')):
            continue
        output = os.path.join(command['directory'], command['output'])
        nm = subprocess.run(['nm', output], stdout=subprocess.PIPE, text=True, check=True).stdout
        for line in nm.split('\n'):
            words = line.split()
            if len(words) == 2 and words[0] == 'U':
                wanted[source].add(words[1])
            elif len(words) == 3 and words[1] in 'TDBRVW':
                defined[words[2]] = source
    pastes = tuple({p for f in tree.files.values() for p in f.pastes})
    n, missed = 0, []
    for source, names in sorted(wanted.items()):
        # what a header's inline function or macro calls, the headers below it call
        seen = set(tree.uses[source])
        todo = [p for p in seen if p.endswith('.h')]
        while todo:
            for target in tree.uses[todo.pop()]:
                if target not in seen:
                    seen.add(target)
                    if target.endswith('.h'):
                        todo.append(target)
        for name in sorted(names):
            if name in defined and defined[name] != source:
                if name not in tree.files[defined[name]].defines or name.startswith(pastes):
                    continue  # a macro makes the name
                n += 1
                if defined[name] not in seen:
                    missed.append('%s: calls %s of %s' % (source, name, defined[name]))
    print('\n'.join(missed + ['%d calls between objects, %d not found in the sources' % (n, len(missed))]))
    return 1 if missed or not n else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--top', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--prune', action='store_true')
    parser.add_argument('--objects')
    args = parser.parse_args()
    tree = Tree(os.path.normpath(args.top))
    if args.check:
        findings = check(tree)
        print('\n'.join(findings), end='\n' if findings else '')
        return 1 if findings else 0
    if args.prune:
        return prune(tree)
    if args.objects:
        return compare(tree, args.objects)
    return show(tree)


sys.exit(main())
