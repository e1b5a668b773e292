#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# All tests: installs what they need, builds with AddressSanitizer and UBSan and libevent's debug
# mode, runs the unit, flow, fuzz-corpus and lint suites, the live suite against Pebble (the
# system's and a newer one), the unit and flow suites again under valgrind in a plain build, a
# minute of fuzzing (contrib/fuzz.sh), in which each target counts as a test, and the static checks
# (contrib/static.sh). Where the suites run whole, they have to cover 90 % of the lines of src.
#
#	contrib/test.sh [STEP...]	steps: meson live valgrind fuzz static; all, if none is named
#
# The last line is "N passed, N failed, N skipped". With CI=true it is a failure if no newer Pebble
# or no root tree (contrib/tree.sh) can be had; otherwise what needs it is skipped.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/lib.sh
. contrib/lib.sh

build="build-test"
results=$build/results
steps=${*:-meson live valgrind fuzz static}
cover=90 # percent
python=/usr/bin/python3
extra_failed=0

# shellcheck disable=SC2317
finish() {
	local code=$?
	trap - EXIT
	if [ -x "$python" ] && [ -d "$results" ]; then
		"$python" contrib/count-results.py --extra-failed "$extra_failed" "$results" || code=1
	else
		echo "0 passed, 1 failed, 0 skipped"
	fi
	exit "$code"
}
trap finish EXIT
trap 'extra_failed=$((extra_failed + 1)); exit 130' INT TERM HUP

# A step that could not be done counts as one failure, and the others go on.
failed() {
	printf '\n%s: %s\n' "${0##*/}" "$1" >&2
	if [ -n "${2-}" ] && [ -s "$2" ]; then
		tail -n 60 "$2" >&2
	fi
	extra_failed=$((extra_failed + 1))
}

wanted() {
	case " $steps " in *" $1 "*) return 0 ;; esac
	return 1
}

mkdir -p "$build" 2>/dev/null
if [ ! -w "$build" ]; then
	extra_failed=1
	die "$(pwd)/$build cannot be written by $(id -un): use a checkout of your own, or remove that folder"
fi
rm -rf "$results"
mkdir -p "$results"

step "packages"
extra_failed=1 # until the next steps are reached
# shellcheck disable=SC2086
need_packages "$build/packages.log" $packages_build $packages_test
if wanted fuzz; then
	need_fuzz_packages "$build/packages.log"
fi
if wanted static; then
	# shellcheck disable=SC2086
	need_packages "$build/packages.log" $packages_static
fi
extra_failed=0

newer='' tree=''
if wanted live; then
	if newer=$(contrib/pebble.sh "$build/pebble-new"); then
		say "newer Pebble: $newer"
	elif [ "${CI:-}" = true ]; then
		failed "no newer Pebble: in CI its tests must run"
	else
		say "what needs a newer Pebble is skipped"
	fi
	if tree=$(contrib/tree.sh "$build/tree"); then
		say "root tree for packages and images: $tree"
	elif [ "${CI:-}" = true ]; then
		failed "no root tree: in CI the tests of packages and images must run"
	else
		say "what needs a root tree is skipped"
	fi
fi

# From here on nothing comes from outside. What the caller's environment trusts or proxies is no
# concern of the tests.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy no_proxy NO_PROXY
unset ACME_CAFILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR

# shellcheck disable=SC2317
build_in() {
	local dir=$1
	shift
	step "build in $dir"
	mkdir -p "$build/logs"
	if ! configure "$dir" "$@"; then
		failed "meson cannot set up $dir"
		return 1
	fi
	if ! ninja -C "$dir" >"$build/logs/build.log" 2>&1; then
		failed "the build in $dir failed" "$build/logs/build.log"
		return 1
	fi
}

# meson_test DIR NAME ARGUMENT...: runs suites and keeps their results.
meson_test() {
	local dir=$1 name=$2 code f found=no
	shift 2
	rm -f "$dir/meson-logs/$name".json "$dir/meson-logs/$name"-*.json
	meson test -C "$dir" --no-rebuild --print-errorlogs --logbase "$name" "$@"
	code=$?
	# With a wrapper its name is appended.
	for f in "$dir/meson-logs/$name".json "$dir/meson-logs/$name"-*.json; do
		if [ -s "$f" ]; then
			cp "$f" "$results/$name.json"
			found=yes
		fi
	done
	# No result and no failure: nothing is in these suites.
	if [ "$found" = no ] && [ "$code" -ne 0 ]; then
		failed "meson test $* ended with code $code and no result"
	elif [ "$code" -ne 0 ] && "$python" contrib/count-results.py "$results/$name.json" >/dev/null; then
		failed "meson test $* ended with code $code, though no test failed"
	fi
}

export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=1:handle_abort=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS=report_objects=0

built=no
if wanted meson || wanted live; then
	build_in "$build/asan" -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
		-Db_coverage=true -Ddebug_checks=true -Dwerror=true && built=yes
	find "$build/asan" -name '*.gcda' -delete
fi

if [ "$built" = yes ] && wanted meson; then
	for suite in unit flow fuzz-corpus lint; do
		step "$suite"
		meson_test "$build/asan" "$suite" --suite "$suite"
	done
fi

if [ "$built" = yes ] && wanted live; then
	step "live"
	ACMEMS_BIN=$PWD/$build/asan/src/bin/acmems TESTCA_BIN=$PWD/$build/asan/tests/ca/testca \
		PEBBLE_NEW=$newer ACMEMS_TREE=$tree PYTHONDONTWRITEBYTECODE=1 \
		"$python" -m pytest -c tests/live/pytest.ini --rootdir tests/live tests/live \
		-n "$(($(nproc) * 2))" --dist loadgroup -q -rfEs --junit-xml "$results/live.xml" ||
		[ -s "$results/live.xml" ] || failed "pytest did not run"
fi

# coverage: the summary counts it as a test.
coverage() {
	local result=OK log=$build/logs/coverage.log
	gcovr --root . --filter src/ --object-directory "$build/asan" \
		--fail-under-line "$cover" "$build/asan" >"$log" 2>&1 || result=FAIL
	printf '{"name": "coverage", "result": "%s"}\n' "$result" >"$results/coverage.json"
	if [ "$result" = FAIL ]; then
		tail -n 20 "$log" >&2
	fi
	say "lines of src that ran: $(awk '$1 == "TOTAL" { print $3 " of " $2 ", " $4 }' "$log")"
}

if [ "$built" = yes ] && wanted meson && wanted live; then
	step "coverage"
	coverage
fi

if wanted valgrind; then
	build_in "$build/plain" -Dbuildtype=debugoptimized -Ddebug_checks=true -Dwerror=true && {
		step "unit and flow under valgrind"
		meson_test "$build/plain" valgrind --suite unit --suite flow --timeout-multiplier 20 \
			--wrap "valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --child-silent-after-fork=yes"
	}
fi

if wanted fuzz; then
	contrib/fuzz.sh --total 60 --results "$results/fuzz.json"
	code=$?
	# A target that found something stands in the results.
	if [ $code -ne 0 ] && { [ ! -s "$results/fuzz.json" ] ||
		"$python" contrib/count-results.py "$results/fuzz.json" >/dev/null; }; then
		failed "contrib/fuzz.sh ended with code $code and no finding"
	fi
fi

if wanted static; then
	contrib/static.sh --results "$results/static.json" || [ -s "$results/static.json" ] ||
		failed "contrib/static.sh did not run"
fi

# finish() counts and says it.
exit 0
