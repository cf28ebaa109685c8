# SPDX-License-Identifier: BSD-3-Clause
"""The page of `ppbench report`, in a browser: headless Chromium shows it at 1280 and 360 pixels, light
and dark, and a script beside it measures what is seen. Exit status 0 passed, 1 failed, 77 skipped.

The page stays as it is. It is looked at through a frame, since Chromium makes no window as narrow as a
phone's; the script that measures is in the page around the frame.
"""
import argparse
import html
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

WIDTHS = 1280, 360
MAX_BYTES = 8 << 20 # of a mail attachment

# Text of a figure must not lie on other text of it, nor leave it; nothing may be wider than the page,
# but for what scrolls in a box of its own; and text must stand out from what is behind it.
CHECK = """
const frame = document.querySelector('iframe');
frame.onload = () => {
  const doc = frame.contentDocument, win = frame.contentWindow, bad = [];
  doc.querySelectorAll('details').forEach(d => d.open = true);
  const root = doc.documentElement, width = root.clientWidth;
  if (root.scrollWidth > width) bad.push(`the page is ${root.scrollWidth} wide`);
  const scrolls = e => { for (; e && e !== root; e = e.parentElement)
    if (['auto', 'scroll'].includes(win.getComputedStyle(e).overflowX)) return true; };
  doc.querySelectorAll('body *').forEach(e => {
    const box = e.getBoundingClientRect();
    if (box.right > width + 1 && !scrolls(e)) bad.push(`<${e.tagName}> reaches ${box.right}`); });
  let labels = 0;
  doc.querySelectorAll('svg').forEach(svg => {
    const frame = svg.getBoundingClientRect(), name = svg.getAttribute('aria-label');
    const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
    labels += texts.length;
    texts.forEach(([text, a], i) => {
      if (a.width < 1) bad.push(`${name}: '${text}' is not seen`);
      if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 ||
          a.bottom > frame.bottom + 1) bad.push(`${name}: '${text}' leaves the figure`);
      texts.slice(i + 1).forEach(([other, b]) => {
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 1 && y > 2.5) bad.push(`${name}: '${text}' lies on '${other}'`); }); }); });
  const luminance = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(v => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = win.getComputedStyle(e).backgroundColor;
    if (!c.startsWith('rgba')) return c; } return 'rgb(255,255,255)'; };
  const seen = new Set();
  doc.querySelectorAll('h1,h2,h3,p,li,dt,dd,th,td,code,a,b,summary,figcaption,text,.tag').forEach(e => {
    const style = win.getComputedStyle(e), svg = e.ownerSVGElement;
    const fg = luminance(svg ? style.fill : style.color), bg = luminance(behind(svg || e));
    const ratio = (Math.max(fg, bg) + 0.05) / (Math.min(fg, bg) + 0.05);
    if (ratio < 4.5) seen.add(`<${e.tagName} class='${e.getAttribute('class')}'> has contrast ` +
      ratio.toFixed(1)); });
  const out = document.createElement('pre');
  out.textContent = '@@' + JSON.stringify({ width: width, height: root.scrollHeight,
    dark: win.matchMedia('(prefers-color-scheme: dark)').matches, labels: labels,
    figures: doc.querySelectorAll('svg').length, bad: bad.concat([...seen]),
    requests: win.performance.getEntriesByType('resource').length }) + '@@';
  document.body.append(out);
};
"""


def check(condition, what):
    if not condition:
        print('FAILED:', what)
        sys.exit(1)


def chromium(*words):
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [BROWSER, '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
             '--allow-file-access-from-files', '--no-first-run', '--disable-dev-shm-usage',
             '--user-data-dir=' + profile, *words],
            capture_output=True, text=True, timeout=240)
    check(done.returncode == 0, f'chromium: {done.stderr[-300:]}')
    return done.stdout


def look(page, width, dark, tmp):
    """What the script saw."""
    frame = os.path.join(tmp, 'frame.html')
    with open(frame, 'w') as file:
        file.write('<!DOCTYPE html><style>:root{color-scheme:light dark}body{margin:0}'
                   'iframe{border:0;display:block}</style>'
                   f'<iframe width={width} height=900 src="{html.escape(page)}"></iframe>'
                   f'<script>{CHECK}</script>')
    words = ['--force-dark-mode'] if dark else []
    # Chromium ends when so much of its own time has passed, loaded or not: longer on a busy machine
    for milliseconds in 5000, 20000, 60000:
        text = chromium('--dump-dom', '--window-size=1300,1000',
                        f'--virtual-time-budget={milliseconds}', *words, 'file://' + frame)
        found = re.search('@@(.*)@@', text.split('<pre>')[-1], re.S)
        if found:
            break
    check(found, 'the script in the frame ran')
    return json.loads(html.unescape(found[1]))


