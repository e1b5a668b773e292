# SPDX-License-Identifier: GPL-3.0-or-later
"""acme-get against both Pebbles, which ask its own name server for everything."""
import fcntl
import json
import os
import pty
import pwd
import re
import signal
import ssl
import stat
import struct
import subprocess
import termios
import urllib.request

import pytest

from lab import http
from lab.csr import Cert, pubkey_of
from lab.get import BINARY, Get, acme_get
from lab.util import clean_env, port_open, run

NAMES = ["example.org", "*.example.org"]


def domains(*names):
    return [x for n in names for x in ("--domain", n)]


def dig(port, name, kind, *options):
    """Status and data of the answers."""
    text = run("dig", "@127.0.0.1", "-p", port, "+tries=1", "+time=5", "+norecurse", *options, name, kind).stdout
    status = re.search(r"status: (\w+)", text)[1]
    return status, re.findall(rf"^\S+\s+\d+\s+IN\s+{kind}\s+(.*)$", text, re.M)


def curl(get, ca, name, path="/", *options):
    """The page over HTTPS, verified against what the CA's certificates are trusted by."""
    root = get.folder / "ca-root.pem"
    root.write_bytes(ca.roots())
    p = run("curl", "-sS", "--noproxy", "*", "--cacert", root, "--resolve",
            f"{name}:{get.https_port}:127.0.0.1", *options, f"https://{name}:{get.https_port}{path}",
            check=False)
    assert p.returncode == 0, p.stderr
    return p.stdout


def revocation(ca, serial):
    """What the CA says of it: Valid or Revoked, and the reason."""
    context = ssl.create_default_context(cafile=str(ca.tls.root))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=context))
    url = f"https://127.0.0.1:{ca.management}/cert-status-by-serial/{serial.lower()}"
    answer = json.loads(opener.open(url, timeout=10).read())
    return answer["Status"], answer.get("Reason")


class House:
    """A Pebble that asks acme-get for addresses and TXT records, and nobody else."""

    def __init__(self, get, ca):
        self.get, self.ca = get, ca

    def start(self, *args, record="127.0.0.1"):
        return self.get.start(*args, "--record", record, directory=self.ca.directory,
                              ca_file=self.ca.tls.root)

    def revoke(self, *args):
        """--revoke-cert to its end."""
        return acme_get("--revoke-cert", *args, "--dir", self.ca.directory, "--ca-file", self.ca.tls.root)

    def cert(self):
        return Cert(self.get.cert.read_bytes(), self.get.folder).check_format()


@pytest.fixture
def make_get(tmp_path):
    made = []

    def make(**kw):
        made.append(Get(tmp_path / f"get{len(made) or ''}", **kw))
        return made[-1]
    yield make
    for g in made:
        g.close()


@pytest.fixture
def house(make_pebble, make_get):
    get = make_get()
    return House(get, make_pebble(get.http_port, dns_port=get.dns_port))


@pytest.fixture
def small(make_testca, make_get):
    """The same with the CA that misbehaves on command; it connects to 127.0.0.1 by itself."""
    get = make_get()
    ca = make_testca("--validate", "--dns-server", f"127.0.0.1:{get.dns_port}",
                     challenge_port=get.http_port)

    def start(*args):
        return get.start(*args, "--record", "127.0.0.1", directory=ca.directory, ca_file=ca.trust)
    get.run = start
    return get, ca


# The whole way

