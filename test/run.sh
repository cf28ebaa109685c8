#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh - build and run every test, from a fresh clone on a bare Debian 12
#
#   sh test/run.sh [--quick] [--build-dir DIR] [--suite NAME]... [--setup 'MESON ARGUMENTS'] [--slow N]
#
# --quick           what a changed line breaks first, in less than three minutes
# --build-dir DIR   where to build (build)
# --suite NAME      only this suite; may be repeated
# --setup ARGS      for meson setup
# --slow N          multiply the tests' time limits, for sanitizers
# --jobs N          tests at a time (one more than CPUs, at most 4); some are always alone
#
# The build directory is configured anew if it has fewer tests than a full build has; a part of
# one that cannot be had makes it fail, unless an option disabled it (--setup -Dpcap=disabled).
#
# Ends with the line "N passed, N failed" and exits 0 only if nothing failed. With CI=true, as
# root, where the kernel has AF_XDP, a root test that was skipped counts as failed.

build=build
setup=
slow=1
suites=
jobs=

die() {
	echo "test/run.sh: $*" >&2
	exit 1
}

usage() {
	sed -n 's/^# \{0,1\}//; 4,20p' "$0" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--quick)
		suites="$suites quick unit lint"
		shift
		continue
		;;
	--help) usage ;;
	esac
	[ $# -ge 2 ] || usage
	case $1 in
	--build-dir) build=$2 ;;
	--suite) suites="$suites $2" ;;
	--setup) setup=$2 ;;
	--slow) slow=$2 ;;
	--jobs) jobs=$2 ;;
	*) usage ;;
	esac
	shift 2
done

cd "$(dirname "$0")/.." || exit 1

sh test/deps.sh test || die "the packages that the tests need could not be installed; see above"
for tool in meson ninja python3; do
	command -v $tool >/dev/null 2>&1 ||
		die "$tool: not found; apt-get install meson ninja-build python3, then run this again"
done

broken() {
	echo "test/run.sh: $*" >&2
	echo "0 passed, 1 failed"
	exit 1
}

again() {
	sh test/configure.sh --again "$build" || broken "meson setup $build failed; see above"
}

is_full() {
	python3 test/tests.py full "$build"
	case $? in
	0) ;;
	3) return 1 ;;
	*) broken "not every test can be built; see above" ;;
	esac
}

# shellcheck disable=SC2086 # words
sh test/configure.sh "$build" $setup || broken "meson setup $build failed; see above"
if ! is_full; then
	again
	is_full || broken "$build has not the tests of a full build; see above"
fi
if ! meson compile -C "$build"; then
	echo "test/run.sh: once more, after configuring $build again"
	again
	meson compile -C "$build" || broken "the build in $build failed; see above (a stale $build can be removed)"
fi

[ "$(id -u)" -eq 0 ] || echo "Not root: the tests in network namespaces will be skipped."
cpus=$(nproc)
[ -n "$jobs" ] || jobs=$((cpus < 4 ? cpus + 1 : 4))
filter=
for suite in $suites; do
	filter="$filter --suite $suite"
done
rm -f "$build/meson-logs/testlog.json"
# the tests' limits are for a quiet machine: twice that
# shellcheck disable=SC2086 # words
PP_BUILD_DIR=$build meson test -C "$build" --no-rebuild --print-errorlogs -t $((slow * 2)) \
	--num-processes "$jobs" $filter
err=$?

# What was skipped, with the reasons that the tests print; then the sum.
# shellcheck disable=SC2086 # words
python3 test/tests.py sum "$build" "$err" $suites
