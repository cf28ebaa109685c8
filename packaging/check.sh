#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# check.sh deb|rpm|files DIR - build packages in DIR, which is new, from what git has committed
#
#   deb    dpkg-buildpackage, then lintian: no errors
#   rpm    rpmbuild
#   files  the systemd unit, the container file, the versions, and the stages of the public workflow
set -eu

top=$(realpath "$(dirname "$0")/..")
what=$1
mkdir -p "$2"
dir=$(realpath "$2")
version=$(sed -n "s/^ *version: '\([0-9.]*\)',.*/\1/p" "$top/meson.build" | head -n 1)

# runs a command quietly, and shows its last lines if it fails
quiet() {
	"$@" >"$dir/log" 2>&1 || {
		tail -n 40 "$dir/log"
		echo "check.sh: failed: $*"
		exit 1
	}
}

deb() {
	git clone -q "$top" "$dir/pagepool"
	cd "$dir/pagepool"
	quiet env DEB_BUILD_OPTIONS="parallel=$(nproc)" dpkg-buildpackage -b -us -uc
	cd ..
	lintian --allow-root --fail-on error ./*.changes
	ls ./*.deb
}

rpm_packages() {
	mkdir -p "$dir"/{SOURCES,BUILD,RPMS}
	git -C "$top" archive --prefix="pagepool-$version/" -o "$dir/SOURCES/pagepool-$version.tar.gz" HEAD
	# --nodeps: the names of the needed packages are those of Fedora
	quiet rpmbuild -bb --nodeps --define "_topdir $dir" --define 'debug_package %{nil}' \
		--define '_libdir /usr/lib64' "$top/packaging/pagepool.spec"
	find "$dir/RPMS" -name '*.rpm' -exec basename {} \; | sort
	[ "$(find "$dir/RPMS" -name '*.rpm' | wc -l)" -eq 7 ]
}

files() {
	cd "$top"
	head -n 1 debian/changelog | grep -qF "($version" || { echo "debian/changelog: not $version"; exit 1; }
	grep -q "^Version: *$version$" packaging/pagepool.spec || { echo "pagepool.spec: not $version"; exit 1; }
	# what systemd-analyze says of a missing program is no fault of the unit
	mkdir -p "$dir"
	sed 's,/usr/bin/ppfwd,/bin/true,' packaging/ppfwd.service >"$dir/ppfwd.service"
	systemd-analyze verify "$dir/ppfwd.service"
	# each line of the container file is a comment or a known instruction, and what it copies is built
	grep -vE '^(#|FROM |COPY |RUN |ENTRYPOINT \[|$)' packaging/Containerfile && exit 1
	for package in $(grep '^COPY' packaging/Containerfile | grep -oE '[a-z0-9-]+_' | tr -d _); do
		grep -q "^Package: $package$" debian/control || { echo "Containerfile: no package $package"; exit 1; }
	done
	# the public workflow runs each stage once
	[ "$(sed -n 's/^ *stages: //p' .github/workflows/ci.yml | tr -d '][",' | xargs -n 1 | sort)" = \
		"$(sed -n 's/^all="deps \(.*\)"$/\1/p' .ci/run | xargs -n 1 | sort)" ] ||
		{ echo "ci.yml and .ci/run differ in their stages"; exit 1; }
	echo "unit, container file, versions and workflow: good"
}

case $what in
deb) deb ;;
rpm) rpm_packages ;;
files) files ;;
*)
	echo "usage: check.sh deb|rpm|files DIR" >&2
	exit 2
	;;
esac