def test_http01(house):
    g = house.start("http01", *domains("www.example.org", "mail.example.org", "127.0.0.1")).serving()
    cert = house.cert()
    assert cert.names == ["mail.example.org", "www.example.org"] and cert.ips == ["127.0.0.1"]
    assert cert.pubkey() == pubkey_of(g.key)
    assert "BEGIN PRIVATE KEY" in g.key.read_text()
    text = run("openssl", "pkey", "-in", g.key, "-noout", "-text").stdout
    assert "2048 bit" in text
    assert stat.S_IMODE(g.key.stat().st_mode) == 0o600
    assert stat.S_IMODE((g.out / "account" / "account.pem").stat().st_mode) == 0o600
    # Each authorization in plain lines, as this is no terminal.
    for name in cert.names:
        steps = re.findall(rf"^{re.escape(name)}: (.*)$", g.said(), re.M)
        assert steps == ["the answer is made available", "the CA is looking", "valid"]
    assert "\033" not in g.said()
    # Both responders.
    assert http.request(("127.0.0.1", g.http_port), "GET", "/").status == 200
    assert http.request(("127.0.0.1", g.http_port), "GET", "/other").status == 404
    for how in ("+notcp", "+tcp"):
        assert dig(g.dns_port, "any.name.example", "A", how) == ("NOERROR", ["127.0.0.1"])
        assert dig(g.dns_port, "any.name.example", "AAAA", how) == ("NOERROR", [])
        assert dig(g.dns_port, "_acme-challenge.www.example.org", "TXT", how) == ("NOERROR", [])
    # The page, and the certificate as it is.
    page = curl(g, house.ca, "www.example.org")
    for word in (cert.serial, "www.example.org", "mail.example.org", cert.pems[0].splitlines()[1]):
        assert word in page, page
    assert curl(g, house.ca, "mail.example.org", "/cert.pem") == g.cert.read_text()
    assert "404" in curl(g, house.ca, "www.example.org", "/key.pem", "-i").splitlines()[0]
    assert http.request(("127.0.0.1", g.control_port), "POST", "/shutdown", b"").status == 405
    assert http.request(("127.0.0.1", g.control_port), "GET", "/other").status == 404
    assert http.request(("127.0.0.1", g.control_port), "GET", "/shutdown").status == 200
    g.end()
    assert not port_open(g.https_port)


def test_dns01_wildcard_and_apex(house):
    g = house.start("dns01", *domains(*NAMES), "--key-type", "ec384", record="::1").serving()
    assert house.cert().names == sorted(NAMES)
    assert "NIST CURVE: P-384" in run("openssl", "pkey", "-in", g.key, "-noout", "-text").stdout
    assert dig(g.dns_port, "any.name.example", "AAAA") == ("NOERROR", ["::1"])
    assert dig(g.dns_port, "any.name.example", "A") == ("NOERROR", [])
    assert dig(g.dns_port, "_acme-challenge.example.org", "TXT") == ("NOERROR", [])
    assert http.request(("127.0.0.1", g.http_port), "GET", "/").status == 200
    assert "*.example.org" in curl(g, house.ca, "example.org")
    g.stop(signal.SIGTERM)
    # The account is found again; the pair is replaced.
    before = house.cert().serial
    house.start("dns01", *domains(*NAMES), "--no-serve", record="::1").end()
    assert "account found" in g.said() and "account registered" not in g.said()
    assert house.cert().serial != before
    assert house.cert().pubkey() == pubkey_of(g.key)


def test_own_request(house, csrs):
    g, name = house.get, "own.example.org"
    request = g.folder / "own.csr"
    request.write_bytes(csrs.make(name, "127.0.0.1.example.org", key="p256"))
    key = csrs.key("p256")
    # Without the key there is nothing to serve with.
    house.start("http01", "--csr", request).end()
    assert house.cert().pubkey() == pubkey_of(key)
    assert not g.key.exists()
    assert "serving" not in g.said()
    house.start("http01", "--csr", request, "--key", key,
                *domains("127.0.0.1.example.org", name)).serving()
    assert house.cert().serial in curl(g, house.ca, name)
    assert not g.key.exists()
    g.stop(signal.SIGINT)


def test_revoke(house):
    g = house.start("http01", *domains("gone.example.org"), "--revoke", "--reason", "4").serving()
    serial = house.cert().serial
    assert re.search(rf"^revoked: serial {serial}$", g.said(), re.M)
    assert revocation(house.ca, serial) == ("Revoked", 4)
    assert "<th>Revoked</th><td>yes</td>" in curl(g, house.ca, "gone.example.org")
    g.stop()


def test_revoke_cert(house):
    """By the account, or by its own key; nobody else."""
    g, account = house.get, house.get.out / "account"

    def issue():
        house.start("http01", *domains("gone.example.org"), "--no-serve").end()
        assert revocation(house.ca, house.cert().serial)[0] == "Valid"
        return house.cert().serial
    serial = issue()
    code, out, err = house.revoke(g.cert, "--account-dir", account)
    assert (code, out.splitlines()[-1]) == (0, f"revoked: serial {serial}"), err
    assert revocation(house.ca, serial)[0] == "Revoked"
    code, out, err = house.revoke(g.cert, "--account-dir", account)
    assert (code, out.splitlines()[-1]) == (0, f"was revoked already: serial {serial}"), err

    serial = issue()
    code, out, err = house.revoke(g.cert, "--account-dir", g.folder / "nowhere")
    assert code == 2 and "--account-dir" in err and "--key" in err, err
    other = g.folder / "other.pem"
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other)
    code, out, err = house.revoke(g.cert, "--key", other)
    assert code == 2 and "is not the key of the certificate" in err, err
    assert revocation(house.ca, serial)[0] == "Valid"
    code, out, err = house.revoke(g.cert, "--key", g.key, "--account-dir", g.folder / "nowhere",
                                  "--reason", "1")
    assert (code, out) == (0, f"revoked: serial {serial}\n"), err
    assert revocation(house.ca, serial) == ("Revoked", 1)
    assert not (g.folder / "nowhere").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="wants to be root")
