# SPDX-License-Identifier: GPL-3.0-or-later
"""The test CA itself (tests/ca): the daemon issues through it, openssl likes its chains, and it
refuses what RFC 8555 has it refuse. Its faults are in test_testca_faults.py."""
import base64
import datetime
import hashlib
import json
import re

import pytest

from lab.acme import Client, Key, certificate_id, b64, pem_der
from lab.csr import Cert
from lab.util import Process, free_port, run, wait_until

HTTP = {'auth "test"': {"ip": "127.0.0.1", "domain": ["*.example.org", "example.org", "127.0.0.1"]}}
KID, MAC = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


@pytest.fixture
def issue(make_daemon, csrs, cert):
    """issue(ca, *names, conf=..., **csr) -> the certificate the daemon got."""
    def make(ca, *names, conf=None, **kw):
        d = make_daemon(ca, conf={**HTTP, **(conf or {})}, ca_file=ca.trust)
        c = cert(d.sign(csrs.make(*names, **kw)))
        d.stop()
        return c
    return make


@pytest.fixture
def client(csrs):
    """client(ca, kind, label) -> a client with that key, not registered."""
    return lambda ca, kind="p256", label="acme": Client(ca, Key(csrs.key(kind, label), kind))


def verify(ca, c, tmp_path):
    """By the openssl program, through the intermediate of the chain, to the CA's root."""
    (tmp_path / "leaf.pem").write_text(c.pems[0])
    (tmp_path / "rest.pem").write_text("".join(c.pems[1:]))
    run("openssl", "verify", "-purpose", "sslserver", "-x509_strict", "-CAfile", ca.root, "-untrusted",
        tmp_path / "rest.pem", tmp_path / "leaf.pem")


def lifetime(c, tmp_path):
    (tmp_path / "life.pem").write_text(c.pems[0])
    out = run("openssl", "x509", "-noout", "-dates", "-in", tmp_path / "life.pem").stdout
    start, end = (datetime.datetime.strptime(x, "%b %d %H:%M:%S %Y") for x in
                  re.findall(r"=(\w+ +\d+ [\d:]+ \d+) GMT", out))
    return (end - start).total_seconds()


# The daemon

def test_http01(testca, issue, tmp_path):
    c = issue(testca, "a.example.org", "b.example.org")
    assert c.names == ["a.example.org", "b.example.org"]
    verify(testca, c, tmp_path)
    stats = testca.stats()
    assert stats["validations"] == {"done": 2, "failed": 0}
    assert stats["refused"] == {} and stats["faults"] == {}
    assert stats["objects"]["certificates"] == 1
    assert stats["cpu"]["user"] > 0
    log = testca.log()
    assert log[0]["endpoint"] == "directory" and log[-1]["endpoint"] == "cert"
    assert all(e["user-agent"].startswith("acmems/") for e in log)
    assert testca.log(since=log[-2]["n"]) == log[-1:]


def test_validation_is_real(testca, make_daemon, csrs):
    d = make_daemon(testca, conf=HTTP, ca_file=testca.trust)
    testca.knobs(http_port=free_port())
    d.sign(csrs.make("a.example.org")).expect(421, "nobody answers")
    assert testca.stats()["validations"] == {"done": 1, "failed": 1}
    d.stop()


def test_ip_and_long_names(testca, issue, tmp_path):
    long = "a" * 60 + ".example.org"
    c = issue(testca, long, ips=["127.0.0.1"])
    assert c.names == [long] and c.ips == ["127.0.0.1"] and c.subject == ""
    verify(testca, c, tmp_path)


def test_wildcard_by_dns(make_testca, issue, tmp_path):
    port = free_port()
    ca = make_testca("--validate", "--dns-server", f"127.0.0.1:{port}")
    c = issue(ca, "example.org", "*.example.org", conf={
        'verification "http"': None,
        'verification "dns"': {"type": "dns01-server", "listener": f"127.0.0.1:{port}"}})
    assert c.names == ["*.example.org", "example.org"]
    verify(ca, c, tmp_path)
    assert ca.stats()["validations"] == {"done": 2, "failed": 0}


