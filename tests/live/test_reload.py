# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGHUP: the configuration is read again, all or nothing, and nobody who is being served notices."""
import concurrent.futures
import http.client
import re
import signal
import socket
import threading
import time

import pytest

from lab.fastcsr import FastCsrs
from lab.http import request
from lab.util import free_port, port_open, wait_until

DONE = "the configuration was reloaded"
REFUSED = "the configuration was not reloaded"


def reload(d, conf=None, done=DONE, raw=None):
    """A new configuration, and until it has been taken or refused."""
    d.reload(conf, done, raw)


def refuse(d, conf=None, raw=None):
    """The configuration is refused, and the file is as it was before; returns what was said."""
    at, sections = len(d.log()), {k: dict(v) for k, v in d.sections.items()}
    reload(d, conf, REFUSED, raw)
    d.sections = sections
    d.write_conf()
    return d.log()[at:]


@pytest.fixture
def ca(make_testca):
    return make_testca("--validate")


@pytest.fixture
def d(make_daemon, ca):
    return make_daemon(ca, ca_file=ca.trust)


class Knocking(threading.Thread):
    """Connects all the time; every connection has to be answered."""

    def __init__(self, port):
        super().__init__()
        self.port, self.over, self.wrong, self.count = port, threading.Event(), [], 0
        self.start()

    def run(self):
        while not self.over.is_set():
            try:
                status = request(("127.0.0.1", self.port), "GET", "/healthz", timeout=10).status
                self.count += 1
                if status != 200:
                    self.wrong.append(status)
            except Exception as e:
                self.wrong.append(e)

    def more(self):
        before = self.count
        wait_until(lambda: self.count > before + 5 or self.wrong, what="more are answered")

    def done(self):
        self.over.set()
        self.join(30)
        assert not self.wrong, self.wrong[:5]


def test_32_in_flight(ca, d):
    """Under way from newOrder to the answer of the CA while everything that can change does."""
    ca.knobs(validation_delay=1200)
    csrs, more, third = FastCsrs(), free_port(), free_port()
    bodies = [csrs.make(f"n{i}.example.org") for i in range(32)]
    with concurrent.futures.ThreadPoolExecutor(64) as pool:
        asking = [pool.submit(d.sign, b) for b in bodies]
        wait_until(lambda: ca.count("new-order") >= 16, what="orders")
        reload(d, {"mgmt": {"listener": [f"127.0.0.1:{d.port}", f"127.0.0.1:{more}"], "timeout": 100}})
        # The block is another one now, with an address more; its storage has moved.
        reload(d, {'verification "http"': None, 'verification "renamed"': {
            "type": "http01", "listener": [f"127.0.0.1:{d.challenge_port}", f"127.0.0.1:{third}"]},
            'storage "file"': {"directory": d.folder / "moved"}})
        joining = [pool.submit(d.sign, b, where=("127.0.0.1", more)) for b in bodies[:8]]
        reload(d, {'verification "renamed"': {"listener": f"127.0.0.1:{d.challenge_port}"},
                   'storage "file"': {"directory": d.storage}, "mgmt": {"listener": f"127.0.0.1:{d.port}"}})
        assert not any(a.done() for a in asking), "this was to happen while they wait"
        for a in asking + joining:
            assert a.result().status == 200, a.result()
    # What was posted again came to another storage: an order of its own, once.
    assert 32 <= ca.count("new-order") <= 40
    # The answer is out before what served it has gone.
    wait_until(lambda: not port_open(third), what="the last challenge of the block is withdrawn")
    assert not port_open(more)


def test_the_same_body_after_a_reload_waits_for_the_order_before(ca, d, csrs):
    ca.knobs(validation_delay=800)
    body = csrs.make("www.example.org")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        first = pool.submit(d.sign, body)
        wait_until(lambda: ca.count("challenge"), what="the challenge")
        reload(d, {'storage "file"': {"renew-within": 20}, 'verification "http"': None,
                   'verification "x"': {"type": "http01", "listener": f"127.0.0.1:{d.challenge_port}"}})
        second = pool.submit(d.sign, body)
        assert first.result().status == second.result().status == 200
        assert first.result().body == second.result().body
    assert ca.count("new-order") == 1 and ca.count("new-account") == 2 and "joined" in d.log()


