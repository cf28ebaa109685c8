#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# fuzz.sh - let libFuzzer look for inputs that break something
#
#   fuzz.sh all SOURCE BUILD     build every target in BUILD/clang, and run them, two at a time
#   fuzz.sh one PROGRAM CORPUS DIR   run one from CORPUS, which stays as it is
#
# PP_FUZZ_SECONDS (10): how long for each. An input that breaks something is left in DIR, and the
# last lines say how to repeat it. Without clang and its libFuzzer nothing is run, which with
# CI=true is a failure.

seconds=${PP_FUZZ_SECONDS:-10}
case $seconds in
'' | *[!0-9]*)
	echo "fuzz.sh: PP_FUZZ_SECONDS=$seconds is not a number of seconds" >&2
	exit 2
	;;
esac

cannot() {
	echo "SKIP: $*; apt-get install clang libclang-rt-14-dev"
	[ "${CI-}" != true ] || exit 1
	exit 77
}

one() {
	program=$1 corpus=$2 dir=$3
	name=$(basename "$program")
	work=$(mktemp -d "$dir/$name.XXXXXX") || exit 1
	trap 'rm -rf "$work"' EXIT
	[ -d "$corpus" ] || { echo "$corpus: no corpus to begin with" >&2; exit 1; }
	# what the program prints is no news; the fuzzer's and the sanitizers' reports are
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:${ASAN_OPTIONS-} \
		"$program" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=1024 \
		-close_fd_mask=3 -print_final_stats=1 -artifact_prefix="$dir/$name." \
		"$work" "$corpus" >"$dir/$name.log" 2>&1
	err=$?
	if [ $err -ne 0 ]; then
		unit=$(sed -n 's/^.*Test unit written to //p' "$dir/$name.log")
		tail -n 60 "$dir/$name.log"
		[ -z "$unit" ] || "$program" "$unit" 2>&1 | tail -n 40
		echo "repeat with, in $PWD: $program $unit"
		exit 1
	fi
	sed -n 's/^stat::number_of_executed_units: */executed /p; s/^Done .*/&/p' "$dir/$name.log"
	grep -o 'cov: [0-9]* ft: [0-9]*' "$dir/$name.log" | tail -n 1
	rm -f "$dir/$name.log"
}

all() {
	source=$1 build=$2/clang
	command -v clang >/dev/null || cannot "clang is not installed"
	echo 'int LLVMFuzzerTestOneInput(void *d, long n) { return 0; }' >"$2/try.c"
	clang -fsanitize=fuzzer,address,undefined -o "$2/try" "$2/try.c" >/dev/null 2>&1 ||
		cannot "clang has no libFuzzer"
	# again: the parts that the tests need came since, perhaps
	CC=clang sh "$source/test/configure.sh" --again "$build" -Dfuzz=true \
		-Db_sanitize=address,undefined -Db_lundef=false >"$2/setup.log" 2>&1 ||
		{ tail -n 20 "$2/setup.log" >&2; exit 1; }
	ninja -C "$build" fuzz-targets >"$2/build.log" 2>&1 ||
		{ tail -n 30 "$2/build.log" >&2; exit 1; }
	meson test -C "$build" --no-rebuild --suite fuzz -t 0 --num-processes 2 \
		--print-errorlogs -v
}

what=${1-}
[ $# -eq 0 ] || shift
case $what in
one) one "$@" ;;
all) all "$@" ;;
*)
	sed -n 's/^# \{0,1\}//; 5,6p' "$0" >&2
	exit 2
	;;
esac