def test_binding(make_testca, make_daemon, csrs, cert):
    ca = make_testca("--validate", "--eab", f"{KID}:{MAC}")
    for account, status in (({}, 500), ({"eab-kid": KID, "eab-hmac-key": "A" * 64}, 500),
                            ({"eab-kid": KID, "eab-hmac-key": MAC}, 200)):
        d = make_daemon(ca, conf={**HTTP, "account": account}, ca_file=ca.trust)
        r = d.sign(csrs.make("a.example.org"))
        assert r.status == status, r
        d.stop()
    # Without a binding the daemon does not even ask.
    assert ca.stats()["refused"] == {"unauthorized": 1}


def test_binding_is_checked(make_testca, client):
    c = client(make_testca("--eab", f"{KID}:{MAC}"))
    assert c.directory()["meta"]["externalAccountRequired"] is True
    good = c.binding(KID, MAC)
    for binding, problem in (
            (None, "externalAccountRequired"), (c.binding("kid-2", MAC), "unauthorized"),
            (c.binding(KID, "A" * 64), "unauthorized"), (c.binding(KID, MAC, url="https://x/"), "malformed"),
            ({**good, "payload": b64(b"{}")}, "unauthorized"),
            (client(c.ca, label="other").binding(KID, MAC), "malformed")):
        r = c.register(**({} if binding is None else {"externalAccountBinding": binding}))
        assert r.json()["type"].endswith(":" + problem), (binding, r)
    r = c.register(externalAccountBinding=good)
    assert r.status == 201 and r.json()["externalAccountBinding"] == good


def test_profile(make_testca, issue, tmp_path):
    ca = make_testca("--validate", "--profile", "short=86400", "--profile", "long=8640000")
    c = issue(ca, "a.example.org", conf={"account": {"profile": "short"}})
    assert lifetime(c, tmp_path) == pytest.approx(86400 + 3600, abs=2)


def test_pipelined_and_kept_alive(testca, make_daemon, csrs):
    """Many orders over the connections of one daemon."""
    d = make_daemon(testca, conf=HTTP, ca_file=testca.trust)
    for i in range(10):
        d.sign(csrs.make(f"n{i}.example.org")).expect(200)
    n = testca.stats()["connections"]
    assert n["accepted"] <= 10 and n["failed-handshakes"] == 0
    d.stop()
    wait_until(lambda: testca.stats()["connections"]["open"] == 0)


# Accounts

@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
def test_whole_protocol(make_testca, client, csrs, tmp_path, kind):
    ca = make_testca()
    c = client(ca, kind)
    assert c.register(onlyReturnExisting=True).json()["type"].endswith(":accountDoesNotExist")
    assert c.register(termsOfServiceAgreed=False).json()["type"].endswith(":userActionRequired")
    r = c.register(contact=["mailto:a@example.org"])
    assert r.status == 201 and r.json()["contact"] == ["mailto:a@example.org"]
    assert c.register(onlyReturnExisting=True).status == 200
    done, chain = c.issue(csrs.make("x.example.org"), "x.example.org")
    assert done.json()["status"] == "valid"
    assert chain.header("Content-Type") == "application/pem-certificate-chain"
    verify(ca, Cert(chain.text, tmp_path), tmp_path)
    assert c.post(r.json()["orders"]).json()["orders"] == [done.header("Location")]
    # Deactivated it is of no more use.
    assert c.post(c.kid, {"status": "deactivated"}).json()["status"] == "deactivated"
    assert c.post(c.kid).status == 401
    assert c.register().status == 401


def test_contacts(make_testca, client):
    c = client(make_testca())
    assert c.register(contact=["tel:1"]).json()["type"].endswith(":unsupportedContact")
    assert c.register(contact=["mailto:a@x,b@x"]).json()["type"].endswith(":invalidContact")
    c.register()
    assert c.post(c.kid, {"contact": ["mailto:b@example.org"]}).json()["contact"] == ["mailto:b@example.org"]