def test_account_of_somebody_else(small, tmp_path):
    """Root uses the account of a daemon that runs as somebody else, who can go on using it."""
    get, _ = small
    nobody = pwd.getpwnam("nobody")
    account = tmp_path / "account"
    account.mkdir(mode=0o700)
    os.chown(account, nobody.pw_uid, nobody.pw_gid)
    get.run("http01", *domains("www.example.org"), "--no-serve", "--account-dir", account).end()
    owners = {p.name: p.stat().st_uid for p in account.iterdir()}
    assert owners == dict.fromkeys(["account.pem", "account.lock", "registration.json"], nobody.pw_uid)
    assert get.key.stat().st_uid == 0


# What goes wrong

def test_wrong_record(house):
    """The CA looks elsewhere: a failed validation is not tried again."""
    g = house.start("http01", *domains("www.example.org"), record="127.0.0.250").end(1)
    err = g.process.err()
    assert re.match(r"acme-get: .*Validation failed for www\.example\.org: .+\n$", err), err
    assert g.said().endswith("www.example.org: failed\n")
    assert house.ca.orders() == 1
    assert not g.cert.exists() and not g.key.exists()


def test_begun_again(small):
    """One that fails for a passing reason, until it works."""
    g, ca = small
    ca.fault("new-order", "status", nth=1, count=1, status=500)
    ca.fault("finalize", "wrong-names", nth=1, count=1)
    g.run("http01", *domains("www.example.org"), "--no-serve").end()
    assert ca.count("new-order") == 3
    assert len(re.findall(r"^trying again in \d+ s \([12] of 2\)$", g.said(), re.M)) == 2
    assert g.cert.exists()


def test_given_up(small):
    """At most twice; and not at all where the CA wants a long pause."""
    g, ca = small
    ca.fault("new-order", "status", count=0, status=500)
    g.run("http01", *domains("www.example.org"), "--no-serve").end(1)
    assert ca.count("new-order") == 3
    assert g.process.err().startswith("acme-get: new order: ")
    assert not g.cert.exists()
    ca.reset().honest()
    ca.fault("new-order", "problem", count=0, type="rateLimited", status=429, retry_after="3600")
    before = ca.count("new-order")
    g.run("http01", *domains("www.example.org"), "--no-serve").end(1)
    assert ca.count("new-order") == before + 1
    assert "trying again" not in g.said()


FAULTS = [
    ("directory", {"name": "html", "status": 200}),
    ("new-account", {"name": "reset", "at": "request"}),
    ("authz", {"name": "cut-json"}),
    ("challenge", {"name": "busy", "status": 503, "retry-after": "1"}),
    ("finalize", {"name": "late-invalid"}),
    ("cert", {"name": "chain", "form": "garbage"}),
]


@pytest.mark.parametrize("endpoint, fault", FAULTS, ids=[f"{e}-{f['name']}" for e, f in FAULTS])
def test_one_fault(small, endpoint, fault):
    """Overcome or told; and both files are there, or none."""
    g, ca = small
    ca.rules({"endpoint": endpoint, "nth": 1, "count": 1, "fault": fault})
    g.run("dns01", *domains(*NAMES), "--key-type", "ec256", "--no-serve")
    code = g.process.wait(30)
    g.end(code)
    assert sum(r["fired"] for r in ca.rule_counts()) == 1, ca.rule_counts()
    assert g.cert.exists() == g.key.exists() == (code == 0)
    if code == 0:
        assert Cert(g.cert.read_bytes(), g.folder).pubkey() == pubkey_of(g.key)
    else:
        assert code == 1 and re.fullmatch(r"acme-get: .{20,}\n", g.process.err()), g.process.err()


