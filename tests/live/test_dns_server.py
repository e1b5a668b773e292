# SPDX-License-Identifier: GPL-3.0-or-later
"""dns-01 on the built-in name server, and through the challenge test server."""
import hashlib
import re
import select
import signal
import socket
import threading
import time

import pytest

from lab.bind import lock_file
from lab.fakeca import FakeCa, b64, thumbprint
from lab.http import request
from lab.util import Process, free_port, run, wait_until

ZONE = "acme.example.net"
NAMES = ["example.org", "*.example.org"]
OURS = {"domain": ["example.org", "*.example.org"]}
PER_CLIENT = 256


# Asking

class Answer:
    """What dig printed."""

    def __init__(self, text):
        self.text = text
        status = re.search(r"status: (\w+)", text)
        self.status = status.group(1) if status else None
        flags = re.search(r"^;; flags: ([a-z ]*);", text, re.M)
        self.flags = flags.group(1).split() if flags else []
        self.edns = re.search(r"^; EDNS: version: 0, flags:.*; udp: 1232$", text, re.M) is not None
        self.question = re.search(r"^;([^;\s]\S*)\s+(?:IN|CH)\s+\S+$", text, re.M)
        self.question = self.question.group(1) if self.question else None
        self.records, self.authority = [], []
        section = None
        for line in text.splitlines():
            if line.startswith(";; ") and line.endswith(" SECTION:"):
                section = {"ANSWER": self.records, "AUTHORITY": self.authority}.get(line.split()[1])
            elif line and not line.startswith(";") and section is not None:
                section.append(line.split(None, 4))

    def values(self):
        return sorted(r[4].strip('"') for r in self.records if r[3] == "TXT")

    def __repr__(self):
        return self.text


def dig(port, name, kind="TXT", *options, server="127.0.0.1"):
    """Without retry, and without following a truncated answer."""
    return Answer(run("dig", f"@{server}", "-p", port, "+tries=1", "+time=5", "+ignore", "+norecurse",
                      "+nocookie", *options, name, kind).stdout)


def txt(port, name, *options):
    return dig(port, name, "TXT", *options).values()


# A CA that offers dns-01

class DnsCa(FakeCa):
    """Asks a name server for the value instead of a web server."""
    dns_port = None

    def challenge_body(self, authz):
        return {**super().challenge_body(authz), "type": "dns-01"}

    def authz_body(self, authz):
        body = super().authz_body(authz)
        own = f"{self.base}/challenge/{authz['number']}"
        body["challenges"] = [c for c in body["challenges"]
                              if c["type"] not in ("dns-01", "http-01") or c["url"] == own]
        return body

    def fetch(self, authz):
        values = txt(self.dns_port, "_acme-challenge." + authz["identifier"]["value"])
        for account in self.accounts.values():
            expected = f"{authz['token']}.{thumbprint(account['jwk'])}"
            if b64(hashlib.sha256(expected.encode()).digest()) in values:
                return expected
        return None


@pytest.fixture
def dnsca(tls, tmp_path):
    ca = DnsCa(tmp_path / "dnsca", tls, free_port(), free_port())
    yield ca
    ca.close()


def responder_conf(port, **options):
    return {'verification "http"': None,
            'verification "dns"': {"type": "dns01-server", "listener": f"127.0.0.1:{port}", **options},
            'auth "test"': OURS}


class Asking:
    """A request in the background."""

    def __init__(self, daemon, csr, timeout=60):
        self.response = self.error = None
        self._thread = threading.Thread(target=self._run, args=(daemon, csr, timeout))
        self._thread.start()

    def _run(self, *args):
        try:
            self.response = args[0].sign(args[1], timeout=args[2])
        except Exception as e:
            self.error = e

    def wait(self):
        self._thread.join()
        return self.response


@pytest.fixture
def presented(make_daemon, dnsca, csrs):
    """A daemon whose responder serves two values, for an order that nobody validates."""
    dnsca.validation = "never"
    port = dnsca.dns_port = free_port()
    made = []

    def make(**options):
        d = make_daemon(dnsca, responder_conf(port, **options))
        made.append((d, Asking(d, csrs.make(*NAMES))))
        wait_until(lambda: len(txt(port, "_acme-challenge.example.org")) == 2)
        return d, port
    yield make
    for d, asking in made:
        d.stop()
        asking.wait()


# The name server

