#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The long form of the fault tests: 20,000 issuances of a plain release build with 5 % of everything
# at the CA going wrong. No request may stay without an answer, memory has to be flat, no descriptor
# may leak, and the daemon has to end cleanly.
#
#	contrib/soak.sh [--count N] [--clients N] [--sighup [SECONDS]] [--faults]
#
# --sighup changes the configuration and sends SIGHUP every few seconds (3). --faults runs the whole matrix of faults and steps
# instead, with all examples (tests/live/faults/test_ca_faults.py).
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/lib.sh
. contrib/lib.sh

faults=no
arguments=()
for a in "$@"; do
	if [ "$a" = --faults ]; then
		faults=yes
	else
		arguments+=("$a")
	fi
done

build="build-soak"
step "build in $build"
mkdir -p "$build"
configure "$build" -Dbuildtype=release || die "meson cannot set up $build"
ninja -C "$build" src/bin/acmems tests/ca/testca >"$build/build.log" 2>&1 ||
	die "the build failed" "$build/build.log"

export ACMEMS_BIN=$PWD/$build/src/bin/acmems TESTCA_BIN=$PWD/$build/tests/ca/testca
export PYTHONDONTWRITEBYTECODE=1
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy no_proxy NO_PROXY
unset ACME_CAFILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR

if [ "$faults" = yes ]; then
	step "every fault at every step"
	ACMEMS_LONG=1 exec /usr/bin/python3 -m pytest -c tests/live/pytest.ini --rootdir tests/live \
		tests/live/faults/test_ca_faults.py -n "$(nproc)" -q
fi
step "soak"
exec /usr/bin/python3 tests/live/faults/soak.py ${arguments[@]+"${arguments[@]}"}
