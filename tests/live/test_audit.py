# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions: each is a line of the log at every level, and an object in the audit file."""
import json
import signal

import pytest

from lab.daemon import acmems
from lab.fakeca import problem
from lab.util import wait_until

KEY = "n048aX0G2Gc8zAvUfcbz8fFIpRwi1D"


@pytest.fixture
def audited(make_daemon, tmp_path):
    """audited(ca, conf) -> a daemon that says nothing else, and a function for the objects of its audit."""
    def make(ca, conf=None, **kw):
        path = tmp_path / "audit.log"
        d = make_daemon(ca, {"logging": {"level": "critical", "audit": path}, **(conf or {})}, **kw)

        def lines():
            return [json.loads(line) for line in path.read_text().splitlines()]
        lines.path = path
        return d, lines
    return make


def test_each_decision(audited, testca, csrs):
    d, lines = audited(testca, {
        'auth "test"': {"ip": None, "hmac_type": "sha256", "hmac_key": ["of before", KEY], "revoke": "yes"}},
        ca_file=testca.trust)

    def expect(count, **members):
        said = lines()
        assert len(said) == count, said[count - 1:]
        assert {k: said[-1].get(k) for k in members} == members, said[-1]
        assert said[-1]["time"].endswith("Z")
        # The log has it too, and nothing else.
        log = d.log().splitlines()
        assert len(log) == count and all(" audit " in line for line in log), d.log()
        assert members["decision"] in log[-1]

    def sign(csr):
        return d.post(csr, d.hmac(KEY, csr))

    def revoke(pem, query="", key=KEY):
        return d.post(pem, d.hmac(key, pem), path="/revoke" + query)

    names = [f"a-rather-long-name-for-a-host-{i:02}.example.org" for i in range(40)]
    csr, many = csrs.make("www.example.org"), csrs.make(*names, label="b")
    who = {"peer": "127.0.0.1", "block": "test", "key": "2 of 2"}
    chain = sign(csr).expect(200).body
    expect(1, decision="issued", names="www.example.org", order="o1", **who)
    serial = lines()[-1]["serial"]
    sign(csr).expect(200)
    expect(2, decision="redelivered", names="www.example.org", serial=serial, **who)
    sign(many).expect(200)
    expect(3, decision="issued", names=", ".join(names), **who)
    d.post(csr).expect(403)
    expect(4, decision="refused", rule="auth", peer="127.0.0.1")
    sign(b"x").expect(415)
    expect(5, decision="refused", rule="csr", peer="127.0.0.1")
    sign(csrs.make("*.example.org")).expect(403)
    expect(6, decision="refused", rule="verification", names="*.example.org", **who)
    revoke(chain, key="wrong").expect(403)
    expect(7, decision="revocation refused", rule="auth", names="www.example.org", serial=serial)
    revoke(chain, "?reason=4").expect(200)
    expect(8, decision="revoked", detail="reason 4", names="www.example.org", serial=serial, **who)
    chain = sign(csr).expect(200).body
    expect(9, decision="issued", **who)
    revoke(chain, "?reason=1").expect(200)
    expect(11, decision="revoked", detail="reason 1", **who)
    assert lines()[-2]["decision"] == "key barred" and lines()[-2]["serial"] == lines()[-1]["serial"]
    sign(csr).expect(415)
    expect(12, decision="refused", rule="key", names="www.example.org", **who)
    for key in (KEY, "of before"):
        assert key not in d.log() and key not in lines.path.read_text()
    assert lines.path.stat().st_mode & 0o137 == 0


def test_opened_anew_on_sighup(audited, fakeca, csrs):
    d, lines = audited(fakeca)
    d.sign(csrs.make("one.example.org")).expect(200)
    before = lines.path.with_suffix(".1")
    lines.path.rename(before)
    d.sign(csrs.make("two.example.org")).expect(200)
    d.process.signal(signal.SIGHUP)
    wait_until(lines.path.exists, 10, "the audit file is there again")
    d.sign(csrs.make("three.example.org")).expect(200)
    assert [x["names"] for x in lines()] == ["three.example.org"]
    assert [json.loads(x)["names"] for x in before.read_text().splitlines()] == ["one.example.org", "two.example.org"]


def test_what_others_say_stays_a_value(audited, fakeca, csrs):
    """The CA's words, a proxy's header, the name of a block, a body: none of them ends a value or a line."""
    evil = "\"},{\"decision\":\"issued\"\\\n\r\x1b[2J\x7f\u009b\u2028"
    d, lines = audited(fakeca, {
        "mgmt": {"trusted-proxy": "127.0.0.1"}, 'auth "test"': None,
        'auth "x\\},{"': {"all": "yes", "domain": "*.example.org"}})
    fakeca.when("new-order", problem(400, "rejectedIdentifier", evil))
    csr = csrs.make("www.example.org")
    d.post(csr, {"X-Forwarded-For": '"},{"a":"\\'}).expect(403)
    d.post(b"-----BEGIN \"},{\\\x00\xff\r\n\x1b[2J", {"X-Forwarded-For": "192.0.2.7"}).expect(415)
    said = lines()
    assert [x["decision"] for x in said] == ["refused", "refused"]
    assert said[0]["rule"] == "ca:rejectedIdentifier" and '},{"decision":"issued"' in said[0]["detail"]
    assert said[0]["block"] == 'x\\},{'
    assert said[1]["rule"] == "csr" and said[1]["peer"] == "192.0.2.7 via 127.0.0.1"
    text = lines.path.read_bytes()
    assert not any(b < 0x20 and b != 0x0a or b == 0x7f for b in text), text
    assert b"\xc2\x9b" not in text


def test_nothing_waits_for_it(make_daemon, fakeca, csrs):
    d = make_daemon(fakeca, {"logging": {"level": "critical", "audit": "/dev/full"}})
    csr = csrs.make("www.example.org")
    for _ in range(20):
        d.sign(csr).expect(200)
    assert d.log().count("/dev/full cannot be written") == 1


def test_check(make_daemon, fakeca, tmp_path):
    path = tmp_path / "audit.log"
    d = make_daemon(fakeca, {"logging": {"audit": path}}, start=False)
    assert acmems("--check", d.write_conf())[0] == 0
    assert not path.exists()
    d.update({"logging": {"audit": tmp_path / "no" / "audit.log"}})
    code, _, err = acmems("--check", d.write_conf())
    assert code == 2 and "[logging] audit: audit file" in err and "audit.log: No such file" in err
    d.start(ready=False)
    assert d.process.wait(10) == 2
    d.expect_exit = 2