@pytest.mark.parametrize("kind", ["http01", "dns01"])
def test_told_to_end(small, kind):
    """In the middle of an order: in order, and with nothing left behind."""
    g, ca = small
    ca.fault("challenge", "challenge-never", count=0)
    g.run(kind, *domains("www.example.org")).wait_said("the CA is looking")
    if kind == "dns01":
        assert len(dig(g.dns_port, "_acme-challenge.www.example.org", "TXT")[1]) == 1
        g.stop(signal.SIGTERM, expected=1)
    else:
        http.request(("127.0.0.1", g.control_port), "GET", "/shutdown").expect(200)
        g.end(1)
    assert g.process.err() == "acme-get: told to end before it was done\n"
    assert not g.cert.exists() and not g.key.exists()


def test_port_taken(small):
    g, ca = small
    g.https_port = ca.where[1]
    g.run("http01", *domains("www.example.org")).end(1)
    assert re.match(rf"acme-get: --https-listen: .*127\.0\.0\.1:{g.https_port}.*listens there already", g.process.err())
    assert ca.count("new-order") == 0
    assert not (g.out / "account").exists()


# The command line

GOOD = ["--dir", "https://ca.example/dir", "--record", "127.0.0.1"]

WRONG = [
    (["http01"], "--dir is missing"),
    ([*GOOD, *domains("a.example")], "say http01 or dns01"),
    (["http02", *GOOD, *domains("a.example")], "neither http01 nor dns01"),
    (["http01", *GOOD], "--domain is missing"),
    (["http01", "--dir", "https://ca.example/dir", *domains("a.example")], "--record is missing"),
    (["http01", *GOOD, "--domain"], "--domain: its value is missing"),
    (["http01", *GOOD, *domains("a.example"), "--colour"], "--colour: no such option"),
    (["http01", *GOOD, *domains("*.a.example")], "wildcard can only be had with dns01"),
    (["dns01", *GOOD, *domains("*.a.example", "www.a.example")], "www.a.example"),
    (["http01", *GOOD, "--csr", "/nowhere/x.csr"], "/nowhere/x.csr: No such file"),
    (["http01", *GOOD, *domains("a.example"), "--ca-file", "/nowhere/ca.pem"], "ca.pem"),
    (["http01", *GOOD, *domains("a.example"), "--https-listen", "5001"], "--https-listen"),
    (["http01", "--revoke-cert", "/nowhere/c.pem", *GOOD], "nothing is ordered"),
    (["--revoke-cert", "/nowhere/c.pem", *GOOD], "/nowhere/c.pem: No such file"),
    (["--revoke-cert", "/dev/null", *GOOD], "holds no certificate"),
]


@pytest.mark.parametrize("args, words", WRONG, ids=[w for _, w in WRONG])
def test_usage(tmp_path, args, words):
    code, out, err = acme_get(*args, cwd=tmp_path)
    assert (code, out) == (2, ""), err
    assert words in err and err.startswith("acme-get: "), err
    assert not list(tmp_path.iterdir())


def test_help():
    code, out, err = acme_get("--help")
    assert (code, err) == (0, "") and "acme-get http01|dns01" in out
    code, out, err = acme_get("--version")
    assert code == 0 and re.fullmatch(r"acme-get \S+\n", out)


# A terminal

def test_terminal(small):
    """One line for each authorization, changed in place."""
    g, ca = small
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        p = subprocess.Popen([BINARY, *map(str, g.args(
            "dns01", *domains(*NAMES), "--record", "127.0.0.1", "--no-serve", directory=ca.directory,
            ca_file=ca.trust))], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=clean_env())
        os.close(theirs)
        said = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            said += data
        assert p.wait(30) == 0, p.stderr.read()
        p.stderr.close()
    finally:
        os.close(ours)
    text = said.decode()
    assert "\033[2A" in text, text
    # What is left to see when it is over.
    screen, row = {}, 0
    for part in re.findall(r"\033\[2A|[^\n\033]*(?:\033\[K[^\n\033]*)?\r?\n", text):
        if part == "\033[2A":
            row -= 2
        else:
            screen[row] = re.sub(r"\033\[K|\r", "", part).rstrip()
            row += 1
    lines = [screen[i] for i in sorted(screen)]
    shown = [x.split() for x in lines if x.startswith("  ")]
    assert sorted(shown) == sorted([n, "valid"] for n in NAMES), "\n".join(lines)
