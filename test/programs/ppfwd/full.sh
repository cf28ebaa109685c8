#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# full.sh - run.sh runs every test or fails: on a small project with an optional part, which comes and goes
. "$(dirname "$0")/common.sh"
top=$(realpath "$(dirname "$0")/../../..")

project() { # PLACE
	mkdir -p "$1/test" && cp "$top/test/run.sh" "$top/test/configure.sh" "$top/test/tests.py" "$1/test/"
	printf '#!/bin/sh\n' >"$1/test/deps.sh"
	cat >"$1/meson_options.txt" <<-'END'
		option('part', type: 'feature', value: 'auto')
	END
	cat >"$1/meson.build" <<-'END'
		project('small')
		part = find_program('pp-part', required: get_option('part'))
		test('always', find_program('true'), suite: 'unit')
		if part.found()
		  test('of the part', part, suite: 'unit')
		endif
	END
}

runs() { # ARGUMENTS of run.sh
	run env PATH="$dir/bin:$PATH" CI= sh "$place/test/run.sh" --build-dir "$place/build" "$@"
	cat "$dir/out" "$dir/err"
}

passes() { # NAME COUNT
	ok "$1: exit status" [ "$rc" -eq 0 ]
	ok "$1: $2 tests" [ "$(tail -n 1 "$dir/out")" = "$2 passed, 0 failed" ]
}

fails() { # NAME REGEX
	ok "$1: exit status" [ "$rc" -eq 1 ]
	ok "$1: says it" grep -q "$2" "$dir/out" "$dir/err"
	ok "$1: none passed" [ "$(tail -n 1 "$dir/out")" = "0 passed, 1 failed" ]
}

part_comes() {
	printf "#!/bin/sh\n" >"$dir/bin/pp-part"
	chmod +x "$dir/bin/pp-part"
}

place=$dir/tree
project "$place"
mkdir "$dir/bin"
(cd "$place" && meson setup build) >/dev/null 2>&1
runs
fails "a part that is not there" "the part 'part' cannot be built"

part_comes
runs
passes "a part that came after the configuration" 2

mv "$place" "$dir/moved"
place=$dir/moved
echo "test('new', find_program('true'), suite: 'unit')" >>"$place/meson.build"
runs
passes "a build directory of another commit and another place" 3

rm "$dir/bin/pp-part"
runs
fails "a part that went" "the part 'part' cannot be built"

runs --setup -Dpart=disabled
passes "a part that an option disabled" 2
ok "a part that an option disabled: says so" grep -q 'left out by choice.*part' "$dir/out"
finish
