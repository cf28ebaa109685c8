#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh - build and run every test, from a fresh clone on a bare Debian 12
#
#   sh test/run.sh [--build-dir DIR] [--suite NAME]... [--setup 'MESON ARGUMENTS'] [--slow N]
#
# --build-dir DIR   where to build (build)
# --suite NAME      only this suite; may be repeated
# --setup ARGS      for meson setup, when DIR is new
# --slow N          multiply the tests' time limits, for sanitizers
#
# Ends with the line "N passed, N failed" and exits 0 only if nothing failed. With CI=true, as
# root, where the kernel has AF_XDP, a root test that was skipped counts as failed.

build=build
setup=
slow=1
suites=

die() {
	echo "test/run.sh: $*" >&2
	exit 1
}

usage() {
	sed -n 's/^# \{0,1\}//; 4,12p' "$0" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	[ "$1" = --help ] && usage
	[ $# -ge 2 ] || usage
	case $1 in
	--build-dir) build=$2 ;;
	--suite) suites="$suites --suite $2" ;;
	--setup) setup=$2 ;;
	--slow) slow=$2 ;;
	*) usage ;;
	esac
	shift 2
done

cd "$(dirname "$0")/.." || exit 1

if [ -f test/deps.sh ]; then
	sh test/deps.sh test || die "the packages that the tests need could not be installed; see above"
fi
for tool in meson ninja python3; do
	command -v $tool >/dev/null 2>&1 ||
		die "$tool: not found; apt-get install meson ninja-build python3, then run this again"
done

broken() {
	echo "test/run.sh: $*" >&2
	echo "0 passed, 1 failed"
	exit 1
}

if [ ! -f "$build/build.ninja" ]; then
	# shellcheck disable=SC2086
	meson setup "$build" $setup || broken "meson setup $build failed; see above"
fi
meson compile -C "$build" || broken "the build in $build failed; see above (a stale $build can be removed)"

[ "$(id -u)" -eq 0 ] || echo "Not root: the tests in network namespaces will be skipped."
rm -f "$build/meson-logs/testlog.json"
# shellcheck disable=SC2086
PP_BUILD_DIR=$build meson test -C "$build" --no-rebuild --print-errorlogs -t "$slow" $suites
err=$?

# What was skipped, with the reasons that the tests print; then the sum.
python3 - "$build/meson-logs/testlog.json" "$err" <<'EOF'
import json, os, socket, sys

def af_xdp():
    try:
        socket.socket(44, socket.SOCK_RAW, 0).close()
        return True
    except OSError:
        return False

strict = os.environ.get('CI') == 'true' and os.geteuid() == 0 and af_xdp()
passed = failed = skipped = 0
lines = open(sys.argv[1]).readlines() if os.path.exists(sys.argv[1]) else []
for line in lines:
    test = json.loads(line)
    output = (test.get('stdout') or '') + '\n' + (test.get('stderr') or '')
    reasons = [l for l in output.split('\n') if l.startswith('SKIP')]
    name, result = test['name'], test['result']
    is_root = ':root' in name.split(' / ')[0] or '+root' in name.split(' / ')[0]
    if result in ('OK', 'EXPECTEDFAIL'):
        passed += 1
        for reason in reasons:
            print('skipped in part: %s: %s' % (name, reason))
            if strict and is_root:
                print('FAILED: %s: nothing may be skipped here' % name)
                passed, failed = passed - 1, failed + 1
                break
    elif result == 'SKIP':
        print('skipped: %s: %s' % (name, reasons[0] if reasons else 'SKIP: no reason given'))
        if strict and is_root:
            print('FAILED: %s: nothing may be skipped here' % name)
            failed += 1
        elif not reasons:
            print('FAILED: %s: skipped without a reason' % name)
            failed += 1
        else:
            skipped += 1
    else:
        print('FAILED: %s: %s, repeat with: %s' % (name, result, ' '.join(test['command'])))
        failed += 1
if not lines:
    print('FAILED: no test was run')
    failed += 1
if int(sys.argv[2]) and not failed:
    print('FAILED: meson test, exit status %s' % sys.argv[2])
    failed += 1
print('%d passed, %d failed%s' % (passed, failed, ', %d skipped' % skipped if skipped else ''))
sys.exit(1 if failed else 0)
EOF
