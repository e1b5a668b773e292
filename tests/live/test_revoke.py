# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /revoke: who may, what the CA is told, what nobody gets any more."""
import json
import shutil
import ssl
import threading
import time
import urllib.request

import pytest

from lab.csr import Cert
from lab.http import request
from lab.util import run, wait_until

KEY = "n048aX0G2Gc8zAvUfcbz8fFIpRwi1D"
MAY = {'auth "test"': {"ip": None, "hmac_type": "sha256", "hmac_key": KEY, "revoke": "yes"}}


class Client:
    """One that has the key."""

    def __init__(self, daemon):
        self.daemon = daemon

    def sign(self, csr):
        return self.daemon.post(csr, self.daemon.hmac(KEY, csr))

    def chain(self, csr):
        r = self.sign(csr)
        assert r.status == 200, repr(r)
        return r.body

    def revoke(self, pem, query="", key=KEY):
        return self.daemon.post(pem, self.daemon.hmac(key, pem), path="/revoke" + query)


@pytest.fixture
def client(make_daemon, testca):
    return Client(make_daemon(testca, MAY, ca_file=testca.trust))


def status_at(pebble, serial):
    context = ssl.create_default_context(cafile=str(pebble.tls.root))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                         urllib.request.HTTPSHandler(context=context))
    where = f"https://127.0.0.1:{pebble.management}/cert-status-by-serial/{serial.lower().lstrip('0')}"
    return json.loads(opener.open(where, timeout=10).read())


# As it should be

def test_revoked_and_had_anew(make_daemon, pebble, csrs, tmp_path):
    c = Client(make_daemon(pebble, MAY))
    csr = csrs.make("www.example.org")
    chain = c.chain(csr)
    first = Cert(chain, tmp_path)
    assert c.chain(csr) == chain
    assert status_at(pebble, first.serial)["Status"] == "Valid"
    r = c.revoke(chain, "?reason=4")
    r.expect(200, "^Revoked: ", first.serial, r"www\.example\.org")
    status = status_at(pebble, first.serial)
    assert status["Status"] == "Revoked" and status.get("Reason", 4) == 4
    assert not c.daemon.entries()
    # A second time: just the leaf, and nothing to be done.
    c.revoke(first.pems[0].encode()).expect(200, "^Revoked before: ")
    second = Cert(c.chain(csr), tmp_path)
    assert second.serial != first.serial and second.names == first.names
    assert status_at(pebble, second.serial)["Status"] == "Valid"


def test_compromised_key(make_daemon, pebble, csrs, tmp_path):
    c = Client(make_daemon(pebble, MAY))
    csr, other = csrs.make("www.example.org"), csrs.make("mail.example.org")
    chain, _ = c.chain(csr), c.chain(other)
    c.revoke(chain, "?reason=1").expect(200)
    assert status_at(pebble, Cert(chain, tmp_path).serial)["Status"] == "Revoked"
    assert not c.daemon.entries()
    for again in (False, True):
        if again:
            c.daemon.restart()
        for body in (csr, other, csrs.make("new.example.org")):
            c.sign(body).expect(415, r"example\.org", "make a new key")
    orders = pebble.orders()
    assert orders == 2
    assert c.sign(csrs.make("www.example.org", label="b")).status == 200
    # An operator who knows better.
    barred = list((c.daemon.storage / "barred-keys").iterdir())
    assert len(barred) == 1 and barred[0].stat().st_mode & 0o777 == 0o600
    barred[0].unlink()
    c.daemon.restart()
    assert c.sign(csr).status == 200


def test_running_order_fails(client, testca, csrs):
    chain = client.chain(csrs.make("www.example.org"))
    testca.fault("finalize", "delay", ms=20000)
    answers = []
    csr = csrs.make("slow.example.org")
    thread = threading.Thread(target=lambda: answers.append(client.sign(csr)))
    thread.start()
    wait_until(lambda: testca.count("finalize") >= 2, 10, "the second order is at finalize")
    began = time.monotonic()
    client.revoke(chain, "?reason=1").expect(200)
    thread.join(10)
    assert time.monotonic() - began < 10
    answers[0].expect(415, r"slow\.example\.org", "make a new key")
    client.daemon.wait_log(r" audit key barred .* serial=\w+")


# Over a reload

def test_not_stored_and_its_storage_gone(client, csrs):
    """What is in memory for a storage that no configuration has any more."""
    d, csr = client.daemon, csrs.make("www.example.org")
    shutil.rmtree(d.storage)
    d.storage.write_text("a file")
    chain = client.chain(csr)
    d.reload({'storage "file"': {"directory": d.folder / "moved"}})
    client.revoke(chain, "?reason=4").expect(200)
    d.storage.unlink()
    d.storage.mkdir()
    d.reload({'storage "file"': {"directory": d.storage}})
    assert client.chain(csr) != chain


def test_barred_in_a_storage_that_is_gone(client, csrs):
    d, csr = client.daemon, csrs.make("www.example.org")
    client.revoke(client.chain(csr), "?reason=1").expect(200)
    d.reload({'storage "file"': {"directory": d.folder / "moved"}})
    client.sign(csr).expect(415, "make a new key")
    d.reload({'storage "file"': {"directory": d.folder / "again"}})
    client.sign(csr).expect(415, "make a new key")


# Who may

def test_not_offered(fake_daemon, csrs):
    fake_daemon.post(b"x", path="/revoke").expect(404)
    assert request(fake_daemon.where, "GET", "/revoke").status == 404
    fake_daemon.post(b"x" * 5000, path="/revoke").expect(413, "4096")


