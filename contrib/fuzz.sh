#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Fuzzing: builds the programs of tests/fuzz with clang, libFuzzer, AddressSanitizer and UBSan in
# build-fuzz/, runs one after the other, and prints a table. Ends with 1 if one found something.
#
#	contrib/fuzz.sh [--seconds N | --total N] [--results FILE] [TARGET...]
#
# --seconds: for each target (60); --total: for all of them together; --results: also as meson test
# logs them. TARGET: a name such as csr or http_server; all, if none is named.
#
# Inputs that reach something new stay in build-fuzz/new/TARGET and are the seeds of the next run,
# beside those of tests/fuzz/corpus/TARGET. An input that is a finding goes to build-fuzz/findings/,
# and from there, with what mends it, into that corpus: there it is an ordinary test.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/lib.sh
. contrib/lib.sh

build="build-fuzz"
seconds=60
total=''
results=''
targets=''

usage() {
	echo "usage: contrib/fuzz.sh [--seconds N | --total N] [--results FILE] [TARGET...]" >&2
	exit 2
}

is_number() {
	case $1 in '' | *[!0-9]* | 0*) return 1 ;; esac
}

while [ $# -gt 0 ]; do
	case $1 in
	--seconds | --total)
		is_number "${2-}" || usage
		if [ "$1" = --total ]; then total=$2; else seconds=$2; fi
		shift
		;;
	--results)
		[ -n "${2-}" ] || usage
		results=$2
		shift
		;;
	-*) usage ;;
	*)
		[ -f "tests/fuzz/fuzz_$1.c" ] || die "there is no target '$1': see tests/fuzz/fuzz_*.c"
		targets="$targets $1"
		;;
	esac
	shift
done
if [ -z "$targets" ]; then
	for source in tests/fuzz/fuzz_*.c; do
		source=${source##*/fuzz_}
		targets="$targets ${source%.c}"
	done
fi
# shellcheck disable=SC2086
set -- $targets
if [ -n "$total" ]; then
	seconds=$((total / $#))
	[ "$seconds" -gt 0 ] || seconds=1
fi

mkdir -p "$build" 2>/dev/null
[ -w "$build" ] || die "$(pwd)/$build cannot be written by $(id -un): use a checkout of your own, or remove that folder"
if [ -n "$results" ]; then
	: >"$results" || die "$results cannot be written"
fi

step "packages"
need_fuzz_packages "$build/packages.log"

step "build in $build"
CC=clang configure "$build" -Dfuzz=true -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
	-Db_lundef=false -Ddebug_checks=true -Dsystemd=disabled || die "meson cannot set up $build"
ninja -C "$build" "${@/#/tests/fuzz/fuzz_}" >"$build/build.log" 2>&1 ||
	die "the build in $build failed" "$build/build.log"

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0:handle_abort=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=report_objects=0

# fuzz TARGET LOG: the seconds it has.
fuzz() {
	local target=$1 log=$2 dict=tests/fuzz/dict/$1.dict
	local arguments=(-max_total_time="$seconds" -print_final_stats=1 -timeout=25
		-artifact_prefix="$build/findings/$target-")
	if [ -f "$dict" ]; then
		arguments+=(-dict="$dict")
	fi
	mkdir -p "$build/new/$target"
	"$build/tests/fuzz/fuzz_$target" "${arguments[@]}" "$build/new/$target" \
		"tests/fuzz/corpus/$target" </dev/null >"$log" 2>&1
}

# record TARGET RESULT
record() {
	if [ -n "$results" ]; then
		printf '{"name": "fuzz-%s", "result": "%s"}\n' "$1" "$2" >>"$results"
	fi
}

step "$# targets, $seconds s each"
mkdir -p "$build/logs" "$build/findings"
found=''
printf '    %-20s %12s %8s %9s\n' target executions seconds findings
for target in "$@"; do
	log=$build/logs/$target.log
	begin=$SECONDS
	if fuzz "$target" "$log"; then
		findings=0 result=OK
	else
		findings=1 result=FAIL
		found="$found $target"
	fi
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	printf '    %-20s %12s %8s %9s\n' "$target" "${executions:--}" $((SECONDS - begin)) $findings
	record "$target" "$result"
done

for target in $found; do
	printf '\n%s: what %s found (%s):\n' "${0##*/}" "$target" "$build/logs/$target.log" >&2
	grep -E '^(==|SUMMARY|Test unit written)|ERROR|runtime error|^ +#[0-9] ' "$build/logs/$target.log" |
		head -n 40 | sed 's/^/    /' >&2
done
[ -z "$found" ]