def test_key_change(make_testca, client, csrs):
    ca = make_testca()
    a, b, new = client(ca), client(ca, "p256", "other"), client(ca, "p384", "new")
    a.register()
    b.register()
    url = a.directory()["keyChange"]

    def inner(key, account=a.kid, old=a.key.jwk):
        return a.jws(url, {"account": account, "oldKey": old}, key=key, jwk=True, nonce=False)
    assert a.post(url, inner(new.key, account=b.kid)).status == 400
    assert a.post(url, inner(new.key, old=b.key.jwk)).status == 400
    taken = a.post(url, inner(b.key))
    assert taken.status == 409 and taken.header("Location") == b.kid
    assert a.post(url, {**inner(new.key), "signature": inner(b.key)["signature"]}).status == 400
    assert a.post(url, inner(new.key)).status == 200
    assert a.post(a.kid).status == 400
    a.key = new.key
    assert a.post(a.kid).status == 200
    assert a.register(onlyReturnExisting=True).header("Location") == a.kid


# What is refused

def tampered(c, url, what):
    """A JWS with one thing wrong with it."""
    other = c.ca.base + "/new-account"
    payload = {"identifiers": [{"type": "dns", "value": "x.example.org"}]}
    if what == "url":
        return c.jws(other, payload)
    if what == "alg":
        return c.jws(url, payload, header={"alg": "RS256"})
    if what == "none":
        return {**c.jws(url, payload, header={"alg": "none"}), "signature": ""}
    if what == "nonce-missing":
        return c.jws(url, payload, nonce=False)
    if what == "nonce-used":
        nonce = c.nonce()
        c.post(c.kid, header={"nonce": nonce})
        return c.jws(url, payload, header={"nonce": nonce})
    if what == "nonce-made-up":
        return c.jws(url, payload, header={"nonce": b64(b"0" * 16)})
    if what == "jwk":
        return c.jws(url, payload, jwk=True)
    if what == "both":
        return c.jws(url, payload, header={"jwk": c.key.jwk})
    if what == "kid":
        return c.jws(url, payload, kid=c.ca.base + "/account/999")
    good = c.jws(url, payload)
    if what == "signature":
        last = good["signature"][10]
        return {**good, "signature": good["signature"][:10] + ("A" if last != "A" else "B")
                + good["signature"][11:]}
    if what == "payload":
        return {**good, "payload": b64(b'{"identifiers":[{"type":"dns","value":"evil.example.org"}]}')}
    if what == "short":
        return {**good, "signature": good["signature"][:20]}
    if what == "padding":
        return {**good, "signature": good["signature"] + "=="}
    if what == "member":
        return {**good, "header": {"kid": c.kid}}
    assert what == "list"
    return [good]


@pytest.mark.parametrize("what, problem", [
    ("signature", "malformed"), ("payload", "malformed"), ("short", "malformed"), ("padding", "malformed"),
    ("member", "malformed"), ("list", "malformed"), ("url", "unauthorized"),
    ("alg", "badSignatureAlgorithm"), ("none", "badSignatureAlgorithm"), ("nonce-missing", "badNonce"),
    ("nonce-used", "badNonce"), ("nonce-made-up", "badNonce"), ("jwk", "malformed"), ("both", "malformed"),
    ("kid", "accountDoesNotExist")])
def test_tampering_is_refused(make_testca, client, what, problem):
    ca = make_testca()
    c = client(ca)
    c.register()
    url = c.directory()["newOrder"]
    body = json.dumps(tampered(c, url, what)).encode()
    r = c.send("POST", url, body).response
    assert r.status in (400, 401, 403), r
    assert r.header("Content-Type") == "application/problem+json"
    assert r.json()["type"] == "urn:ietf:params:acme:error:" + problem, r
    assert ca.stats()["objects"]["orders"] == 0
    assert ca.stats()["refused"] == {problem: 1}


