/* SPDX-License-Identifier: BSD-3-Clause */
/* html/head.c - the beginning of the page, and its style */
#include "chart/chart.h"
#include "html/html.h"

/*
 * Colours are variables, so that the dark page needs no second set of rules; the figures'
 * are in chart_css(). Only tables and code may be wider than the page, and they scroll in
 * their own box.
 */
static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#57606a;--line:#d0d7de;"
	"--box:#f6f8fa;--link:#0969da;--bad:#b42318;--warn:#9a6700}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--soft:#9198a1;"
	"--line:#3d444d;--box:#161b22;--link:#4493f8;--bad:#ff7b72;--warn:#d29922}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--bg);color:var(--fg);"
	"font:16px/1.5 system-ui,sans-serif;overflow-wrap:break-word}\n"
	"h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0}\n"
	"h2{font-size:1.25rem;margin:2.5rem 0 .25rem;padding-top:1rem;"
	"border-top:1px solid var(--line)}\n"
	"h3{font-size:1rem;margin:1.25rem 0 .25rem}\n"
	"p,ul,ol{margin:.5rem 0;max-width:46rem}ul,ol{padding-left:1.25rem}\n"
	"a{color:var(--link)}.soft{color:var(--soft);font-size:.875rem}\n"
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
	"figure svg{display:block;width:100%;max-width:36rem;height:auto;margin:.25rem 0}\n"
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
	chart_css(f);
	fputs("</style>\n</head>\n<body>\n", f);
}
