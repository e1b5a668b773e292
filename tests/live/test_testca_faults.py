# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault the test CA lists (testca --list-faults) does what the list says: each example is
set as a rule, and what comes over the wire is looked at byte by byte."""
import datetime
import email.utils
import json
import re
import time

import pytest

from lab.acme import Client, Key, talk
from lab.csr import pubkey_of
from lab.testca import fault_examples, faults
from lab.util import run, wait_until

NAME = "x.example.org"
# Faults of any request are shown on this one.
WHERE = "new-order"


@pytest.fixture
def ca(make_testca):
    return make_testca()


@pytest.fixture
def client(ca, csrs):
    c = Client(ca, Key(csrs.key("p256", "acme")))
    c.register()
    return c


def examples(*groups):
    return [pytest.param(fault, id=name) for name, fault, _ in fault_examples(*groups)]


def ask(c, **kw):
    """newOrder, with every byte that comes back."""
    payload = {"identifiers": [{"type": "dns", "value": NAME}]}
    return c.wire(c.directory()["newOrder"], payload, **kw)


def honest(body):
    """Whether it is the order that was asked for."""
    order = json.loads(body)
    return order["status"] == "pending" and order["identifiers"] == [{"type": "dns", "value": NAME}]


# What an answer says: one function for each fault, named after it

def answer_status(f, w):
    assert w.response.status == f["status"] and w.response.header("Content-Type") in ("text/plain", None)


def answer_problem(f, w):
    r = w.response
    assert r.status == f["status"] and r.json()["type"] == "urn:ietf:params:acme:error:" + f["type"]
    assert r.json()["status"] == f["status"] and r.json()["detail"]
    assert r.header("Content-Type") == f.get("content-type", "application/problem+json")
    assert r.header("Retry-After") == f.get("retry-after")


def answer_busy(f, w):
    r = w.response
    assert r.status == f["status"]
    if "date-in" in f:
        when = email.utils.parsedate_to_datetime(r.header("Retry-After"))
        now = datetime.datetime.now(datetime.timezone.utc)
        assert (when - now).total_seconds() == pytest.approx(f["date-in"], abs=2)
    else:
        assert r.header("Retry-After") == f.get("retry-after")


def answer_bad_nonce(f, w):
    assert w.response.status == 400 and w.response.json()["type"].endswith(":badNonce")
    assert w.response.header("Replay-Nonce")


def answer_html(f, w):
    assert w.response.status == f["status"] and w.response.header("Content-Type") == "text/html"
    assert b"<html>" in w.body


def answer_empty(f, w):
    assert w.response.status == f["status"] and w.body == b"" and not w.response.header("Content-Type")


def answer_huge(f, w):
    assert w.response.status == f["status"] and len(w.body) > f.get("bytes", 50 << 20)
    json.loads(w.body)


def answer_nested(f, w):
    assert w.response.status == f["status"] and w.body.count(b"[") == f.get("depth", 100000)
    assert w.body.count(b"[") == w.body.count(b"]")


def answer_garbage(f, w):
    assert w.response.status == f["status"] and w.response.header("Content-Type") == "application/json"
    with pytest.raises(ValueError):
        json.loads(w.body)


def answer_json(f, w):
    assert w.response.status == 200 and json.loads(w.body) == f["body"]


def answer_cut_json(f, w):
    assert w.response.status == 201 and int(w.response.header("Content-Length")) == len(w.body) > 50
    assert w.body.startswith(b'{"status":"pending"') and not w.body.endswith(b"}")


def answer_nul(f, w):
    assert w.response.status == 201 and w.body.count(b"\0") == 6
    assert honest(w.body.replace(b"\0", b"")) and b"\0" in w.body.rstrip(b"\0")


def answer_content_type(f, w):
    assert w.response.header("Content-Type") == (f["value"] or None) and honest(w.body)


def answer_header(f, w):
    values = [v for k, v in w.response.headers if k.lower() == f["header"].lower()]
    assert f["value"] in values and (f["header"] != "Location" or values == [f["value"]])
    assert len(values) == 1 and honest(w.body)


def answer_no_header(f, w):
    assert w.response.header(f["header"]) is None and honest(w.body)


def answer_no_nonce(f, w):
    assert w.response.header("Replay-Nonce") is None and honest(w.body)


def answer_used_nonce(f, w):
    assert w.response.header("Replay-Nonce") and honest(w.body)


@pytest.mark.parametrize("fault", examples("answer"))
def test_answer(ca, client, fault):
    ca.rules({"endpoint": WHERE, "fault": fault})
    w = ask(client, close=True, limit=10.0)
    assert w.end == "closed", w
    globals()["answer_" + fault["name"].replace("-", "_")](fault, w)
    kind = next(k for k in faults() if k["name"] == fault["name"])
    # What stands in place of an answer means that nothing was done.
    assert ca.stats()["objects"]["orders"] == (0 if kind["instead"] else 1)
    assert ca.stats()["faults"] == {fault["name"]: 1}
    if fault["name"] == "used-nonce":
        r = client.post(client.kid, header={"nonce": w.response.header("Replay-Nonce")})
        assert r.json()["type"].endswith(":badNonce")
    assert client.post(client.kid).status == 200


def test_answer_after_processing(ca, client):
    """The CA did it and said otherwise."""
    ca.rules({"endpoint": WHERE, "fault": {"name": "status", "status": 500, "processed": True}})
    assert ask(client, close=True).response.status == 500
    assert ca.stats()["objects"]["orders"] == 1


def test_answer_with_subproblems(ca, client):
    sub = [{"type": "urn:ietf:params:acme:error:caa", "detail": "no",
            "identifier": {"type": "dns", "value": NAME}}]
    ca.rules({"endpoint": WHERE, "fault": {"name": "problem", "type": "compound", "subproblems": sub}})
    r = ask(client, close=True).response
    assert r.json()["subproblems"] == sub and r.header("Content-Type") == "application/problem+json"


def test_every_endpoint(ca, client, csrs):
    """Rules reach each of them, and "*" all but connections."""
    order = client.order(NAME)
    authz = order.json()["authorizations"][0]
    d = client.directory()
    urls = {
        "directory": ca.directory, "new-nonce": d["newNonce"], "terms": ca.base + "/terms",
        "renewal-info": d["renewalInfo"] + "/x.y", "new-account": d["newAccount"], "account": client.kid,
        "new-order": d["newOrder"], "order": order.header("Location"), "authz": authz,
        "challenge": client.challenge(authz)["url"], "finalize": order.json()["finalize"],
        "cert": ca.base + "/cert/1", "revoke": d["revokeCert"], "key-change": d["keyChange"],
        "orders": ca.base + "/orders/1", "unknown": ca.base + "/nothing"}
    listed = set(next(k for k in faults() if k["name"] == "status")["endpoints"])
    assert listed == set(urls)

    def status(endpoint, url, nonce):
        if endpoint in ("directory", "new-nonce", "terms", "renewal-info"):
            return client.get(url).status
        return client.post(url, {}, jwk=endpoint == "new-account", header={"nonce": nonce}).status
    for rule in (*urls, "*"):
        nonces = [client.nonce() for _ in urls]
        ca.honest().rules({"endpoint": rule, "fault": {"name": "status", "status": 418}})
        for endpoint, url in urls.items():
            if rule in ("*", endpoint) or endpoint in ("directory", "terms"):
                got = status(endpoint, url, nonces.pop())
                assert (got == 418) == (rule in ("*", endpoint)), (rule, endpoint, got)
        ca.honest()


# How it travels

def deliver_delay(f, w):
    assert w.seconds >= f["ms"] / 1000 and honest(w.body)


def paced(f, w, part):
    """That part in at least so many pieces' time; with a pace of seconds only its beginning."""
    if f["ms"] >= 1000:
        assert w.end == "open" and len(part) < 8
        return
    assert w.end == "open" and honest(w.body)


