#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""make.py bash|zsh PROGRAM OUT - the completion of PROGRAM's options, from its --help

--help is printed from the option table, so that the two cannot differ.
"""
import os
import re
import subprocess
import sys

OPTION = re.compile(r'^ {1,8}((?:-\w, )?--[a-z][-a-z0-9]*(?:, --?[a-z][-a-z0-9]*)*)(?: (\S+))?(?:  +(.*))?$')


def options(program):
    """(names, value or None, help) of each option"""
    text = subprocess.run([program, '--help'], stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = text.split('\n')
    found = []
    for i, line in enumerate(lines):
        m = OPTION.match(line)
        if m:
            help_text = m.group(3) or (lines[i + 1].strip() if i + 1 < len(lines) else '')
            found.append((m.group(1).split(', '), m.group(2), help_text))
    if not found:
        sys.exit('make.py: %s --help shows no options' % program)
    return found


def bash(name, table):
    files = [n for names, value, _ in table for n in names if value in ('FILE', 'SOCKET')]
    values = [n for names, value, _ in table for n in names if value and n not in files]
    every = [n for names, _, _ in table for n in names]
    case = ''
    if files:
        case += '\t%s) COMPREPLY=($(compgen -f -- "$cur")) ;;\n' % '|'.join(files)
    if values:
        case += '\t%s) COMPREPLY=() ;;\n' % '|'.join(values)
    return ('# bash completion of %s\n_%s() {\n\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n'
            '\tcase ${COMP_WORDS[COMP_CWORD - 1]} in\n%s'
            '\t*) COMPREPLY=($(compgen -W "%s" -- "$cur")) ;;\n\tesac\n}\ncomplete -o default -F _%s %s\n'
            % (name, name, case, ' '.join(every), name, name))


def zsh(name, table):
    out = ['#compdef %s' % name, '_arguments \\']
    for names, value, text in table:
        text = re.sub(r"[][:']", ' ', text).strip()
        action = ':%s:%s' % (value, '_files' if value in ('FILE', 'SOCKET') else '') if value else ''
        out += ["\t'%s[%s]%s' \\" % (n, text, action) for n in names]
    return '\n'.join(out) + "\n\t'*:argument:_files'\n"


shell, path, target = sys.argv[1:]
with open(target, 'w') as f:
    f.write({'bash': bash, 'zsh': zsh}[shell](os.path.basename(path), options(path)))