def pixels(path):
    """The rows of a PNG as Chromium writes it: eight bits, no alpha, no interlace."""
    with open(path, 'rb') as file:
        data = file.read()
    at, packed = 8, b''
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        if kind == b'IHDR':
            width, height, _, colour = struct.unpack('>IIBB', data[at + 8:at + 18])
        elif kind == b'IDAT':
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    channels = {2: 3, 6: 4}[colour]
    return width, height, channels, zlib.decompress(packed)


def shoot(page, width, dark, path, tmp, height):
    frame = os.path.join(tmp, 'shot.html')
    with open(frame, 'w') as file:
        file.write('<!DOCTYPE html><style>:root{color-scheme:light dark}body{margin:0}'
                   'iframe{border:0;display:block}</style>'
                   f'<iframe width={width} height={height} src="{html.escape(page)}"></iframe>')
    chromium(f'--window-size={max(width, 500)},{height}', f'--screenshot={path}',
             *(['--force-dark-mode'] if dark else []), 'file://' + frame)
    check(os.path.exists(path), 'a screenshot')
    wide, _, channels, raw = pixels(path)
    # the first line is compressed against nothing: its first pixel's neighbour is the background
    check(wide == max(width, 500), f'{path}: {wide} pixels wide')
    check((sum(raw[1:1 + 3]) / 3 < 64) == dark, f'{path}: the page is {"dark" if dark else "light"}')


def check_text(page):
    with open(page) as file:
        text = file.read()
    check(len(text) < MAX_BYTES, f'{len(text)} bytes are no mail attachment')
    check(not re.search(r'https?:|//[a-z]|<script|<link|<img|<iframe|@import|url\(|\son\w+=', re.sub(
        r'href="data:application/json;base64,[^"]*"', '', text)), 'needs nothing from elsewhere')
    check(text.rstrip().endswith('</html>'), 'it is whole')
    for tag in 'figure', 'table':
        check(text.count(f'<{tag}>') == text.count(f'</{tag}>') > 0, f'<{tag}>')
    figures = re.findall(r'<figure>.*?</figure>', text, re.S)
    check(all('<code class="cmd">ppbench ' in figure for figure in figures),
          'each figure has its command')
    tables = re.findall(r'</table></div>\s*(.{17})', text, re.S)
    check(tables and all(after == '<code class="cmd">' [:17] for after in tables),
          'each table has its command')


def main(page):
    check_text(page)
    with tempfile.TemporaryDirectory() as tmp:
        shots = args.shots or tmp
        os.makedirs(shots, exist_ok=True)
        for width in WIDTHS:
            for dark in False, True:
                seen = look(page, width, dark, tmp)
                name = f'{width} pixels, {"dark" if dark else "light"}'
                print(f'{name}: {seen["height"]} high, {seen["figures"]} figures, '
                      f'{seen["labels"]} labels')
                for line in seen['bad'][:20]:
                    print(' ', line)
                check(seen['width'] == width and seen['dark'] == dark, f'{name}: shown as asked')
                check(seen['figures'] >= args.figures and seen['labels'] > 5 * seen['figures'],
                      f'{name}: figures with labels')
                check(not seen['bad'], f'{name}: {len(seen["bad"])} faults')
                check(seen['requests'] == 0, f'{name}: {seen["requests"]} requests')
                shoot(page, width, dark,
                      os.path.join(shots, f'{width}-{"dark" if dark else "light"}.png'), tmp, 3000)


parser = argparse.ArgumentParser()
parser.add_argument('page')
parser.add_argument('--shots', help='directory that keeps the screenshots')
parser.add_argument('--figures', type=int, default=5, help='at least so many')
args = parser.parse_args()
BROWSER = shutil.which('chromium')
if not BROWSER:
    print('SKIP: chromium is not installed; apt-get install chromium')
    sys.exit(77)
main(os.path.abspath(args.page))
print('passed')