def test_without_verification(make_testca, client):
    c = client(make_testca("--no-verify"))
    c.register()
    url = c.directory()["newOrder"]
    body = json.dumps(tampered(c, url, "signature")).encode()
    assert c.send("POST", url, body).response.status == 201


@pytest.mark.parametrize("names, problem", [
    ([], "malformed"), (["Upper.example.org"], "rejectedIdentifier"), (["x"], "rejectedIdentifier"),
    (["a..b"], "rejectedIdentifier"), (["*.*.example.org"], "rejectedIdentifier"),
    (["a.example.org", "a.example.org"], "malformed"), (["2001:DB8::1"], "rejectedIdentifier")])
def test_names_refused(make_testca, client, names, problem):
    c = client(make_testca())
    c.register()
    assert c.order(*names).json()["type"].endswith(":" + problem)


def der_of(pem):
    """The bytes within a PEM block."""
    return base64.b64decode(re.search(r"-----BEGIN .*?-----(.*?)-----END", pem.decode(), re.S)[1])


def test_requests_for_certificates_are_checked(make_testca, client, csrs):
    ca = make_testca()
    c = client(ca)
    c.register()
    order = c.order("a.example.org", "b.example.org")
    both = csrs.make("a.example.org", "b.example.org")
    assert c.finalize(order, both).json()["type"].endswith(":orderNotReady")
    assert c.authorize(order).json()["status"] == "ready"
    for pem in (csrs.make("a.example.org"), csrs.make("a.example.org", "b.example.org", "c.example.org"),
                csrs.make("a.example.org", "b.example.org", key="rsa2048", md="sha1"),
                csrs.make("a.example.org", "b.example.org", key_file=c.key.path)):
        assert c.finalize(order, pem).json()["type"].endswith(":badCSR")
    for kind in ("p256", "p384"):
        der = bytearray(der_of(csrs.make("a.example.org", "b.example.org", key=kind)))
        der[-3] ^= 1
        r = c.post(order.json()["finalize"], {"csr": b64(der)})
        assert r.json()["type"].endswith(":badCSR") and "signature" in r.json()["detail"]
    assert c.finalize(order, both).json()["status"] == "valid"
    assert c.finalize(order, both).json()["type"].endswith(":orderNotReady")


def test_others_things(make_testca, client, csrs):
    """What belongs to another account, and methods that are not for a resource."""
    ca = make_testca()
    a, b = client(ca), client(ca, label="other")
    a.register()
    b.register()
    done, _ = a.issue(csrs.make("x.example.org"), "x.example.org")
    for url in (done.header("Location"), done.json()["authorizations"][0], done.json()["certificate"],
                done.json()["finalize"], a.kid):
        assert b.post(url).status == 403
    assert a.get(done.header("Location")).status == 405
    assert a.post(ca.base + "/nothing/1").status == 404
    assert a.get(ca.base + "/new-nonce").status == 204


def test_offers(make_testca, client):
    ca = make_testca()
    c = client(ca)
    c.register()

    def offered(name):
        authz = c.post(c.order(name).json()["authorizations"][0]).json()
        return authz.get("wildcard", False), sorted(x["type"] for x in authz["challenges"])
    assert offered("x.example.org") == (False, ["dns-01", "http-01", "tls-alpn-01"])
    assert offered("*.example.org") == (True, ["dns-01"])
    assert offered("192.0.2.1") == (False, ["http-01", "tls-alpn-01"])
    assert offered("2001:db8::1") == (False, ["http-01", "tls-alpn-01"])


def test_authorization_deactivated(make_testca, client):
    c = client(make_testca())
    c.register()
    order = c.order("x.example.org")
    c.post(order.json()["authorizations"][0], {"status": "deactivated"})
    assert c.post(order.header("Location")).json()["status"] == "invalid"


# Revocation and renewal

