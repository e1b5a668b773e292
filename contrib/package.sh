#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# package.sh DIR: builds the Debian packages of contrib/debian from this tree and puts them into DIR.
# The build happens in a copy, DIR/source. DEB_BUILD_OPTIONS and DEB_BUILD_PROFILES=nocheck leave out
# the tests; "apt-get build-dep ./DIR/source" installs what is missing.
set -u -o pipefail
top=$(cd "$(dirname "$0")/.." && pwd) || exit 1
# shellcheck source=contrib/lib.sh
. "$top/contrib/lib.sh"

[ $# -eq 1 ] || die "usage: contrib/package.sh DIR"
command -v dpkg-buildpackage >/dev/null || die "dpkg-buildpackage is missing: install dpkg-dev and debhelper"
mkdir -p "$1" || exit 1
out=$(cd "$1" && pwd) || exit 1

version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$top/meson.build")
packaged=$(dpkg-parsechangelog -l "$top/contrib/debian/changelog" -S Version)
[ "$packaged" = "$version" ] || [ "${packaged%-*}" = "$version" ] ||
	die "contrib/debian/changelog is of version $packaged, meson.build of $version"

# The files of the tree: git's, else everything that is no build folder.
files() {
	if [ ! -e "$top/.git" ] ||
		! git -C "$top" ls-files -z --cached --others --exclude-standard 2>/dev/null; then
		(cd "$top" && find . \( -path './build*' -o -path ./.git \) -prune -o -type f -print0)
	fi
}

rm -rf "$out/source"
mkdir "$out/source" || exit 1
# A file that is removed but not yet committed is no failure.
files | tar -C "$top" --null --ignore-failed-read -T - -cf - | tar -C "$out/source" -xf - ||
	die "the tree cannot be copied to $out/source"
cp -R "$out/source/contrib/debian" "$out/source/debian" || exit 1
cd "$out/source" && dpkg-buildpackage -b -us -uc -ui