def deliver_slow_head(f, w):
    paced(f, w, w.raw)


def deliver_slow_body(f, w):
    assert b"\r\n\r\n" in w.raw
    paced(f, w, w.body)


def deliver_silence(f, w):
    assert w.raw == b"" and w.end == "open"


def deliver_reset(f, w):
    assert w.end == ("eof" if f.get("fin") else "reset"), w
    at = f["at"]
    if at == "request":
        assert w.raw == b""
        return
    assert w.raw.startswith(b"HTTP/1.1 201 ")
    assert (b"\r\n\r\n" in w.raw) == (at != "in-headers")
    if at == "headers":
        assert w.body == b"" and int(w.response.header("Content-Length")) > 100
    if at == "body":
        assert 0 < len(w.body) < int(w.response.header("Content-Length"))


def deliver_close(f, w):
    assert w.end == "closed" and honest(w.body)
    assert (w.response.header("Connection") == "close") == f.get("announce", False)


def deliver_interim(f, w):
    assert w.raw.startswith(b"HTTP/1.1 %d " % f["status"])
    assert w.raw.split(b"\r\n\r\n", 1)[1].startswith(b"HTTP/1.1 201 ") and w.end == "open"


def unchunk(data):
    out, count = b"", 0
    while True:
        size, data = data.split(b"\r\n", 1)
        n = int(size, 16)
        out, data, count = out + data[:n], data[n + 2:], count + 1
        if n == 0:
            assert data == b""
            return out, count


