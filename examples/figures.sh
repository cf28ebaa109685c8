#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# figures.sh - the figures of this machine in doc/figures/CPU, all from one command
#
#   sh examples/figures.sh            measure (10 minutes on two quiet CPUs), then write
#   sh examples/figures.sh --quick    the same, short: to see that it works
#   sh examples/figures.sh --from doc/figures/CPU --table doc/figures.md
#                                     doc/figures.md and README.md quote that machine from now on
#
# Writes the results (JSON), a figure of each case (SVG), the page report.html, and README.md, which
# names the machine and has the table between the lines "<!-- figures -->" and "<!-- /figures -->".
# Needs a build; names what is missing. A machine with other work is called shared.
set -u

usage() {
	cat <<-END
	usage: figures.sh [OPTION ...]
	  --quick      short measurements: to see that it works, not how fast it is
	  --build DIR  where ppbench and ppfwd are built (default: build)
	  --from DIR   measure nothing, take the results in DIR
	  --out DIR    where the figures go (default: --from, or else doc/figures/CPU)
	  --table F    where the table goes (default: README.md beside the figures);
	               doc/figures.md: also the links there, and five rows in README.md
	  --no-peers   leave out forwarding against dpdk-testpmd, and with it
	END
}

fail() {
	echo "figures.sh: $1" >&2
	exit "${2:-1}"
}

cd "$(dirname "$0")/.." || exit 1
build=build out= table= quick= from= peers=yes
while [ $# -gt 0 ]; do
	case $1 in
	--help) usage; exit 0 ;;
	--quick) quick=--quick ;;
	--no-peers) peers=no ;;
	--build | --from | --out | --table)
		[ $# -gt 1 ] || fail "a value must follow $1; see --help" 2
		case $1 in
		--build) build=$2 ;;
		--from) from=$2 ;;
		--out) out=$2 ;;
		--table) table=$2 ;;
		esac
		shift ;;
	*) fail "unknown option '$1'; see --help" 2 ;;
	esac
	shift
done

ppbench=$build/examples/ppbench/ppbench
ppfwd=$build/examples/ppfwd/ppfwd
plugin=$(realpath "$build")/drivers/librte_mempool_pagepool.so
[ ! -f "$plugin" ] || export PPBENCH_DPDK_PLUGIN="$plugin"
[ -x "$ppbench" ] || fail "no $ppbench; build it with 'meson setup build && ninja -C build'"
command -v python3 >/dev/null || fail "python3 is missing; apt-get install python3"
cpu() {
	awk -F ': *' '!seen[$1]++ && /^(model name|cpu family|model)[\t ]*:/ {
		sub(/[\t ]*$/, "", $1); gsub(/\([^)]*\)/, "", $2); value[$1] = $2 }
		END { split(value["model name"], w, " ")
		print tolower(w[1] "-" w[2] "-" value["cpu family"] "-" value["model"]) }' /proc/cpuinfo
}

: "${out:=${from:-doc/figures/$(cpu)}}" "${table:=$out/README.md}"
mkdir -p "$out" || fail "cannot make $out"
[ -f "$table" ] || printf '# Figures of %s\n\n<!-- figures -->\n<!-- /figures -->\n' "$(basename "$out")" >"$table" ||
	exit 1
grep -q '^<!-- figures -->$' "$table" && grep -q '^<!-- /figures -->$' "$table" ||
	fail "$table has no lines '<!-- figures -->' and '<!-- /figures -->' for the table"

cases() {
	"$ppbench" --help | sed -n '/^cases:/,/^options:/s/^  \([a-z_]*\) .*/\1/p' | grep -v '^report$'
}