@pytest.mark.parametrize("by", ["account", "certificate"])
def test_revocation(make_testca, client, csrs, by):
    ca = make_testca()
    c, other = client(ca), client(ca, label="other")
    c.register()
    other.register()
    _, chain = c.issue(csrs.make("x.example.org"), "x.example.org")
    url, der = c.directory()["revokeCert"], b64(pem_der(chain.text))
    assert other.post(url, {"certificate": der}).status == 403
    assert c.post(url, {"certificate": der, "reason": 7}).json()["type"].endswith(":badRevocationReason")
    key = Key(csrs.key())

    def ask():
        payload = {"certificate": der, "reason": 1}
        return c.post(url, payload) if by == "account" else c.post(url, payload, key=key, jwk=True)
    assert ask().status == 200
    assert ask().json()["type"].endswith(":alreadyRevoked")


def test_renewal_info(make_testca, client, csrs):
    ca = make_testca()
    c = client(ca)
    c.register()
    _, chain = c.issue(csrs.make("x.example.org"), "x.example.org")
    name = certificate_id(chain.text)
    url = f"{c.directory()['renewalInfo']}/{name}"

    def window():
        r = c.get(url)
        assert r.status == 200 and int(r.header("Retry-After")) == 21600
        w = r.json()["suggestedWindow"]
        now = datetime.datetime.utcnow()
        return [(datetime.datetime.strptime(w[k], "%Y-%m-%dT%H:%M:%SZ") - now).total_seconds() / 86400
                for k in ("start", "end")]
    start, end = window()
    assert 59 < start < end < 63
    ca.knobs(window_start=-7200, window_end=86400)
    start, end = window()
    assert start == pytest.approx(-1 / 12, abs=0.01) and end == pytest.approx(1, abs=0.01)
    assert c.get(url[:-4] + "AAAA").status == 404
    # RFC 9773 5: an order can say what it replaces, once.
    c.issue(csrs.make("x.example.org"), "x.example.org", replaces=name)
    assert c.order("x.example.org", replaces=name).json()["type"].endswith(":alreadyReplaced")
    assert c.order("x.example.org", replaces="a.b").json()["type"].endswith(":malformed")


# tls-alpn-01: the daemon has none, the openssl program answers

def test_tls_alpn01(make_testca, client, tmp_path):
    port = free_port()
    ca = make_testca("--validate", "--tls-port", str(port))
    c = client(ca)
    c.register()
    for good in (True, False):
        order = c.order("x.example.org")
        challenge = c.challenge(order.json()["authorizations"][0], "tls-alpn-01")
        digest = hashlib.sha256(f"{challenge['token']}.{c.key.thumbprint}".encode()).hexdigest()
        digest = digest if good else "00" * 32
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=x", "-keyout", tmp_path / "k.pem", "-out", tmp_path / "c.pem", "-addext",
            "subjectAltName=DNS:x.example.org", "-addext",
            f"1.3.6.1.5.5.7.1.31=critical,DER:0420{digest}")
        server = Process("s_server", ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", "-cert",
                                      tmp_path / "c.pem", "-key", tmp_path / "k.pem", "-alpn", "acme-tls/1"],
                         tmp_path)
        server.wait_ready(lambda: run("ss", "-Hltn", f"sport = :{port}").stdout)
        c.post(challenge["url"], {})
        status = wait_until(lambda: next((s for s in [c.post(order.header("Location")).json()["status"]]
                                          if s != "pending"), None))
        server.stop()
        assert status == ("ready" if good else "invalid")


# Being told

def test_scenario_file(make_testca, client, tmp_path):
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({"knobs": {"validity": 3600}, "rules": [
        {"endpoint": "new-order", "nth": 2, "fault": {"name": "busy", "retry-after": "7"}}]}))
    ca = make_testca("--scenario", path)
    assert ca.ask("GET", "/knobs")["validity"] == 3600
    c = client(ca)
    c.register()
    assert c.order("a.example.org").status == 201
    r = c.order("a.example.org")
    assert r.status == 503 and r.header("Retry-After") == "7"