def deliver_chunked(f, w):
    assert w.response.header("Transfer-Encoding") == "chunked" and not w.response.header("Content-Length")
    body, count = unchunk(w.body)
    assert honest(body) and count > 2 and w.end == "open"


def deliver_bad_chunk(f, w):
    assert w.response.header("Transfer-Encoding") == "chunked" and w.body.startswith(b"zz\r\n")


def deliver_unframed(f, w):
    assert not w.response.header("Transfer-Encoding") and not w.response.header("Content-Length")
    assert honest(w.body) and w.end == ("open" if f.get("endless") else "closed")


def deliver_length(f, w):
    assert int(w.response.header("Content-Length")) == len(w.body) + f["add"] and honest(w.body)
    assert w.end == ("closed" if f.get("fin") else "open")


def deliver_twice(f, w):
    half = len(w.raw) // 2
    assert w.raw[:half] == w.raw[half:] and w.raw.startswith(b"HTTP/1.1 201 ") and w.end == "open"


def deliver_huge_head(f, w):
    assert len(w.head) > 200000 and honest(w.body)


def deliver_not_http(f, w):
    assert b"HTTP/" not in w.raw and len(w.raw) > 10 and w.end == "closed"


@pytest.mark.parametrize("fault", examples("delivery"))
def test_delivery(ca, client, fault):
    ca.rules({"endpoint": WHERE, "fault": fault})
    slow = fault.get("ms", 0) >= 1000
    started = time.monotonic()
    w = ask(client, idle=1.5 if slow else 0.3, limit=4.5 if slow else 20.0 if "ms" in fault else 2.0)
    taken = time.monotonic() - started
    globals()["deliver_" + fault["name"].replace("-", "_")](fault, w)
    if "bytes" in fault and not slow:
        length = len(w.head if fault["name"] == "slow-head" else w.body)
        assert taken >= length / fault["bytes"] * fault["ms"] / 1000
    # The request was processed all the same.
    assert ca.stats()["objects"]["orders"] == 1
    ca.honest()
    assert client.order(NAME).status == 201
    wait_until(lambda: ca.stats()["connections"]["open"] == 0)


# Before there is a request

@pytest.mark.parametrize("fault", examples("connection"))
def test_connection(ca, client, fault):
    ca.rules({"endpoint": "connection", "count": 1, "fault": fault})
    request = b"GET /dir HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    w = talk(ca.where, client.context, request, limit=1.0)
    wanted = {"expired": "certificate: certificate has expired",
              "not-yet": "certificate: certificate is not yet valid",
              "wrong-name": "certificate: IP address mismatch", "wrong-ca": "certificate: ",
              "accept": "reset", "handshake": "reset", None: "open"}
    assert w.end.startswith(wanted[fault.get("certificate", fault.get("at"))]), w
    assert w.raw == b""
    assert ca.stats()["connections"]["handshakes"] >= 1
    # The next one is as it should be.
    assert talk(ca.where, client.context, request).response.status == 200
    assert ca.stats()["faults"] == {fault["name"]: 1}


# States

def state_reuse_order(f, ca, c, csrs):
    first, again = c.order(NAME), c.order(NAME)
    assert first.status == again.status == 201
    assert first.header("Location") == again.header("Location")
    assert c.order("y.example.org").header("Location") != first.header("Location")
    c.authorize(first)
    assert c.order(NAME).json()["status"] == "ready"
    assert c.finalize(first, csrs.make(NAME)).json()["status"] == "valid"
    assert c.order(NAME).header("Location") != first.header("Location")


