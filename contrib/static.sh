#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck disable=SC2317 # the checks are called by name
#
# Static checks of src: clang-tidy (.clang-tidy), clang's analyzer (scan-build) and cppcheck, each of
# which has to find nothing. gcc's -fanalyzer is for reading: build-static/gcc-analyzer.log.
#
#	contrib/static.sh [--results FILE] [clang-tidy] [scan-build] [cppcheck] [gcc-analyzer]
#
# Without names the first three. --results: also as meson test logs them. What another version of
# clang says of the same lines is no measure; with one, the first two are skipped.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/lib.sh
. contrib/lib.sh

build="build-static"
clang_version=14
results=''
checks=''
failed=0

while [ $# -gt 0 ]; do
	case $1 in
	--results)
		[ -n "${2-}" ] || die "--results wants a file"
		results=$2
		shift
		;;
	clang-tidy | scan-build | cppcheck | gcc-analyzer) checks="$checks $1" ;;
	*) die "usage: contrib/static.sh [--results FILE] [clang-tidy] [scan-build] [cppcheck] [gcc-analyzer]" ;;
	esac
	shift
done

mkdir -p "$build" 2>/dev/null
[ -w "$build" ] || die "$(pwd)/$build cannot be written by $(id -un): use a checkout of your own, or remove that folder"
if [ -n "$results" ]; then
	: >"$results" || die "$results cannot be written"
fi

step "packages"
# shellcheck disable=SC2086
need_packages "$build/packages.log" $packages_build $packages_static

# Each of these runs one check over src, and fails if it finds something or cannot be run.
clang_tidy() {
	CC=clang configure "$build/clang" -Dsystemd=disabled &&
		run-clang-tidy -p "$build/clang" -j "$(nproc)" -quiet "$PWD/src/.*\.c$"
}

scan_build() {
	rm -rf "$build/scan"
	scan-build --use-cc=clang meson setup "$build/scan" -Dsystemd=disabled &&
		scan-build --use-cc=clang --status-bugs -o "$PWD/$build/reports" \
			ninja -C "$build/scan" src/bin/acmems src/bin/acme-get src/bin/acme-register
}

# What a function fills through a pointer looks uninitialized to it.
cppcheck_src() {
	cppcheck --enable=warning,performance,portability --std=c11 --quiet --error-exitcode=1 \
		--include="/usr/include/$(gcc -print-multiarch)/sys/queue.h" -I src \
		-U__clang_analyzer__ --suppress=missingIncludeSystem --suppress=ctuuninitvar -j "$(nproc)" src
}

gcc_analyzer() {
	CC=gcc configure "$build/gcc" -Dsystemd=disabled -Dc_args=-fanalyzer &&
		ninja -C "$build/gcc" src/bin/acmems src/bin/acme-get src/bin/acme-register
}

fits() {
	case $1 in
	clang-tidy | scan-build) [ "$(clang -dumpversion | cut -d. -f1)" = $clang_version ] ;;
	esac
}

# check NAME FUNCTION
check() {
	local name=$1 result=OK log=$build/$1.log
	case " ${checks:- clang-tidy scan-build cppcheck} " in *" $name "*) ;; *) return ;; esac
	step "$name"
	if ! fits "$name"; then
		say "skipped: it is clang $clang_version that counts"
		result=SKIP
	elif ! "$2" >"$log" 2>&1; then
		result=FAIL
		failed=1
		grep -E '(warning|error):' "$log" | sort -u | head -n 40 | sed 's/^/    /' >&2 ||
			tail -n 20 "$log" >&2
	fi
	if [ -n "$results" ]; then
		printf '{"name": "static-%s", "result": "%s"}\n' "$name" "$result" >>"$results"
	fi
}

check clang-tidy clang_tidy
check scan-build scan_build
check cppcheck cppcheck_src
check gcc-analyzer gcc_analyzer
exit $failed
