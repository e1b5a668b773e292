#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# tree.sh DIR: puts a small root tree of this machine's Debian release below DIR, for the tests of
# packages and images, without touching the system, and prints its path:
#
#	DIR/base.tar	the tree: what apt needs and nothing else
#	DIR/repo	the packages the tests install into it, for apt as file:/repo
#
# All comes through apt from the mirror this machine already uses. What is there already is kept:
# then no network is used. Needs root, and a mount namespace: all that is unpacked for it lies in
# memory, and ends with it.
#
# Exit code 3, with the reason, when none can be had.
set -u
# shellcheck source=contrib/lib.sh
. "$(dirname "$0")/lib.sh"

dir=${1:?usage: tree.sh DIR}
# What the image builds with, and what the packages and the image need to run; libraries come with
# their headers.
wanted="$packages_build ca-certificates adduser"

none() {
	printf 'tree.sh: no root tree: %s\n' "$1" >&2
	exit 3
}

if [ "${2-}" != inside ]; then
	codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
	wanted_now="$codename $(dpkg --print-architecture 2>/dev/null): $wanted"
	if [ -f "$dir/base.tar" ] && [ "$(cat "$dir/made-for" 2>/dev/null)" = "$wanted_now" ]; then
		(cd "$dir" && pwd)
		exit 0
	fi
	[ "$(id -u)" -eq 0 ] || none "this needs root"
	unshare --mount true 2>/dev/null || none "this needs mount namespaces"
	command -v mmdebstrap >/dev/null || none "mmdebstrap is not installed"
	rm -rf "${dir:?}/repo" "$dir/made-for"
	mkdir -p "$dir/repo/partial" "$dir/ram" || none "$dir cannot be written"
	unshare --mount --propagation private "$0" "$dir" inside >"$dir/log" 2>&1 ||
		none "see $dir/log: $(grep -E '^(E|tree.sh)' "$dir/log" | head -n 1)"
	printf '%s\n' "$wanted_now" >"$dir/made-for"
	(cd "$dir" && pwd)
	exit 0
fi

# In the namespace.
dir=$(cd "$dir" && pwd) || exit 1
mirror=$(debian_mirror) || none "$mirror"
keyring=$(debian_keyring) || none "$keyring"
codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
mount -t tmpfs -o mode=755 tmpfs "$dir/ram" || none "no memory file system can be mounted"

# How this machine reaches the mirror, and what it checks of it.
apt-config dump | grep -E '^Acquire::(http|https|Check)' >"$dir/ram/apt.conf"

# sources.list, in the tree: the packages beside it. Whatever the tree's dpkg writes need not be on
# the disk before the next step.
# shellcheck disable=SC2016 # the hooks' shell expands them
REPO=$dir/repo WANTED=$wanted TMPDIR=$dir/ram mmdebstrap --mode=root --variant=minbase --format=tar \
	--aptopt="$dir/ram/apt.conf" --dpkgopt=force-unsafe-io \
	--skip=cleanup/apt/lists \
	--customize-hook='APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -q -y --no-install-recommends --download-only -o "Dir::Cache::archives=$REPO" -o APT::Sandbox::User=root install $WANTED' \
	--customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1"/etc/apt/sources.list.d/*' \
	--customize-hook='echo "deb [trusted=yes] file:/repo ./" >"$1/etc/apt/sources.list"; rm -f "$1/etc/resolv.conf" "$1/etc/hostname"' \
	"$codename" "$dir/base.tar.new" "deb [signed-by=$keyring] $mirror $codename main" || exit 1
rm -rf "$dir/repo/partial" "$dir/repo/lock"
(cd "$dir/repo" && dpkg-scanpackages -m . >Packages) || exit 1
mv -f "$dir/base.tar.new" "$dir/base.tar"