def state_authz_valid(f, ca, c, csrs):
    order = c.order(NAME, "y.example.org")
    assert order.json()["status"] == "ready"
    for url in order.json()["authorizations"]:
        assert c.post(url).json()["status"] == "valid"
    done = c.finalize(order, csrs.make(NAME, "y.example.org"))
    assert c.post(done.json()["certificate"]).text.startswith("-----BEGIN CERTIFICATE-----")


def state_authz_invalid(f, ca, c, csrs):
    order = c.order(NAME)
    assert order.json()["status"] == f.get("order", "pending")
    authz = c.post(order.json()["authorizations"][0]).json()
    assert authz["status"] == "invalid" and authz["challenges"][0]["error"]["detail"]
    assert c.post(order.header("Location")).json()["status"] == f.get("order", "pending")


def state_no_authorizations(f, ca, c, csrs):
    order = c.order(NAME)
    assert order.json()["authorizations"] == [] and order.json()["status"] == f.get("order", "pending")
    assert c.post(order.header("Location")).json()["status"] == f.get("order", "pending")
    done = c.finalize(order, csrs.make(NAME)).json()
    assert done["status"] == "valid" if f.get("order") == "ready" else done["type"].endswith(":orderNotReady")


def state_challenges(f, ca, c, csrs):
    authz = c.post(c.order(NAME).json()["authorizations"][0]).json()
    assert [x["type"] for x in authz["challenges"]] == f["offer"]
    for x in authz["challenges"]:
        assert ("token" in x) == (x["type"] in ("http-01", "dns-01"))


def state_stays_pending(f, ca, c, csrs):
    order = c.order(NAME)
    assert c.post(order.json()["authorizations"][0]).json()["status"] == "pending"
    polls = [c.authorize(order).json()["status"]]
    assert c.post(order.json()["authorizations"][0]).json()["status"] == "valid"
    polls += [c.post(order.header("Location")).json()["status"] for _ in range(5)]
    n = f.get("polls", 6)
    assert polls == ["pending"] * n + ["ready"] * (6 - n)


def state_challenge_invalid(f, ca, c, csrs):
    order = c.order(NAME)
    url = order.json()["authorizations"][0]
    answer = c.post(c.challenge(url)["url"], {}).json()
    assert answer["status"] == "invalid"
    assert answer["error"]["type"].endswith(":" + f.get("type", "unauthorized"))
    state = f.get("authorization", "invalid")
    assert c.post(url).json()["status"] == state
    assert c.challenge(url)["status"] == "invalid"
    assert c.post(order.header("Location")).json()["status"] == state


def state_challenge_never(f, ca, c, csrs):
    order = c.order(NAME)
    url = order.json()["authorizations"][0]
    assert c.post(c.challenge(url)["url"], {}).json()["status"] == "processing"
    assert c.challenge(url)["status"] == "processing"
    assert c.post(order.header("Location")).json()["status"] == "pending"


def state_challenge_conflict(f, ca, c, csrs):
    order = c.order(NAME)
    url = c.challenge(order.json()["authorizations"][0])["url"]
    assert c.post(url, {}).status == 200
    assert c.post(url, {}).status == 409
    assert c.post(url).status == 200 and c.post(url).json()["status"] == "valid"


def finalized(c, csrs):
    order = c.order(NAME)
    c.authorize(order)
    return c.finalize(order, csrs.make(NAME))


def state_processing(f, ca, c, csrs):
    order = finalized(c, csrs)
    assert order.json()["status"] == "processing" and "certificate" not in order.json()
    assert c.post(ca.base + "/cert/1").status == 404
    polls = [c.post(order.header("Location")).json()["status"] for _ in range(5)]
    n = f.get("polls", 5)
    assert polls == ["processing"] * n + ["valid"] * (5 - n)


def state_late_invalid(f, ca, c, csrs):
    order = finalized(c, csrs)
    assert order.json()["status"] == "processing"
    polls = [c.post(order.header("Location")).json() for _ in range(4)]
    n = f.get("polls", 1)
    assert [p["status"] for p in polls] == ["processing"] * n + ["invalid"] * (4 - n)
    assert polls[-1]["error"]["type"].endswith(":" + f.get("type", "serverInternal"))
    assert "certificate" not in polls[-1]


@pytest.mark.parametrize("fault", examples("state"))
def test_state(ca, client, csrs, fault):
    endpoint, = next(k for k in faults() if k["name"] == fault["name"])["endpoints"]
    ca.rules({"endpoint": endpoint, "fault": fault})
    globals()["state_" + fault["name"].replace("-", "_")](fault, ca, client, csrs)
    assert ca.stats()["faults"][fault["name"]] >= 1
    ca.honest()
    assert client.post(client.kid).status == 200


