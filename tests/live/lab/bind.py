# SPDX-License-Identifier: GPL-3.0-or-later
"""BIND as an ordinary program on loopback: primaries that take signed updates, secondaries, resolvers."""
import re
import shutil

from .util import Process, free_port, port_open, run

NAMED = shutil.which("named") or shutil.which("named", path="/usr/sbin:/sbin")
KEYGEN = shutil.which("tsig-keygen") or shutil.which("tsig-keygen", path="/usr/sbin:/sbin")



def lock_file():
    """BIND 9.18 locks a file of the system unless told not to; 9.20 knows the option no more."""
    version = re.search(r"BIND 9\.(\d+)", run(NAMED, "-v").stdout)
    return "lock-file none;" if int(version[1]) < 19 else ""


SOA = "@ SOA ns1 hostmaster 1 {refresh} 1 86400 0\n"


class Key:
    """A TSIG key, in a file as tsig-keygen writes it."""

    def __init__(self, folder, name="acmems.example", algorithm="hmac-sha256"):
        self.name = name
        self.path = folder / f"{name}.{algorithm}.key"
        self.text = run(KEYGEN, "-a", algorithm, name).stdout
        self.path.write_text(self.text)
        self.path.chmod(0o600)

    def wrong_secret(self, folder):
        """The same name with another secret."""
        other = Key(folder, self.name)
        other.path.rename(folder / "wrong.key")
        other.path = folder / "wrong.key"
        return other


class Bind:
    """One named, on 127.0.0.1 or ::1: it listens on addresses that an interface has, and on loopback
    those are the two. Zones are added before start()."""

    def __init__(self, folder, address="127.0.0.1", port=None, key=None, options="recursion no;"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.address, self.port, self.key = address, port or free_port(), key
        self.options, self.zones = options, []
        self.process = None

    @property
    def where(self):
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def primary(self, zone, records="", refresh=3600, notify=False, policy=True):
        """records: lines of a zone file below SOA, TTL 0."""
        path = self.folder / f"{zone}.zone"
        path.write_text(f"$TTL 0\n{SOA.format(refresh=refresh)}{records}")
        grant = f"update-policy {{ grant {self.key.name} zonesub TXT; }};" if policy and self.key else ""
        self.zones.append(f'zone "{zone}" {{ type primary; file "{path}"; notify '
                          f'{"yes" if notify else "no"}; {grant} }};')
        return self

    def secondary(self, zone, primary):
        """Follows by the zone's refresh alone unless it is notified."""
        self.zones.append(
            f'zone "{zone}" {{ type secondary; file "{self.folder}/{zone}.copy"; notify no;'
            f' primaries {{ {primary.address} port {primary.port}; }}; min-refresh-time 1;'
            f' max-refresh-time 3600; min-retry-time 1; max-retry-time 1; }};')
        return self

    def forward(self, zone, server):
        self.zones.append(f'zone "{zone}" {{ type forward; forward only; forwarders {{'
                          f' {server.address} port {server.port}; }}; }};')
        return self

    def start(self):
        conf = self.folder / "named.conf"
        listen = f"listen-on port {self.port} {{ {self.address}; }}; listen-on-v6 {{ none; }};"
        if ":" in self.address:
            listen = f"listen-on {{ none; }}; listen-on-v6 port {self.port} {{ {self.address}; }};"
        conf.write_text(
            f'options {{ directory "{self.folder}"; {listen}'
            f' pid-file "{self.folder}/named.pid"; session-keyfile none;'
            f' {lock_file()} dnssec-validation no; allow-transfer {{ any; }}; empty-zones-enable no;'
            f' notify-delay 0; serial-query-rate 1000; {self.options} }};\n'
            'controls { };\n' + (self.key.text if self.key else "") + "\n".join(self.zones) + "\n")
        self.process = Process("named", [NAMED, "-c", conf, "-g", "-n", "1"], self.folder)
        self.process.wait_ready(lambda: port_open(self.port, self.address) and
                                re.search(r"\brunning$", self.process.err(), re.M))
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def dig(self, *args):
        return run("dig", f"@{self.address}", "-p", self.port, "+tries=1", "+time=3", "+noall", "+answer",
                   "+norecurse", *args, check=False).stdout

    def txt(self, zone):
        """Every TXT record of a zone: sorted (owner, value)."""
        found = re.findall(r'^(\S+)\.\s+\d+\s+IN\s+TXT\s+"([^"]*)"', self.dig("axfr", zone), re.M)
        return sorted(found)

    def serves(self, zone):
        return "SOA" in self.dig(zone, "SOA")
