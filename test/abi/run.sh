#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# run.sh [--update] BUILDDIR - compare the ABI of the libraries in BUILDDIR with the dumps here
#
# Additions pass with a note; what breaks programs fails. --update writes the dumps anew.
set -u

here=$(dirname "$(realpath "$0")")
cd "$here/../.." || exit 1
update=
[ "$1" != --update ] || {
	update=1
	shift
}
build=$1
command -v abidiff >/dev/null || {
	echo "SKIP abidiff is not installed; apt-get install abigail-tools"
	exit 77
}
[ "$(uname -m)" = x86_64 ] || {
	echo "SKIP the dumps are of x86-64, this is $(uname -m)"
	exit 77
}

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# What the libraries share with their modules is of one release, and no ABI. A private header may have
# the name of a public one, so that the folder tells them apart.
printf '%s\n' '[suppress_function]' 'symbol_version_regexp = _PRIVATE_' 'drop = yes' \
	'[suppress_variable]' 'symbol_version_regexp = _PRIVATE_' 'drop = yes' \
	'[suppress_type]' 'source_location_not_regexp = include/pagepool/' 'drop = yes' >"$dir/private"

# only what the public headers declare, and without paths of this machine
dump() { # LIBRARY OUT
	abidw --suppressions "$dir/private" --no-corpus-path --no-comp-dir-path --no-show-locs \
		--type-id-style hash --out-file "$2" "$1"
}

failed=0
for path in lib/libpagepool drivers/libpagepool-xsk drivers/libpagepool-netdev drivers/ffi/libpagepool-ffi; do
	library=$(find "$build/$path.so.0" 2>/dev/null)
	name=$(basename "$path")
	[ -n "$library" ] || {
		echo "$build has no $name.so.0"
		exit 1
	}
	if [ -n "$update" ]; then
		dump "$library" "$here/$name.abi" || failed=1
		continue
	fi
	dump "$library" "$dir/now.abi" || exit 1
	abidiff "$here/$name.abi" "$dir/now.abi" >"$dir/diff"
	status=$?
	cat "$dir/diff"
	# bits: 1 error, 2 usage, 4 changed, 8 incompatible
	[ $status -eq 0 ] || {
		echo "$name: the ABI differs from test/abi/$name.abi (abidiff: $status); see doc/abi.md"
		failed=1
	}
done
exit $failed