TABLE = [
    # name, type, options, status, flags, answers, EDNS
    ("_acme-challenge.example.org", "TXT", [], "NOERROR", "qr aa", 2, True),
    ("_acme-challenge.example.org", "TXT", ["+tcp"], "NOERROR", "qr aa", 2, True),
    ("_acme-challenge.example.org", "TXT", ["+noedns"], "NOERROR", "qr aa", 2, False),
    ("_acme-challenge.example.org", "TXT", ["+bufsize=512"], "NOERROR", "qr aa", 2, True),
    ("_acme-challenge.example.org", "TXT", ["+cookie"], "NOERROR", "qr aa", 2, True),
    ("_acme-challenge.example.org", "TXT", ["+dnssec"], "NOERROR", "qr aa", 2, True),
    ("_acme-challenge.example.org", "TXT", ["+recurse"], "NOERROR", "qr aa rd", 2, True),
    ("_aCmE-cHaLlEnGe.ExAmPlE.oRg", "TXT", [], "NOERROR", "qr aa", 2, True),
    ("example.org." + ZONE, "TXT", [], "NOERROR", "qr aa", 2, True),
    ("eXample.Org.aCme.Example.net", "TXT", ["+tcp"], "NOERROR", "qr aa", 2, True),
    ("example.org." + ZONE, "A", [], "NOERROR", "qr aa", 0, True),
    ("example.org." + ZONE, "CAA", [], "NOERROR", "qr aa", 0, True),
    ("example.org." + ZONE, "TYPE65280", [], "NOERROR", "qr aa", 0, True),
    ("example.org." + ZONE, "ANY", ["+notcp"], "NOERROR", "qr aa", 1, True),
    ("example.org." + ZONE, "ANY", ["+tcp"], "NOERROR", "qr aa", 1, True),
    ("org." + ZONE, "TXT", [], "NOERROR", "qr aa", 0, True),
    ("nothing." + ZONE, "TXT", [], "NXDOMAIN", "qr aa", 0, True),
    ("nothing." + ZONE, "ANY", ["+notcp"], "NXDOMAIN", "qr aa", 0, True),
    (ZONE, "SOA", [], "NOERROR", "qr aa", 1, True),
    (ZONE, "NS", [], "NOERROR", "qr aa", 1, True),
    (ZONE, "A", [], "NOERROR", "qr aa", 0, True),
    ("example.com", "A", [], "REFUSED", "qr", 0, True),
    ("example.com", "ANY", ["+notcp"], "REFUSED", "qr", 0, True),
    (".", "NS", [], "REFUSED", "qr", 0, True),
    (ZONE, "AXFR", [], None, "", 0, False),
    (ZONE, "SOA", ["-c", "CH"], "REFUSED", "qr", 0, True),
    (ZONE, "SOA", ["+ednsflags=0x80"], "NOERROR", "qr aa", 1, True),
    (ZONE, "SOA", ["+edns=1", "+noednsneg"], "BADVERS", "qr", 0, True),
    (ZONE, "SOA", ["+opcode=NOTIFY"], "NOTIMP", "qr", 0, False),
    (ZONE, "SOA", ["+opcode=UPDATE"], "NOTIMP", "qr", 0, False),
    ("", "", ["+header-only"], "FORMERR", "qr", 0, False),
]


def test_answers_are_counted(dnsca, make_daemon, csrs, cert):
    dnsca.dns_port, status = free_port(), free_port()
    d = make_daemon(dnsca, {**responder_conf(dnsca.dns_port), "status": {"listener": f"127.0.0.1:{status}"}})
    cert(d.sign(csrs.make("example.org")))
    metrics = request(("127.0.0.1", status), "GET", "/metrics").body.decode()
    assert re.search(r'^acmems_challenges_presented_total\{type="dns01-server"\} 1$', metrics, re.M)
    assert re.search(r'^acmems_challenges_answered_total\{type="dns01-server"\} [1-9]', metrics, re.M)


def test_dig(presented):
    _, port = presented(zone=ZONE, ns="ns1." + ZONE)
    for name, kind, options, status, flags, answers, edns in TABLE:
        arguments = [a for a in (name, kind) if a]
        a = Answer(run("dig", "@127.0.0.1", "-p", port, "+tries=1", "+time=5", "+ignore", "+norecurse",
                       "+nocookie", *options, *arguments, check=False).stdout)
        what = f"{name} {kind} {options}\n{a}"
        assert a.status == status, what
        if status is None:
            assert "Transfer failed" in a.text, what
            continue
        assert " ".join(a.flags) == flags, what
        assert len(a.records) == answers, what
        assert a.edns == edns, what
        if name and status not in ("NOTIMP", "FORMERR"):
            assert a.question == name.rstrip(".") + ".", what
        for record in a.records:
            assert record[0] == a.question, what
        if status in ("NOERROR", "NXDOMAIN"):
            assert [r[3] for r in a.authority] == ([] if answers else ["SOA"]), what