# what doc/figures/CPU/README.md begins with
introduce() {
	read -r load _ </proc/loadavg
	state="a machine without other work"
	trust=
	case $load in
	0.[0-4]*) ;;
	*)
		state="a **shared** machine, which had other work to do (load $load)"
		trust="Figures in CPU time (refill, growth) and of one core hold; of several cores, only those of scale do. "
		;;
	esac
	cat <<-END
	# Figures of $(basename "$out")

	Measured on $(date -u +%Y-%m-%d) on $state.
	${trust}doc/bench.md says what each case measures; \`sh examples/figures.sh\` measures all of it again.

	\`\`\`
	$(lscpu | grep -E '^(Model name|CPU family|Model|Stepping|CPU\(s\)|L1d|L2|L3|Hypervisor|NUMA node\(s\))' | tr -s ' ')
	\`\`\`

	<!-- figures -->
	<!-- /figures -->
	END
}

failed=
measure() {
	for name in $(cases); do
		echo "figures.sh: $name"
		more=
		[ "$name" != refill ] || more="--port all --policy all"
		# shellcheck disable=SC2086 # words
		"$ppbench" "$name" $quick $more --json "$out/$name.json" --plot "$out/$name.svg" >/dev/null ||
			failed="$failed $name"
	done
	[ $peers = yes ] || return 0
	echo "figures.sh: peers"
	sh examples/peers.sh --ppfwd "$ppfwd" ${quick:+--repeat 1 --duration 2} >"$out/peers.txt" ||
		failed="$failed peers"
	echo "figures.sh: rte_mempool under dpdk-testpmd"
	mempool='--repeat 3' strand='--repeat 3'
	[ -z "$quick" ] || { mempool='--repeat 1 --modes io'; strand='--repeat 1'; }
	if [ -f "$plugin" ]; then
		# shellcheck disable=SC2086 # words
		python3 examples/mempool.py --plugin "$plugin" $mempool \
			--pools ring_mp_mc:250,pagepool:0,pagepool:64 >"$out/mempool.txt" &&
			python3 examples/mempool.py --plugin "$plugin" $strand --strand \
				--pools ring_mp_mc:250,pagepool:0 >"$out/strand.txt" ||
			failed="$failed mempool"
	else
		failed="$failed mempool (no $plugin)"
	fi
}

if [ -z "$from" ]; then
	rm -f "$out"/*.json "$out"/*.svg "$out"/*.txt
	[ "$table" != "$out/README.md" ] || introduce >"$table"
	measure
	from=$out
fi
"$ppbench" report --from "$from" --out "$out/report.html" || failed="$failed report"
python3 - "$from" "$table" "$quick" <<'END' || exit 1
import json, os, re, sys

where, target, quick = sys.argv[1:]

def load(name):
    path = os.path.join(where, name + '.json')
    return json.load(open(path)) if os.path.exists(path) else None

def pick(result, policy, kind, bulk):
    for row in result['rows'] if result else []:
        if (row['policy'], row['kind'], row['bulk']) == (policy, kind, bulk) and 'refused' not in row:
            return [row[k] for end in ('median', 'min', 'max') for k in row if k.endswith('_' + end)][:3]

def text(figure):
    return '%.3g (%.3g .. %.3g)' % tuple(figure)

lines, machine = [], None

def line(what, unit, ours, theirs_name, theirs, ratio, command):
    better = '%.2f' % ratio if ratio else 'it stops'
    if max(ours[1], theirs[1]) <= min(ours[2], theirs[2]):
        better += ', ranges overlap'
    lines.append('| %s, %s | %s | %s: %s | %s | `%s` |' %
                 (what, unit, text(ours), theirs_name, text(theirs), better, command))

path = os.path.join(where, 'peers.txt')
number = r'([\d.]+) \(([\d.]+) \.\. ([\d.]+)\)'
for found in re.finditer(r'^(\S+),(\S+) +ppfwd +%s +testpmd +%s' % (number, number),
                         open(path).read() if os.path.exists(path) else '', re.M):
    port, engine, *values = found.groups()
    ours, theirs = [float(v) for v in values[:3]], [float(v) for v in values[3:]]
    line('forwarding between two %s ports, %s' % (port, engine), 'Mpps', ours, 'dpdk-testpmd', theirs,
         ours[0] / theirs[0], 'sh examples/peers.sh')

def lines_of(name, pattern):
    path = os.path.join(where, name)
    for found in re.finditer(pattern, open(path).read() if os.path.exists(path) else '', re.M):
        yield found.groups()

rates = {(mode, pool): [float(v) for v in values] for mode, pool, *values in
         lines_of('mempool.txt', r'^(\w+) +(\w+:\d+) +([\d.]+) Mpps \(([\d.]+) \.\. ([\d.]+)\)')}
for mode, pool in rates:
    theirs = rates.get((mode, 'ring_mp_mc:250'))
    if pool.startswith('pagepool') and theirs and theirs[0]:
        line('dpdk-testpmd %s on the plugin, --mbcache=%s' % (mode, pool.split(':')[1]), 'Mpps',
             rates[mode, pool], 'ring_mp_mc, --mbcache=250', theirs, rates[mode, pool][0] / theirs[0],
             'python3 examples/mempool.py')
few = {pool: [float(v) for v in values] for pool, *values in
       lines_of('strand.txt', r'^(\w+:\d+) +1,200 mbufs +([\d.]+) Mpps \(([\d.]+) \.\. ([\d.]+)\)')}
if 'pagepool:0' in few and 'ring_mp_mc:250' in few:
    line('testpmd noisy on 1,200 mbufs, after another core used them', 'Mpps', few['pagepool:0'],
         'ring_mp_mc, --mbcache=250', few['ring_mp_mc:250'],
         few['ring_mp_mc:250'][0] > 0.01 and few['pagepool:0'][0] / few['ring_mp_mc:250'][0],
         'python3 examples/mempool.py --strand')

compare = load('compare')
for kind, what, us, them in (
        ('prep', '64 pages from a core\'s cache and back, ready for packets', 'zone trylock',
         ('rte_pktmbuf ring_mp_mc cache 512',)),
        ('raw', 'the same, pointers only', 'zone trylock',
         ('rte_mempool ring_mp_mc cache 512', 'malloc glibc', 'array')),
        ('keep1024', '1024 pages held at once', 'zone trylock', ('rte_mempool ring_mp_mc cache 512',)),
        ('cross', 'taken on one core, given back on another', 'zone trylock',
         ('rte_mempool ring_mp_mc cache 512',)),
        ('crowd', 'two threads for each CPU', 'zone trylock', ('rte_mempool ring_mp_mc cache 512',)),
        ('foreign', 'a thread that is no lcore', 'zone trylock',
         ('rte_mempool ring_mp_mc cache 512',))):
    ours = pick(compare, us, kind, 64)
    for name in them:
        theirs = pick(compare, name, kind, 64)
        if ours and theirs:
            line(what, 'cycles a page', ours, name, theirs, theirs[0] / ours[0], 'ppbench compare')

if not lines:
    sys.exit('figures.sh: no figures in %s' % where)
for name in sorted(os.listdir(where)):
    if name.endswith('.json'):
        machine = machine or load(name[:-5]).get('machine')
head = []
if machine:
    head = ['%(cpu)s, %(cores)s CPUs, Linux %(kernel)s, %(compiler)s, commit %(commit)s; medians, in '
            'parentheses the smallest and the largest. Where these ranges overlap, either may be the '
            'better one.' % machine]
if quick:
    head.append('Measured with --quick: they show that it works, not how fast it is.')
table = head + ['', '| what | pagepool | beside it | times better | command |', '|---|---|---|---|---|']
page = open(target).read()
page = re.sub(r'(<!-- figures -->\n).*?(<!-- /figures -->)',
              lambda m: m[1] + '\n'.join(table + lines) + '\n' + m[2], page, flags=re.S)
page = re.sub(r'\(figures/[^/)]*/', '(figures/%s/' % os.path.basename(os.path.normpath(where)), page)
open(target, 'w').write(page)
END
[ "$table" != doc/figures.md ] || python3 examples/figures_short.py --from "$from" --out "$out" || exit 1
[ -z "$failed" ] || fail "no figures of:$failed; see above"
echo "figures.sh: $table and $out are new; look at $out/report.html"
