#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A certificate in two minutes: installs what is missing, builds in build-demo/, runs the daemon
# against Pebble, Let's Encrypt's test CA, on loopback, and asks for a certificate as a client would.
# Everything it starts ends with it. Runs on Debian 12 and 13 and Ubuntu 24.04, as root or with sudo.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=contrib/lib.sh
. contrib/lib.sh

build="build-demo"
run=$build/run
pids=''

# shellcheck disable=SC2317
cleanup() {
	local p
	# In reverse: the daemon first, so that it can still talk to the CA while it leaves.
	for p in $pids; do
		kill "$p" 2>/dev/null
	done
	for p in $pids; do
		wait "$p" 2>/dev/null
	done
	pids=''
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$build" 2>/dev/null
[ -w "$build" ] || die "$(pwd)/$build cannot be written by $(id -un): run this in a checkout of your own, or remove that folder"

step "1/5 packages"
# shellcheck disable=SC2086
need_packages "$build/packages.log" $packages_build $packages_demo

# apt may need a proxy; from here on all is local, and nobody else decides whom curl trusts.
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
unset ACME_CAFILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE

step "2/5 build, in $build/"
configure "$build" -Dtests=false -Dbuildtype=debugoptimized || die "meson cannot set up the build in $build"
ninja -C "$build" >"$build/build.log" 2>&1 || die "the build failed" "$build/build.log"
acmems=$build/src/bin/acmems
[ -x "$acmems" ] || die "the build made no $acmems" "$build/build.log"
say "$($acmems --version | head -n 1)"

step "3/5 a certificate authority and the daemon, on loopback"
rm -rf "$run"
mkdir -p "$run" || die "$run cannot be made"

# The ports of examples/demo.conf; where one is taken, the next free one, in a copy.
conf=examples/demo.conf
ca_port=$(free_port 14000)
mgmt_port=$(free_port 11313)
challenge_port=$(free_port 15002)
ca_mgmt_port=$(free_port 15000)
dns_port=$(free_port 18053)
dns_mgmt_port=$(free_port 18055)
if [ "$ca_port/$mgmt_port/$challenge_port" != 14000/11313/15002 ]; then
	sed -e "s/:14000\\b/:$ca_port/" -e "s/:11313\\b/:$mgmt_port/" -e "s/:15002\\b/:$challenge_port/" \
		"$conf" >"$run/demo.conf"
	conf=$run/demo.conf
	say "some ports are taken: using $conf with free ones"
fi

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 -keyout "$run/tls.key" -out "$run/tls.pem" 2>"$run/openssl.log" ||
	die "openssl cannot make a certificate for the CA's own HTTPS" "$run/openssl.log"
cat >"$run/pebble.json" <<JSON
{ "pebble": {
	"listenAddress": "127.0.0.1:$ca_port", "managementListenAddress": "127.0.0.1:$ca_mgmt_port",
	"certificate": "$run/tls.pem", "privateKey": "$run/tls.key",
	"httpPort": $challenge_port, "tlsPort": 15001, "certificateValidityPeriod": 7776000,
	"profiles": { "default": { "description": "90 days", "validityPeriod": 7776000 } } } }
JSON

# Older versions call the DNS listener -dns01 and know no -doh.
if pebble-challtestsrv -h 2>&1 | grep -q -- -dnsserver; then
	dns="-dnsserver 127.0.0.1:$dns_port -doh="
else
	dns="-dns01 127.0.0.1:$dns_port"
fi
# shellcheck disable=SC2086
pebble-challtestsrv $dns -management "127.0.0.1:$dns_mgmt_port" -http01 "" -https01 "" -tlsalpn01 "" \
	-defaultIPv4 127.0.0.1 -defaultIPv6 "" >"$run/challtestsrv.log" 2>&1 &
pid=$!
pids="$pid $pids"
wait_for 15 "$pid" port_used "$dns_mgmt_port" ||
	die "the test CA's name server (pebble-challtestsrv) does not start" "$run/challtestsrv.log"

PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 GOMAXPROCS=1 \
	pebble -config "$run/pebble.json" -dnsserver "127.0.0.1:$dns_port" >"$run/pebble.log" 2>&1 &
pid=$!
pids="$pid $pids"
wait_for 15 "$pid" port_used "$ca_port" || die "the test CA (pebble) does not start" "$run/pebble.log"
say "Pebble, the CA:  https://127.0.0.1:$ca_port/dir"

: >"$run/acmems.out"
"$acmems" "$conf" >>"$run/acmems.out" 2>"$run/acmems.log" &
pid=$!
pids="$pid $pids"
wait_for 15 "$pid" grep -q '^running' "$run/acmems.out" || die "acmems does not start" "$run/acmems.log"
say "acmems:          http://127.0.0.1:$mgmt_port/sign   (configuration: $conf)"

step "4/5 a certificate, as a client gets it"
url=http://127.0.0.1:$mgmt_port/sign
key=$run/www.key
csr=$run/www.csr
san=subjectAltName=DNS:www.example.org,DNS:mail.example.org

# show COMMAND...: prints the command as a person would type it.
show() {
	printf '    %s$ %s%s\n' "$bold" "$*" "$plain"
}

show "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -addext $san -keyout $key -out $csr"
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj / -addext "$san" \
	-keyout "$key" -out "$csr" 2>"$run/openssl.log" || die "openssl cannot make key and CSR" "$run/openssl.log"

# ask FILE: posts the CSR; the answer goes to FILE, its time to $taken.
ask() {
	local code
	show "curl --data-binary @$csr -o $1 $url"
	code=$(curl -sS --noproxy '*' --max-time 60 --data-binary "@$csr" -o "$1" \
		-w '%{http_code} %{time_total}' "$url" 2>"$run/curl.log") ||
		die "curl got no answer from the daemon: $(cat "$run/curl.log")" "$run/acmems.log"
	taken=${code#* }
	code=${code%% *}
	[ "$code" = 200 ] || die "the daemon answered $code: $(cat "$1")" "$run/acmems.log"
}

ask "$run/www.pem"
say "200 OK after $taken s: $(grep -c BEGIN "$run/www.pem") certificates, the first one is ours:"
openssl x509 -in "$run/www.pem" -noout -subject -ext subjectAltName -issuer -startdate -enddate -serial \
	2>"$run/openssl.log" | sed 's/^[[:space:]]*/        /' ||
	die "what came back is no certificate" "$run/www.pem"
[ "$(openssl x509 -in "$run/www.pem" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] ||
	die "the certificate is not for the key we made"

step "5/5 the same once more: this time it comes from the cache"
orders=$(grep -c 'POST /order-plz' "$run/pebble.log")
ask "$run/again.pem"
serial=$(openssl x509 -in "$run/again.pem" -noout -serial)
[ "$serial" = "$(openssl x509 -in "$run/www.pem" -noout -serial)" ] ||
	die "the second certificate has another serial number ($serial): it did not come from the cache" "$run/acmems.log"
[ "$orders" = "$(grep -c 'POST /order-plz' "$run/pebble.log")" ] ||
	die "the second request made a second order at the CA" "$run/acmems.log"
say "200 OK after $taken s: the same ${serial}, and the CA was not asked"

cleanup
trap - EXIT
step "done; everything that was started has ended"
cat <<END

    What was used lies in $run/: keys, certificates, the cache, and the logs.
    Next:
      - README.md, "Set-up in five minutes": the daemon on a server of yours
      - examples/minimal.conf to start from, examples/acmems.conf with every option
      - contrib/test.sh runs the tests
END
