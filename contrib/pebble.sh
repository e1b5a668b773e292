#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# pebble.sh DIR: puts a Pebble newer than the system's below DIR, without touching the system, and
# prints the path of its folder of programs. The newest of Debian's suites that runs here is taken,
# from the mirror this machine already uses. What is there already is kept: then no network is used.
#
# Exit code 3, with the reason, when none can be had.
set -u
# shellcheck source=contrib/lib.sh
. "$(dirname "$0")/lib.sh"

dir=${1:?usage: pebble.sh DIR}
bin=usr/bin

none() {
	printf 'pebble.sh: no newer Pebble: %s\n' "$1" >&2
	exit 3
}

# Runs, and knows a flag that only the newer ones have.
usable() {
	"$1/pebble" -h 2>&1 | grep -q -- -dnsserver &&
		"$1/pebble-challtestsrv" -h 2>&1 | grep -q -- '-doh'
}

if [ -x "$dir/$bin/pebble" ] && usable "$dir/$bin"; then
	(cd "$dir/$bin" && pwd)
	exit 0
fi

mirror=$(debian_mirror) || none "$mirror"
keyring=$(debian_keyring) || none "$keyring"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
# apt drops privileges to _apt, which must reach the folder.
chmod 755 "$work"
reason=

for suite in forky sid trixie; do
	rm -rf "$work/apt" "$work/root"
	mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/root"
	printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" >"$work/apt/sources.list"
	apt() {
		apt-get -q -o "Dir::State=$work/apt/state" -o "Dir::Cache=$work/apt/cache" \
			-o "Dir::Etc::SourceList=$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
			-o Dir::Etc::PreferencesParts=/dev/null -o Debug::NoLocking=true \
			-o Acquire::Languages=none -o APT::Sandbox::User=root "$@" >"$work/log" 2>&1
	}
	if ! apt update || ! (cd "$work" && apt download pebble); then
		reason="$suite: $(grep -E '^(E|W|Err)' "$work/log" | head -n 1)"
		continue
	fi
	dpkg -x "$work"/pebble_*.deb "$work/root" || none "the package of $suite cannot be unpacked"
	rm -f "$work"/pebble_*.deb
	if ! usable "$work/root/$bin"; then
		reason="the one of $suite does not run on this system"
		continue
	fi
	if ! mkdir -p "$dir" || ! rm -rf "${dir:?}/usr" || ! cp -a "$work/root/usr" "$dir/"; then
		none "$dir cannot be written"
	fi
	(cd "$dir/$bin" && pwd)
	exit 0
done
none "${reason:-no suite has one}"
