/* SPDX-License-Identifier: BSD-3-Clause */
/* html/text.c - letters, numbers, and what the page looks like */
#include <string.h>

#include "html/html.h"

void html_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*text, f);
		}
	}
}

/* a key as words: cycles_per_page, vs_array */
void html_words(FILE *f, const char *key)
{
	char text[80], *at;

	snprintf(text, sizeof(text), "%s", key);
	for (at = text; *at; at++)
		if (*at == '_')
			*at = ' ';
	html_text(f, text);
}

/* three digits that matter */
void html_number(FILE *f, double value)
{
	double size = value < 0 ? -value : value;

	fprintf(f, "%.*f", size < 10 ? 2 : size < 100 ? 1 : 0, value);
}

void html_data_uri(FILE *f, const char *text)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i, len = strlen(text), left;
	unsigned int three;

	fputs("data:application/json;base64,", f);
	for (i = 0; i < len; i += 3) {
		left = len - i;
		three = (unsigned int)(unsigned char)text[i] << 16;
		three |= left > 1 ? (unsigned int)(unsigned char)text[i + 1] << 8 : 0;
		three |= left > 2 ? (unsigned char)text[i + 2] : 0;
		fputc(digits[three >> 18], f);
		fputc(digits[three >> 12 & 63], f);
		fputc(left > 1 ? digits[three >> 6 & 63] : '=', f);
		fputc(left > 2 ? digits[three & 63] : '=', f);
	}
}

/*
 * Colours are variables, so that the dark page and its figures need no second set of
 * rules; figures take theirs from the page, which is why they are inline. Only tables and
 * code may be wider than the page, and they scroll in their own box.
 */
static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;"
	"--box:#f6f8fa;--ours:#0969da;--other:#8c959f;--bad:#b42318;--warn:#9a6700;"
	"--c0:#0969da;--c1:#bc4c00;--c2:#1a7f37;--c3:#8250df;--c4:#bf3989;--c5:#57606a}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;"
	"--line:#3d444d;--box:#161b22;--ours:#4493f8;--other:#7d8590;--bad:#ff7b72;--warn:#d29922;"
	"--c0:#4493f8;--c1:#f0883e;--c2:#3fb950;--c3:#ab7df8;--c4:#f778ba;--c5:#9198a1}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--bg);color:var(--fg);"
	"font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}\n"
	"h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}\n"
	"h2{font-size:1.25rem;margin:2.5rem 0 .25rem;padding-top:1rem;"
	"border-top:1px solid var(--line)}\n"
	"h3{font-size:1rem;margin:1.25rem 0 .25rem}\n"
	"p,ul,ol{margin:.5rem 0;max-width:46rem}ul,ol{padding-left:1.25rem}\n"
	"a{color:var(--ours)}.soft{color:var(--soft);font-size:.875rem}\n"
	"nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem}\n"
	"code{font:.8125rem/1.4 ui-monospace,monospace}\n"
	".cmd{display:block;overflow-x:auto;white-space:nowrap;padding:.375rem .5rem;"
	"background:var(--box);border:1px solid var(--line);border-radius:6px;max-width:100%}\n"
	".box{background:var(--box);border:1px solid var(--line);border-radius:8px;"
	"padding:.5rem 1rem;margin:1rem 0}\n"
	".bad{border-left:4px solid var(--bad)}.warn{border-left:4px solid var(--warn)}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.125rem 1rem;margin:.5rem 0}\n"
	"dt{color:var(--soft)}dd{margin:0;min-width:0;overflow-wrap:anywhere}\n"
	".scroll{overflow-x:auto;max-width:100%;margin:.5rem 0;border:1px solid var(--line);"
	"border-radius:6px}.tall{max-height:34rem;overflow-y:auto}\n"
	"table{border-collapse:collapse;font-size:.8125rem;"
	"font-variant-numeric:tabular-nums;white-space:nowrap}\n"
	"th,td{padding:.1875rem .625rem;text-align:right;border-bottom:1px solid var(--line)}\n"
	"th{background:var(--box);position:sticky;top:0}tbody tr:last-child td{border-bottom:0}\n"
	"th:first-child,td:first-child,.l{text-align:left}\n"
	"tr.gap td{border-top:2px solid var(--line)}td.wrap{white-space:normal;min-width:14rem}"
	"td.narrow{white-space:normal;min-width:9rem}\n"
	".tag{font-size:.75rem;padding:0 .375rem;border:1px solid var(--warn);border-radius:99px;"
	"color:var(--warn);margin-left:.375rem}\n"
	".figures{display:grid;gap:1.5rem;align-items:start;margin:1rem 0;"
	"grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr))}\n"
	"figure{margin:0;min-width:0}figcaption{font-size:.875rem;color:var(--soft)}\n"
	"figcaption b{color:var(--fg)}\n"
	"figure svg{display:block;width:100%;max-width:36rem;height:auto;margin:.25rem 0;"
	"font:11px system-ui,sans-serif}\n"
	"svg text{fill:var(--fg)}svg .name{font-size:10px}svg .axis{fill:var(--soft)}\n"
	"svg .grid{stroke:var(--line);stroke-width:.5}\n"
	"svg .ours{fill:var(--ours)}svg .other{fill:var(--other)}\n"
	"svg .sim{fill:none;stroke:var(--warn);stroke-dasharray:3 2}\n"
	"svg .whisker{stroke:var(--fg);stroke-width:1}\n"
	"svg .series{fill:none;stroke-width:1.75}svg .lead{fill:none;stroke-width:.5}\n"
	"svg .dash{stroke-dasharray:4 3}\n"
	"svg .s0{stroke:var(--c0)}svg .s1{stroke:var(--c1)}svg .s2{stroke:var(--c2)}"
	"svg .s3{stroke:var(--c3)}svg .s4{stroke:var(--c4)}svg .s5{stroke:var(--c5)}\n"
	"svg .t0{fill:var(--c0)}svg .t1{fill:var(--c1)}svg .t2{fill:var(--c2)}"
	"svg .t3{fill:var(--c3)}svg .t4{fill:var(--c4)}svg .t5{fill:var(--c5)}\n"
	"summary{cursor:pointer}\n"
	"@media print{.tall{max-height:none}}\n";

void html_head(FILE *f)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
	      "<meta name=\"generator\" content=\"ppbench " PP_VERSION "\">\n"
	      "<title>ppbench report</title>\n<style>\n",
	      f);
	fputs(style, f);
	fputs("</style>\n</head>\n<body>\n", f);
}