def test_only_the_right_block(make_daemon, testca, csrs):
    """The key of another block, a block that may not revoke, an address: none of them is enough."""
    d = make_daemon(testca, {
        **MAY, 'auth "open"': {"ip": "127.0.0.1", "domain": "*.example.org"},
        'auth "sign"': {"hmac_type": "sha256", "hmac_key": "only to sign", "domain": "*.example.org"},
        'auth "other"': {"hmac_type": "sha256", "hmac_key": "of other names", "revoke": "yes",
                         "domain": "*.example.net"}}, ca_file=testca.trust)
    c = Client(d)
    csr = csrs.make("www.example.org", "mail.example.org")
    chain = c.chain(csr)
    d.post(chain, path="/revoke").expect(403, "without an HMAC")
    for key in ("wrong", "only to sign", "of other names"):
        c.revoke(chain, key=key).expect(403, r"www\.example\.org", "revocation")
    # The HMAC of another body.
    d.post(chain, d.hmac(KEY, csr), path="/revoke").expect(403)
    for query in ("?reason=2", "?reason=1&reason=0", "?raeson=1"):
        c.revoke(chain, query).expect(400, "compromised")
    for body in (csr, b"", b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        c.revoke(body).expect(415, "certificate in PEM")
    c.revoke(chain * 80).expect(413, "65536")
    r = request(d.where, "GET", "/revoke")
    assert r.status == 405 and r.header("Allow") == "POST"
    assert testca.count("revoke") == 0
    assert c.chain(csr) == chain
    # More than a CSR may have.
    assert len(chain * 4) > 4096
    c.revoke(chain * 4).expect(200)


def test_of_another_ca(client, csrs, tmp_path):
    """Made by anybody, for a name of ours and with a key of somebody else's: that bars nothing."""
    key = csrs.key()
    csr = csrs.make("www.example.org")
    chain = client.chain(csr)
    path = tmp_path / "forged.pem"
    run("openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=www.example.org", "-days", "9",
        "-addext", "subjectAltName=DNS:www.example.org", "-out", path)
    for query in ("", "?reason=1"):
        r = client.revoke(path.read_bytes(), query)
        assert r.status in (403, 415), repr(r)
        r.check_error()
    assert client.chain(csr) == chain


def test_configuration(make_daemon, fakeca):
    d = make_daemon(fakeca, {'auth "test"': {"revoke": "yes"}}, start=False)
    d.start(ready=False)
    assert d.process.wait(10) == 2
    d.expect_exit = 2
    assert "wants an HMAC" in d.log()


# The CA does not as it should

def problem(kind, status=400):
    return {"name": "problem", "type": kind, "status": status}


# Fault, how often, status, whether it is revoked there all the same.
FAULTS = [
    ({"name": "bad-nonce"}, 3, 200, True),
    ({"name": "busy", "status": 503, "retry-after": "1"}, 1, 200, True),
    (problem("alreadyRevoked"), 1, 200, False),
    (problem("unauthorized", 403), 2, 403, False),
    (problem("malformed", 404), 2, 415, False),
    (problem("badRevocationReason"), 1, 400, False),
    (problem("rateLimited", 429), 1, 429, False),
    (problem("serverInternal", 500), 1, 503, False),
    ({"name": "status", "status": 502}, 1, 503, False),
    ({"name": "reset", "at": "request"}, 2, 503, True),
    ({"name": "silence"}, 1, 504, True),
]


@pytest.mark.parametrize("compromised", [False, True], ids=["superseded", "compromised"])
def test_faults_of_the_ca(make_daemon, testca, csrs, compromised):
    """What fails changes nothing, but that a compromised key is barred; a repetition succeeds."""
    c = Client(make_daemon(testca, {**MAY, "mgmt": {"timeout": "3"}}, ca_file=testca.trust))
    query = "?reason=1" if compromised else "?reason=4"
    wrong = []
    for i, (fault, count, status, done) in enumerate(FAULTS):
        key = csrs.key("p256", f"fault{i}") if compromised else csrs.key()
        csr = csrs.make(f"fault{i}.example.org", key_file=key)
        chain = wait_until(lambda: (r := c.sign(csr)).status == 200 and r.body, 10, "the CA is well", 0.2)
        testca.rules({"endpoint": "revoke", "count": count, "fault": fault})
        r = c.revoke(chain, query)
        testca.honest()
        if status == 504 and r.status == 503:
            status = 503  # either clock may be the first
        if r.status != status:
            wrong.append(f"{fault}: {r!r}")
        elif status != 200:
            r.check_error()
            if f"fault{i}.example.org" not in r.text:
                wrong.append(f"{fault}: no name in {r!r}")
            then = c.sign(csr)
            if (then.status, then.body == chain) != ((415, False) if compromised else (200, True)):
                wrong.append(f"{fault}, then: {then!r}")
            r = wait_until(lambda: (r := c.revoke(chain, query)).status == 200 and r, 10, "it is revoked", 0.2)
            if r.text.startswith("Revoked before") != done:
                wrong.append(f"{fault}, again: {r!r}")
        if c.daemon.entry(csr).exists():
            wrong.append(f"{fault}: still there")
    assert not wrong, "\n".join(wrong)


def test_ca_is_down(client, testca, csrs):
    """503 and nothing has changed, but that a compromised key gets nothing more, after a restart too."""
    csr, other = csrs.make("www.example.org"), csrs.make("other.example.org", label="b")
    chain, kept = client.chain(csr), client.chain(other)
    testca.stop()
    client.revoke(kept).expect(503, r"Not revoked for other\.example\.org", "again")
    assert client.chain(other) == kept
    client.revoke(chain, "?reason=1").expect(503, "refused from now on")
    client.sign(csr).expect(415, "make a new key")
    client.daemon.restart()
    client.sign(csr).expect(415, "make a new key")
    assert client.chain(other) == kept