def test_listeners(d):
    """Kept, added, removed, made wider and narrower; on the kept one nobody is refused."""
    added = free_port()
    knocking = Knocking(d.port)
    reload(d, {"mgmt": {"listener": [f"127.0.0.1:{d.port}", f"127.0.0.1:{added}"]}})
    assert request(("127.0.0.1", added), "GET", "/healthz").status == 200
    knocking.more()
    reload(d, {"mgmt": {"listener": [f"127.0.0.1:{d.port}"]}, "status": {"listener": f"127.0.0.1:{added}"}})
    assert request(("127.0.0.1", added), "GET", "/readyz").status == 200
    knocking.more()
    reload(d, {"status": None})
    assert not port_open(added)
    knocking.more()
    knocking.done()
    for address in "0.0.0.0", "127.0.0.1", "localhost":
        reload(d, {"mgmt": {"listener": f"{address}:{d.port}"}})
        assert request(("127.0.0.1", d.port), "GET", "/healthz").status == 200


def test_a_connection_outlives_it(d, csrs):
    """And the request after it is judged by the new rules."""
    c = http.client.HTTPConnection(*d.where, timeout=30)
    c.request("GET", "/healthz")
    assert c.getresponse().read() is not None
    before = c.sock
    reload(d, {'auth "test"': {"domain": "*.elsewhere.org"}, "mgmt": {"max-size": "1k"}})
    c.request("POST", "/sign", csrs.make("www.example.org"))
    answer = c.getresponse()
    assert answer.status == 403 and answer.read() and c.sock is before
    reload(d, {'auth "test"': {"domain": "*.example.org"}})
    c.request("POST", "/sign", csrs.make("www.example.org"))
    answer = c.getresponse()
    assert answer.status == 200 and answer.read() and c.sock is before
    c.request("POST", "/sign", b"x" * 2000)
    assert c.getresponse().status == 413


BROKEN = [
    ("syntax", lambda d: {"raw": "nonsense\n[auth\n"}, r"acmems\.conf:\d+: error"),
    ("option", lambda d: {"conf": {'auth "test"': {"dommain": "x"}}}, r"acmems\.conf:\d+: error: .*dommain"),
    ("gone", lambda d: {"conf": {"mgmt": {"default-storage": "nowhere"}}}, "nowhere"),
    ("directory", lambda d: {"conf": {'storage "file"': {"directory": "/proc/nowhere/x"}}}, "/proc: cannot be"),
    ("log", lambda d: {"conf": {"logging": {"destination": "/proc/nowhere/log"}}}, "/proc/nowhere"),
    ("trust", lambda d: {"conf": {"account": {"ca-file": "/nowhere.pem"}}}, "/nowhere.pem"),
    ("name", lambda d: {"conf": {"mgmt": {"listener": "no.such.host.invalid:1313"}}}, "no.such.host.invalid"),
    ("twice", lambda d: {"conf": {"status": {"listener": f"x.localhost:{d.challenge_port}"}}},
     "two listeners on one address"),
]


@pytest.mark.parametrize("what,change,said", BROKEN, ids=[b[0] for b in BROKEN])
def test_broken_changes_nothing(d, csrs, what, change, said):
    other = free_port()
    change = change(d)
    if "conf" in change:
        change["conf"].setdefault("mgmt", {}).setdefault("listener", f"127.0.0.1:{other}")
        change["conf"].setdefault('auth "test"', {})["domain"] = "*.elsewhere.org"
    text = refuse(d, **change)
    assert re.search(said, text), text
    assert text.count(REFUSED) == 1
    assert not port_open(other)
    assert d.sign(csrs.make("www.example.org")).status == 200
    reload(d)


def test_an_address_in_use_and_a_damaged_key_change_nothing(ca, d, csrs):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken, other = s.getsockname()[1], free_port()
        text = refuse(d, {"mgmt": {"listener": [f"127.0.0.1:{other}", f"127.0.0.1:{taken}"]},
                          'storage "new"': {"type": "file", "directory": d.folder / "new"}})
        assert "something listens there already" in text and not port_open(other)
    key = d.account / "account.pem"
    good = key.read_text()
    key.write_text(good[:60])
    assert str(key) in refuse(d)
    key.write_text(good)
    assert d.sign(csrs.make("www.example.org")).status == 200


