# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What demo.sh and test.sh share. Sourced, never run.

# The packages each step needs, on Debian 12 and 13 and on Ubuntu 24.04.
# shellcheck disable=SC2034
packages_build="gcc libc6-dev meson ninja-build pkgconf libevent-dev libssl-dev libjansson-dev libldns-dev \
  liburing-dev"
# shellcheck disable=SC2034
packages_demo="pebble openssl curl ca-certificates"
# shellcheck disable=SC2034
packages_test="pebble openssl curl wget ca-certificates libcmocka-dev libsystemd-dev valgrind \
  nginx-light bind9 bind9-dnsutils python3 python3-pytest python3-pytest-xdist clang-format shellcheck mandoc \
  gcovr busybox systemd apache2 haproxy caddy prometheus \
  mmdebstrap build-essential debhelper lintian buildah netavark git"
# llvm: for traces with names and lines.
packages_fuzz="clang llvm libcmocka-dev"

# shellcheck disable=SC2034
packages_static="clang clang-tidy clang-tools cppcheck perl" # scan-build is in Perl

# nginx and the like live there, and a user's PATH on Debian lacks it.
PATH=$PATH:/usr/sbin:/sbin

if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

step() {
	printf '%s==>%s %s\n' "$bold" "$plain" "$*"
}

say() {
	printf '    %s\n' "$*"
}

# Ends the script with one sentence, and the end of a log if one is named.
die() {
	printf '\n%s: %s\n' "${0##*/}" "$1" >&2
	if [ -n "${2-}" ] && [ -s "$2" ]; then
		printf 'The last lines of %s:\n' "$2" >&2
		tail -n 25 "$2" | sed 's/^/    /' >&2
	fi
	exit 1
}

package_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
		# A name that other packages provide (pkgconf and pkg-config swapped places).
		{ [ "$1" = pkgconf ] && command -v pkg-config >/dev/null; }
}

# need_packages LOG PACKAGE...: installs those that are missing. A machine that has them all needs
# neither root nor a network.
need_packages() {
	local log=$1 missing='' p root=''
	shift
	command -v dpkg-query >/dev/null ||
		die "this script installs packages with apt and knows Debian 12 and 13 and Ubuntu 24.04. Elsewhere, install what README.md names and build with meson."
	for p in "$@"; do
		package_installed "$p" || missing="$missing $p"
	done
	if [ -z "$missing" ]; then
		say "all packages are there"
		return
	fi
	say "missing:$missing"
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			die "packages are missing and there is no sudo: run this as root, or install them first:$missing"
		root="sudo DEBIAN_FRONTEND=noninteractive"
	else
		root="env DEBIAN_FRONTEND=noninteractive"
	fi
	say "apt-get update"
	$root apt-get -q update >"$log" 2>&1 ||
		die "the package lists cannot be fetched (apt-get update): is the network up?" "$log"
	for p in $missing; do
		apt-cache show "$p" >/dev/null 2>&1 ||
			die "this system's package sources have no package '$p' (on Ubuntu, is 'universe' enabled?)"
	done
	say "apt-get install (about a minute on a fresh machine)"
	# shellcheck disable=SC2086
	install_quietly "$log" "$root" $missing || die "packages cannot be installed:$missing" "$log"
}

# install_quietly LOG ROOT PACKAGE...: name servers and web servers are for the tests to run; as
# services they must not start, which a policy-rc.d says as long as apt runs. In a subshell, whose
# traps are its own: however this ends, the policy goes. One that a kill -9 left is known by its
# second line.
install_quietly() (
	log=$1 root=$2 policy=/usr/sbin/policy-rc.d mark='# of contrib/lib.sh, while apt runs'
	shift 2
	if [ ! -e $policy ] || grep -qxF "$mark" $policy; then
		trap '$root rm -f $policy' EXIT
		trap 'exit 130' INT
		trap 'exit 143' TERM HUP
		printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | $root tee $policy >/dev/null
		$root chmod 755 $policy
	fi
	$root apt-get -q -y --no-install-recommends install "$@" >>"$log" 2>&1
)

# Prints the address of the mirror of Debian's main archive, from the machine's own sources: deb822
# files first, then one-line ones. Where there is none: the reason, and fails.
debian_mirror() {
	local mirror
	if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
		echo "this needs apt-get and dpkg"
		return 1
	fi
	mirror=$(
		{
			cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*//p'
			cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
				sed -n 's/^deb[[:space:]]\{1,\}\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\).*/\2/p'
		} | tr ' ' '\n' | sed 's,/*$,,' | grep -E '/debian$' | head -n 1
	)
	if [ -z "$mirror" ]; then
		echo "no mirror of the main archive among the package sources of this machine"
		return 1
	fi
	printf '%s\n' "$mirror"
}

# Prints the file of the keys that sign that archive. Where there is none: the reason, and fails.
debian_keyring() {
	local k
	for k in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
		if [ -r "$k" ]; then
			printf '%s\n' "$k"
			return
		fi
	done
	echo "the package debian-archive-keyring is not installed"
	return 1
}

# need_fuzz_packages LOG: the sanitizers and libFuzzer are in a package that bears clang's version.
need_fuzz_packages() {
	local version
	# shellcheck disable=SC2086
	need_packages "$1" $packages_build $packages_fuzz
	version=$(clang -dumpversion) || die "clang does not run"
	need_packages "$1" "libclang-rt-${version%%.*}-dev"
}

# configure DIR ARGUMENT...: meson setup, anew where the folder is of another version or broken. The
# log ends up as DIR/setup.log.
configure() {
	local dir=$1 log
	shift
	log=$(mktemp) || return 1
	if [ ! -e "$dir/build.ninja" ] || ! meson setup --reconfigure "$dir" "$@" >"$log" 2>&1; then
		rm -rf "$dir"
		if ! meson setup "$dir" "$@" >"$log" 2>&1; then
			tail -n 25 "$log" | sed 's/^/    /' >&2
			rm -f "$log"
			return 1
		fi
	fi
	mv -f "$log" "$dir/setup.log"
}

port_used() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Prints the first free port from the given one on.
free_port() {
	local port=$1
	while port_used "$port"; do
		port=$((port + 1))
	done
	printf '%s\n' "$port"
}

# wait_for SECONDS PID COMMAND...: until the command succeeds. Fails when the process has ended or
# the time is over.
wait_for() {
	local deadline=$((SECONDS + $1)) pid=$2
	shift 2
	until "$@"; do
		if ! kill -0 "$pid" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
			return 1
		fi
		sleep 0.05
	done
}