# Certificates

def look(pem, tmp_path, *what):
    path = tmp_path / "look.pem"
    path.write_text(pem)
    return run("openssl", "x509", "-in", path, "-noout", *what, check=False)


def certificates(text):
    return re.findall(r"-----BEGIN CERTIFICATE-----\n.*?-----END CERTIFICATE-----\n", text, re.S)


def is_chain(ca, leaf, rest, tmp_path):
    (tmp_path / "leaf.pem").write_text(leaf)
    (tmp_path / "rest.pem").write_text(rest)
    return run("openssl", "verify", "-no_check_time", "-CAfile", ca.root, "-untrusted", tmp_path / "rest.pem",
               tmp_path / "leaf.pem", check=False).returncode == 0


@pytest.mark.parametrize("fault", [e for e in examples("certificate") if e.values[0]["name"] != "chain"])
def test_certificate(ca, client, csrs, tmp_path, fault):
    ca.rules({"endpoint": "finalize", "fault": fault})
    _, chain = client.issue(csrs.make(NAME), NAME)
    leaf, intermediate = certificates(chain.text)
    assert is_chain(ca, leaf, intermediate, tmp_path)
    own = look(leaf, tmp_path, "-pubkey").stdout == pubkey_of(csrs.key())
    names = re.findall(r"DNS:([^,\s]+)", look(leaf, tmp_path, "-ext", "subjectAltName").stdout)
    now = datetime.datetime.utcnow()
    start, end = (datetime.datetime.strptime(x, "%b %d %H:%M:%S %Y") for x in re.findall(
        r"=(\w+ +\d+ [\d:]+ \d+) GMT", look(leaf, tmp_path, "-dates").stdout))
    wrong = fault.get("names", ["someone-else.example"])
    assert own == (fault["name"] != "wrong-key")
    assert names == (wrong if fault["name"] == "wrong-names" else [NAME])
    assert (end < now) == (fault["name"] == "expired")
    assert (start > now) == (fault["name"] == "not-yet")


@pytest.mark.parametrize("fault", [e for e in examples("certificate") if e.values[0]["name"] == "chain"])
def test_chain(ca, client, csrs, tmp_path, fault):
    done, honest_chain = client.issue(csrs.make(NAME), NAME)
    good = honest_chain.body
    leaf, rest = certificates(honest_chain.text)
    ca.rules({"endpoint": "cert", "fault": fault})
    r = client.post(done.json()["certificate"])
    assert r.status == 200 and r.header("Content-Type") == "application/pem-certificate-chain"
    form, body = fault["form"], r.body
    found = certificates(r.text.replace("\r\n", "\n"))
    if form == "garbage":
        assert len(found) == 1 and look(found[0], tmp_path).returncode != 0
    elif form == "no-newline":
        assert body + b"\n" == good
    elif form == "extra-text":
        assert found == [leaf, rest] and not body.startswith(b"-----") and not body.endswith(b"-----\n")
    elif form == "crlf":
        assert body.replace(b"\r\n", b"\n") == good and body.count(b"\r\n") == good.count(b"\n")
    elif form == "leaf-only":
        assert found == [leaf] and r.text == leaf
    elif form == "reversed":
        assert found == [rest, leaf]
    elif form == "other-issuer":
        assert found[0] == leaf and found[1] != rest and not is_chain(ca, leaf, found[1], tmp_path)
    elif form == "empty":
        assert body == b""
    elif form == "der":
        assert body[0] == 0x30 and b"-----" not in body
    elif form == "half":
        assert body == good[:len(good) // 2]
    else:
        assert form == "blank-lines" and body.replace(b"\n\n", b"\n").count(b"\n\n") > 0
        assert found == [leaf, rest]


# The list

def test_list(ca):
    """One place says everything, the control interface too; every fault has an example."""
    assert ca.ask("GET", "/faults") == faults()
    for kind in faults():
        assert kind["examples"] and kind["endpoints"] and kind["summary"], kind
        assert all(e["name"] == kind["name"] for e in kind["examples"])
        for example in kind["examples"]:
            for endpoint in kind["endpoints"]:
                ca.rules({"endpoint": endpoint, "fault": example})
    assert {k["group"] for k in faults()} == {"answer", "delivery", "connection", "state", "certificate"}