def test_soa_and_ns(presented):
    d, port = presented(zone=ZONE, ns="ns1." + ZONE)
    (soa,) = dig(port, ZONE, "SOA").records
    assert soa[4].startswith(f"ns1.{ZONE}. hostmaster.{ZONE}. "), soa
    (ns,) = dig(port, ZONE, "NS").records
    assert ns[4] == f"ns1.{ZONE}."
    assert len(txt(port, "example.org." + ZONE)) == 2


def test_serial_changes_with_the_records(make_daemon, dnsca, csrs, cert):
    port = dnsca.dns_port = free_port()
    d = make_daemon(dnsca, responder_conf(port, zone=ZONE))

    def serial():
        return int(dig(port, ZONE, "SOA").records[0][4].split()[2])
    before = serial()
    cert(d.sign(csrs.make(*NAMES)))
    assert 0 < (serial() - before) % 2**32 < 2**31


def test_address_of_the_zone(presented):
    _, port = presented(zone=ZONE, record="192.0.2.7")
    for name in (ZONE, "www." + ZONE):
        assert [r[4] for r in dig(port, name, "A").records] == ["192.0.2.7"]
        assert dig(port, name, "AAAA").records == []
    assert dig(port, "_acme-challenge.example.org", "A").records == []


@pytest.mark.parametrize("env, expected", [(None, "127.0.0.1"), ("192.0.2.9", "192.0.2.9")])
def test_without_a_zone(make_daemon, dnsca, env, expected):
    """For tests: authoritative for every name, as the original was."""
    port = free_port()
    make_daemon(dnsca, responder_conf(port), env={"FAKE_DNS": env} if env else None)
    a = dig(port, "any.name.example", "A")
    assert a.status == "NOERROR" and [r[4] for r in a.records] == [expected]
    assert dig(port, "any.name.example", "TXT").status == "NOERROR"


# Connections

def test_connections_are_bounded(presented):
    _, port = presented(zone=ZONE)
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(PER_CLIENT + 10)]

    def closed():
        readable, _, _ = select.select(held, [], [], 0)
        return len(readable)
    try:
        wait_until(lambda: closed() == 10)
        # Neither UDP nor another client suffers.
        assert len(txt(port, "_acme-challenge.example.org")) == 2
        assert len(txt(port, "_acme-challenge.example.org", "+tcp", "-b", "127.0.0.2")) == 2
        assert closed() == 10
    finally:
        for s in held:
            s.close()
    wait_until(lambda: dig_tcp_works(port))


def dig_tcp_works(port):
    p = run("dig", "@127.0.0.1", "-p", port, "+tcp", "+tries=1", "+time=5", "+short",
            "_acme-challenge.example.org", "TXT", check=False)
    return p.returncode == 0 and p.stdout.count('"') == 4


def test_idle_connections_end(presented):
    _, port = presented(zone=ZONE)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        start = time.monotonic()
        s.send(b"\x00")
        assert s.recv(1) == b""
        assert time.monotonic() - start > 5


# Pebble

@pytest.fixture
def direct(make_pebble, make_daemon):
    """direct(**options) -> daemon, port, pebble: the CA asks the responder and nobody else."""
    def make(**options):
        pebble = make_pebble()
        port = free_port()
        d = make_daemon(pebble, responder_conf(port, **options))
        pebble.dns.dns_port = port
        pebble.restart()
        d.restart()
        return d, port, pebble
    return make


@pytest.mark.parametrize("options", [{}, {"zone": ZONE, "record": "127.0.0.1"}])
def test_apex_and_wildcard_on_the_responder(direct, csrs, cert, options):
    d, port, _ = direct(**options)
    c = cert(d.sign(csrs.make(*NAMES)))
    assert c.names == sorted(NAMES)
    assert txt(port, "_acme-challenge.example.org") == []
    assert txt(port, "example.org." + ZONE) == []


def test_many_orders_at_once(direct, csrs, cert):
    d, port, _ = direct()
    bodies = [csrs.make(f"*.n{i}.example.org", f"n{i}.example.org") for i in range(16)]
    for asking in [Asking(d, b) for b in bodies]:
        cert(asking.wait())
    for i in range(16):
        assert txt(port, f"_acme-challenge.n{i}.example.org") == []


NAMED = """
options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key"; {lock}
  recursion yes; allow-recursion {{ any; }}; dnssec-validation no; }};
controls {{ }};
zone "example.org" {{ type primary; file "{folder}/example.org.zone"; }};
zone "{zone}" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {responder}; }}; }};
"""

DELEGATING = """$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
  NS ns
ns A 127.0.0.1
_acme-challenge CNAME example.org.acme.example.net.
"""


