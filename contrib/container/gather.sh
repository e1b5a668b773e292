#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# gather.sh PROGRAMS IMAGE: puts into the folder IMAGE what the programs installed below PROGRAMS need
# to run: themselves, each library they load, and the certificates of the public CAs.
set -eu

programs=$1
image=$2

mkdir -p "$image/etc" "$image/tmp" "$image/usr/lib/ssl"
chmod 1777 "$image/tmp"

# The path of each library as it is asked for, and of the loader. Nothing is there to run a script.
for program in "$programs"/usr/bin/* "$programs"/usr/sbin/*; do
	libraries=$(ldd "$program" 2>/dev/null) || continue
	to=$image${program#"$programs"}
	mkdir -p "${to%/*}"
	cp "$program" "$to"
	printf '%s\n' "$libraries"
done >"$programs/libraries"
sed -n 's/^[[:space:]]*\(.* => \)\{0,1\}\(\/[^ ]*\) (0x.*/\2/p' "$programs/libraries" | sort -u >"$programs/paths"
while read -r library; do
	mkdir -p "$image${library%/*}"
	cp -L "$library" "$image$library"
done <"$programs/paths"

# One file, where OpenSSL looks by itself.
cp /etc/ssl/certs/ca-certificates.crt "$image/usr/lib/ssl/cert.pem"

# Names of hosts as everywhere else.
echo 'hosts: files dns' >"$image/etc/nsswitch.conf"
