#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""site.py - the guides and the reference as one site of static pages

  site.py [--man DIR] --out DIR     write it; DIR of --man has the pages of section 3, made by man3.py
  site.py --check DIR               each link of the site leads somewhere

The guides are the .md files of the tree, in its folders, by markdown-it. The reference is the manual, by
mandoc: section 3 is made from the comments of the public headers. A name of a call in a guide is a
link to its page. Needs Debian's python3-markdown-it and mandoc.
"""
import argparse
import glob
import html
import html.parser
import os
import posixpath
import re
import shutil
import subprocess
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PAGES = ['*.md', 'lib/README.md', 'doc/*.md']
MAN1 = ['examples/ppfwd/ppfwd.1', 'examples/ppbench/ppbench.1', 'examples/ppstat/ppstat.1']
MENU = [('README.md', 'pagepool'), ('doc/README.md', 'Guides'), ('man/pagepool.3', 'Reference'),
        ('man/ppfwd.1', 'ppfwd'), ('man/ppbench.1', 'ppbench'), ('man/ppstat.1', 'ppstat'),
        ('doc/figures.md', 'Figures'), ('doc/glossary.md', 'Glossary'), ('CHANGELOG.md', 'Changes')]
FRAME = '''<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%s</title><link rel="stylesheet" href="%sstyle.css"></head>
<body><nav>%s</nav><main class="%s">
%s
</main></body></html>
'''


def read(path):
    with open(path, encoding='utf-8') as f:
        return f.read()


def target(path):
    """where a file of the tree is in the site"""
    if path == 'README.md':
        return 'index.html'
    if path.endswith('.md'):
        return path[:-3] + '.html'
    return path if path.endswith('.svg') else path + '.html'


def slug(text, seen):
    """the anchor of a heading, as GitHub makes it"""
    name = re.sub(r'[^\w\- ]', '', text.lower()).replace(' ', '-')
    n = seen[name] = seen.get(name, -1) + 1
    return '%s-%d' % (name, n) if n else name


class Site:
    def __init__(self, out, man):
        from markdown_it import MarkdownIt
        self.out, self.markdown = out, MarkdownIt('commonmark', {'html': True}).enable('table')
        self.man = {os.path.basename(p): p for p in [os.path.join(TOP, p) for p in MAN1] +
                    (sorted(glob.glob(os.path.join(man, '*.3'))) if man else [])}
        self.files = set()

    def write(self, path, title, body, kind):
        up = '../' * path.count('/')
        menu = ''.join('<a href="%s%s">%s</a>' % (up, target(page), name) for page, name in MENU
                       if not page.startswith('man/') or page[4:] in self.man)
        path = os.path.join(self.out, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(FRAME % (html.escape(title), up, menu, kind, body))

    def link(self, page, href):
        """of a guide: to another guide, a figure, or a file of the tree, which gets a page"""
        if re.match(r'\w+:', href) or href.startswith('#'):
            return href
        path, _, anchor = href.partition('#')
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        if os.path.isfile(os.path.join(TOP, path)):
            self.files.add(path)
            path = target(path)
        return posixpath.relpath(path, posixpath.dirname(page) or '.') + (anchor and '#' + anchor)

    def guide(self, page):
        tokens, seen, title = self.markdown.parse(read(os.path.join(TOP, page))), {}, page
        for at, token in enumerate(tokens):
            if token.type == 'heading_open':
                text = ''.join(t.content for t in tokens[at + 1].children if t.type in ('text', 'code_inline'))
                token.attrSet('id', slug(text, seen))
                title = text if token.tag == 'h1' else title
            for child in token.children or []:
                for attr in 'href', 'src':
                    if attr in child.attrs:
                        child.attrSet(attr, self.link(page, child.attrs[attr]))
        body = self.markdown.renderer.render(tokens, self.markdown.options, {})
        self.write(target(page), title, re.sub(r'(<a [^>]*>.*?</a>|<pre>.*?</pre>)|<code>(\w+)(\(\))?</code>',
                                               lambda m: m[1] or self.call(page, m), body, flags=re.S), 'guide')

    def call(self, page, m):
        """a name in a guide; a link if the manual has it"""
        name = m[2] + ('.3' if m[2] + '.3' in self.man else '.1')
        if name not in self.man or m[2] == 'pagepool':
            return m[0]
        return '<a href="%sman/%s.html">%s</a>' % ('../' * page.count('/'), name, m[0])

    def manual(self, name, path):
        body = subprocess.run(['mandoc', '-T', 'html', '-O', 'fragment,man=%N.%S.html', path], text=True, check=True,
                              stdout=subprocess.PIPE).stdout
        body = re.sub(r'<a class="Xr" href="([^"]*)\.html">(.*?)</a>',
                      lambda m: m[0] if m[1] in self.man else m[2], body, flags=re.S)
        body = re.sub(r'<b>(\w+)</b>\((\d)\)|<b>(\w+)</b>\(\)', lambda m: self.reference(name, m), body)
        # the table at the end has nothing that the one at the head has not
        body = re.sub(r'<table class="foot">.*?</table>', '', body, flags=re.S)
        self.write('man/%s.html' % name, name, body, 'manual')

    def reference(self, name, m):
        page = '%s.%s' % (m[1] or m[3], m[2] or 3)
        return '<a href="%s.html">%s</a>' % (page, m[0]) if page in self.man and page != name else m[0]

    def source(self, path):
        self.write(target(path), path, '<h1>%s</h1><pre><code>%s</code></pre>' %
                   (html.escape(path), html.escape(read(os.path.join(TOP, path)))), 'source')

    def make(self):
        pages = sorted({os.path.relpath(p, TOP) for g in PAGES for p in glob.glob(os.path.join(TOP, g))})
        for page in pages:
            self.guide(page)
        for name, path in self.man.items():
            self.manual(name, path)
        for path in sorted(self.files - set(pages)):
            if path.endswith('.svg'):
                os.makedirs(os.path.dirname(os.path.join(self.out, path)), exist_ok=True)
                shutil.copy(os.path.join(TOP, path), os.path.join(self.out, path))
            else:
                self.source(path)
        shutil.copy(os.path.join(HERE, 'style.css'), self.out)
        print('%d guides, %d pages of the manual, %d files: %s/index.html' %
              (len(pages), len(self.man), len(self.files - set(pages)), self.out))


class Links(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links = set(), []
        self.feed(read(path))

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == 'id':
                self.ids.add(value)
            elif name in ('href', 'src'):
                self.links.append(value)


def check(out):
    pages = {os.path.relpath(p, out): Links(p) for p in glob.glob(os.path.join(out, '**/*.html'), recursive=True)}
    bad, count, linked = [], 0, {'index.html'}
    for page, found in sorted(pages.items()):
        for link in found.links:
            if re.match(r'\w+:', link):
                continue
            count += 1
            path, _, anchor = urllib.parse.unquote(link).partition('#')
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
            if not os.path.isfile(os.path.join(out, path)):
                bad.append('%s: %s is not there' % (page, link))
            elif anchor and anchor not in pages[path].ids:
                bad.append('%s: %s: no such heading' % (page, link))
            if path != page:
                linked.add(path)
    bad += ['%s: no page leads there' % page for page in sorted(set(pages) - linked)]
    if count < 1000 or len(pages) < 100:
        bad.append('%d pages, %d links: something was not found' % (len(pages), count))
    print('\n'.join(bad) or '%d pages, %d links, each leads somewhere' % (len(pages), count))
    return 1 if bad else 0


def main():
    args = argparse.ArgumentParser()
    args.add_argument('--out')
    args.add_argument('--man')
    args.add_argument('--check')
    args = args.parse_args()
    if args.check and not args.out:
        return check(args.check)
    missing = [] if shutil.which('mandoc') else ['mandoc']
    try:
        import markdown_it  # noqa: F401
    except ImportError:
        missing.append('python3-markdown-it')
    if missing:
        print('SKIP: no site: apt-get install ' + ' '.join(missing))
        return 77
    shutil.rmtree(args.out, ignore_errors=True)
    Site(args.out, args.man).make()
    return check(args.check) if args.check else 0


if __name__ == '__main__':
    sys.exit(main())