def test_rules_count(make_testca, client):
    """nth, every, count, probability; several rules and faults at once; removing."""
    ca = make_testca()
    c = client(ca)
    c.register()

    def statuses(n):
        return [c.post(c.kid).status for _ in range(n)]
    a, = ca.rules({"endpoint": "account", "nth": 2, "every": 2, "count": 2,
                   "fault": {"name": "status", "status": 418}})
    assert statuses(7) == [200, 418, 200, 418, 200, 200, 200]
    assert ca.rule_counts()[0]["fired"] == 2 and ca.rule_counts()[0]["seen"] == 7
    ca.ask("DELETE", f"/rules/{a}")
    assert ca.rule_counts() == []
    ca.rules({"endpoint": "account", "probability": 0.5, "fault": {"name": "status", "status": 418}})
    seen = statuses(60)
    assert 10 < seen.count(418) < 50
    ca.honest()
    ca.rules({"endpoint": "*", "fault": {"name": "bad-nonce"}},
             {"endpoint": "account", "fault": [{"name": "no-nonce"}, {"name": "content-type", "value": "x/y"}]})
    r = c.post(c.kid, header={"nonce": c.nonce()})
    assert r.header("Replay-Nonce") is None and r.header("Content-Type") == "x/y"
    assert r.json()["type"].endswith(":badNonce")
    assert ca.log()[-1]["faults"] == [{"name": "bad-nonce"}, {"name": "no-nonce"},
                                      {"name": "content-type", "value": "x/y"}]


@pytest.mark.parametrize("rule", [
    {"endpoint": "nowhere", "fault": {"name": "status"}}, {"endpoint": "order", "fault": {"name": "nothing"}},
    {"endpoint": "order", "fault": {"name": "tls"}}, {"endpoint": "connection", "fault": {"name": "status"}},
    {"endpoint": "order", "fault": {"name": "status", "code": 4}}, {"endpoint": "order"},
    {"endpoint": "order", "fault": {"name": "status", "status": "4"}},
    {"endpoint": "order", "fault": {"name": "huge", "bytes": -1}},
    {"endpoint": "order", "fault": {"name": "reset", "at": "leisure"}},
    {"endpoint": "cert", "fault": {"name": "chain", "form": "cr"}},
    {"endpoint": "order", "fault": {"name": "status"}, "nht": 1},
    {"endpoint": "order", "fault": {"name": "status"}, "probability": 2}, 5])
def test_rules_that_mean_nothing(testca, rule):
    with pytest.raises(AssertionError, match="400"):
        testca.rules({"endpoint": "order", "fault": {"name": "status"}}, rule)
    assert testca.rule_counts() == []


def test_reset(make_testca, client):
    ca = make_testca()
    c = client(ca)
    c.register()
    ca.fault("order", "status")
    assert ca.reset().stats()["requests"]["new-account"] == 0
    assert ca.rule_counts() == [] and ca.log() == []
    assert c.post(c.kid).status == 200
    nonce = c.nonce()
    ca.reset(state=True)
    assert c.post(c.kid, header={"nonce": nonce}).json()["type"].endswith(":badNonce")
    assert c.post(c.kid).json()["type"].endswith(":accountDoesNotExist")


def test_delays(make_testca, client, csrs):
    ca = make_testca("--validation-delay", "300", "--finalize-delay", "300", "--retry-after", "1")
    c = client(ca)
    c.register()
    order = c.order("x.example.org")
    r = c.post(c.challenge(order.json()["authorizations"][0])["url"], {})
    assert r.json()["status"] == "processing" and r.header("Retry-After") == "1"
    wait_until(lambda: c.post(order.header("Location")).json()["status"] == "ready")
    r = c.finalize(order, csrs.make("x.example.org"))
    assert r.json()["status"] == "processing" and r.header("Retry-After") == "1"
    wait_until(lambda: c.post(order.header("Location")).json()["status"] == "valid")