def test_another_ca(make_testca, ca, d, csrs):
    """What runs ends where it began; what comes goes to the new one, with an account there."""
    ca.knobs(validation_delay=800)
    other = make_testca("--validate", challenge_port=d.challenge_port)
    body = csrs.make("www.example.org")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        old = pool.submit(d.sign, body)
        wait_until(lambda: ca.count("challenge"), what="the challenge")
        reload(d, {"account": {"acme-server": other.directory, "ca-file": other.trust,
                               "dir": d.folder / "account2"}})
        new = pool.submit(d.sign, body)
        assert new.result().status == 200
        assert old.result().status == 200
    assert old.result().body != new.result().body
    assert ca.count("new-order") == other.count("new-order") == 1


def test_due_certificates_and_storages(ca, d, csrs):
    body = csrs.make("www.example.org")
    first = d.sign(body).body
    reload(d, {'storage "file"': None, 'storage "renamed"': {"type": "file", "directory": d.storage}})
    assert d.sign(body).body == first and ca.count("new-order") == 1
    reload(d, {'storage "renamed"': {"renew-within": 3000}})
    reload(d, {'storage "renamed"': {"renew-within": None}, 'storage "none"': {"type": "none"},
               "mgmt": {"default-storage": "none"}})
    assert d.sign(body).body != first and ca.count("new-order") == 2
    reload(d, {"mgmt": {"default-storage": "renamed"}})
    assert d.sign(body).body == first and ca.count("new-order") == 2


def test_a_name_server_changes_hands(make_testca, make_daemon, csrs):
    """dns-01: what was presented before is served on the same port, for the new zone too."""
    port = free_port()
    ca = make_testca("--validate", "--dns-server", f"127.0.0.1:{port}")
    block = {"type": "dns01-server", "listener": f"127.0.0.1:{port}", "zone": "a.example.net"}
    d = make_daemon(ca, {'verification "http"': None, 'verification "dns"': block}, ca_file=ca.trust)
    ca.knobs(validation_delay=800)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        old = [pool.submit(d.sign, csrs.make(f"{n}.example.org")) for n in "ab"]
        wait_until(lambda: ca.count("new-order") >= 2, what="orders")
        reload(d, {'verification "dns"': {"zone": "b.example.net"}})
        new = [pool.submit(d.sign, csrs.make(f"{n}.example.org")) for n in "cd"]
        for a in old + new:
            assert a.result().status == 200, a.result()


def test_another_user_needs_a_start(d):
    reload(d, {"process": {"user": "root"}})
    assert "[process] user: the change takes effect at the next start" in d.log()


def test_many_at_once(d, csrs):
    """Signals that come while one is being dealt with are not lost, and nothing is left over."""
    for i in range(20):
        d.update({"mgmt": {"timeout": 100 + i}, 'verification "http"': {
            "listener": [f"127.0.0.1:{d.challenge_port}"] + [f"localhost:{free_port()}"] * (i % 2)}})
        d.write_conf()
        d.process.signal(signal.SIGHUP)
        time.sleep(0.01)
    reload(d, {'verification "http"': {"listener": f"127.0.0.1:{d.challenge_port}"}})
    assert d.sign(csrs.make("www.example.org")).status == 200


# What is revoked and told

def test_revocation_and_audit(make_daemon, ca, tmp_path):
    """Who may revoke, and where decisions are told; a key that is barred stays so."""
    key, audit = "a key of those who may", [tmp_path / "audit.1", tmp_path / "audit.2"]
    may = {'auth "may"': {"hmac_type": "sha256", "hmac_key": key, "domain": "*.example.org", "revoke": "yes"}}
    d = make_daemon(ca, ca_file=ca.trust)
    csr = FastCsrs().make("www.example.org")
    chain = d.sign(csr).expect(200).body

    def revoke(query=""):
        return d.post(chain, d.hmac(key, chain), path="/revoke" + query)

    revoke().expect(404)
    reload(d, {**may, "logging": {"audit": audit[0]}})
    refuse(d, {"logging": {"audit": tmp_path / "no" / "audit"}})
    revoke("?reason=1").expect(200)
    reload(d, {'auth "may"': None, "logging": {"audit": audit[1]}})
    revoke().expect(404)
    d.sign(csr).expect(415, "make a new key")
    assert '"revoked"' in audit[0].read_text() and '"refused"' not in audit[0].read_text()
    assert audit[1].read_text().count('"refused"') == 1