def test_delegated_by_cname(make_pebble, make_daemon, csrs, cert, tmp_path):
    """_acme-challenge.example.org CNAME example.org.ZONE: all that the operator writes."""
    pebble, responder, port = make_pebble(), free_port(), free_port()
    d = make_daemon(pebble, responder_conf(responder, zone=ZONE, record="127.0.0.1"))
    folder = tmp_path / "named"
    folder.mkdir()
    (folder / "example.org.zone").write_text(DELEGATING)
    (folder / "named.conf").write_text(NAMED.format(lock=lock_file(), folder=folder, port=port, zone=ZONE,
                                                    responder=responder))
    named = Process("named", ["named", "-c", folder / "named.conf", "-g", "-n", "1"], folder)
    try:
        named.wait_ready(lambda: "all zones loaded" in named.err())
        pebble.dns.dns_port = port
        pebble.restart()
        d.restart()
        assert cert(d.sign(csrs.make(*NAMES))).names == sorted(NAMES)
        assert txt(responder, "example.org." + ZONE) == []
    finally:
        named.stop()


@pytest.mark.parametrize("kind, option", [("dns01-challtestsrv", "set-txt_url"),
                                          ("dns01-boulder", "set_txt_url")])
def test_apex_and_wildcard_through_challtestsrv(make_pebble, make_daemon, csrs, cert, kind, option):
    pebble = make_pebble()
    d = make_daemon(pebble, {
        'verification "http"': None,
        'verification "dns"': {"type": kind, option: f"http://127.0.0.1:{pebble.dns.port}/set-txt"},
        'auth "test"': OURS})
    assert cert(d.sign(csrs.make(*NAMES))).names == sorted(NAMES)
    wait_until(lambda: txt(pebble.dns.dns_port, "_acme-challenge.example.org") == [])


def test_challtestsrv_is_down(make_pebble, make_daemon, csrs):
    pebble = make_pebble()
    d = make_daemon(pebble, {
        'verification "http"': None,
        'verification "dns"': {"type": "dns01-challtestsrv",
                               "set-txt_url": f"http://127.0.0.1:{free_port()}/set-txt"},
        'auth "test"': OURS})
    d.sign(csrs.make(*NAMES)).expect(503, "challenge test server", "refused")


# Nothing is left behind

def test_gone_after_failure(make_daemon, dnsca, csrs):
    dnsca.validation = "invalid"
    port = dnsca.dns_port = free_port()
    d = make_daemon(dnsca, responder_conf(port, zone=ZONE))
    d.sign(csrs.make(*NAMES)).expect(421, "example.org")
    wait_until(lambda: txt(port, "_acme-challenge.example.org") == [])
    assert txt(port, "example.org." + ZONE) == []


def test_gone_after_the_client_left(make_daemon, dnsca, csrs, cert):
    """The order goes on without him, and ends as every order does."""
    dnsca.validation_delay = 1.5
    dnsca.validation = "real"
    port = dnsca.dns_port = free_port()
    d = make_daemon(dnsca, responder_conf(port, zone=ZONE))
    csr = csrs.make(*NAMES)
    asking = Asking(d, csr, timeout=0.7)
    wait_until(lambda: len(txt(port, "_acme-challenge.example.org")) == 2)
    assert asking.wait() is None
    assert isinstance(asking.error, TimeoutError)
    wait_until(lambda: txt(port, "_acme-challenge.example.org") == [])
    cert(d.sign(csr))


def test_stays_open_while_draining(presented):
    """SIGTERM: the responder answers until the last challenge is withdrawn."""
    d, port = presented(zone=ZONE)
    d.process.signal(signal.SIGTERM)
    d.wait_log("SIGTERM|shutting down|draining")
    assert len(txt(port, "_acme-challenge.example.org")) == 2
    assert len(txt(port, "_acme-challenge.example.org", "+tcp")) == 2
    d.process.wait(20)
    d.check_end()


def test_challtestsrv_is_clean_after_failure_and_sigterm(make_pebble, make_daemon, dnsca, csrs):
    """The records are not ours: what we leave there stays."""
    pebble = make_pebble()
    dnsca.dns_port = pebble.dns.dns_port

    def daemon(name):
        return make_daemon(dnsca, {
            'verification "http"': None,
            'verification "dns"': {"type": "dns01-challtestsrv",
                                   "set-txt_url": f"http://127.0.0.1:{pebble.dns.port}/set-txt"},
            'auth "test"': OURS}, name=name)

    def values():
        return txt(pebble.dns.dns_port, "_acme-challenge.example.org")
    dnsca.validation = "invalid"
    daemon("failing").sign(csrs.make(*NAMES)).expect(421)
    wait_until(lambda: values() == [])
    dnsca.validation = "never"
    d = daemon("ending")
    asking = Asking(d, csrs.make(*NAMES))
    wait_until(lambda: len(values()) == 2)
    d.stop()
    asking.wait().expect(503)
    assert values() == []
