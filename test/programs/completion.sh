#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# completion.sh DIR PROGRAM... - bash offers each option that --help shows, and files where a file goes
# shellcheck disable=SC1090 # made by the build
dir=$1
shift
failed=0
for program in "$@"; do
	name=${program##*/}
	. "$dir/$name" || exit 1
	COMP_WORDS=("$name" --)
	COMP_CWORD=1
	"_$name"
	offered=" ${COMPREPLY[*]} "
	n=0
	for option in $("$program" --help | grep -oE '^ {1,8}(-\w, )?--[a-z][-a-z0-9]*' | grep -oE -e '--[a-z].*'); do
		n=$((n + 1))
		[[ $offered == *" $option "* ]] || {
			echo "FAILED: $name: $option is not offered"
			failed=1
		}
	done
	[ "$n" -ge 3 ] || { echo "FAILED: $name: only $n options"; failed=1; }
	grep -q "^#compdef $name$" "$dir/_$name" || { echo "FAILED: $name: no zsh completion"; failed=1; }
	! command -v zsh >/dev/null || zsh -n "$dir/_$name" || failed=1
	echo "$name: $n options offered"
done
cd / && COMP_WORDS=(ppfwd --json et) COMP_CWORD=2 && _ppfwd
[[ " ${COMPREPLY[*]} " == *" etc "* ]] || { echo "FAILED: --json offers no files"; failed=1; }
exit $failed
