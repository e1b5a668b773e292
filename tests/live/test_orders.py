# SPDX-License-Identifier: GPL-3.0-or-later
"""What other clients stumbled over: orders and authorizations in every state a CA may hand out."""
import threading
import time

import pytest

from lab.csr import pubkey_of
from lab.fakeca import Reply, problem, slow
from lab.util import wait_until


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


def both(d, *bodies):
    results = [None] * len(bodies)

    def one(i):
        results[i] = d.sign(bodies[i])
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(bodies))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


@pytest.mark.parametrize("delay", [0, 0.5])
def test_reused_orders_two_keys_at_once(fakeca, fake_daemon, csrs, cert, delay):
    """Let's Encrypt hands both the same order: one after the other, each gets its own key's leaf."""
    fakeca.reuse_orders, fakeca.validation_delay = True, delay
    rsa = csrs.make("www.example.org", "mail.example.org", key="rsa2048")
    ec = csrs.make("mail.example.org", "www.example.org", key="p256")
    a, b = both(fake_daemon, rsa, ec)
    assert cert(a).pubkey() == pubkey_of(csrs.key("rsa2048"))
    assert cert(b).pubkey() == pubkey_of(csrs.key("p256"))


def test_reused_orders_of_eight_keys(fakeca, fake_daemon, csrs, cert):
    fakeca.reuse_orders, fakeca.async_finalize = True, 2
    bodies = [csrs.make("www.example.org", label=f"k{i}") for i in range(8)]
    for i, r in enumerate(both(fake_daemon, *bodies)):
        assert cert(r).pubkey() == pubkey_of(csrs.key("p256", f"k{i}"))


def test_order_left_pending_is_taken_up_again(fakeca, make_daemon, csr, cert):
    """The daemon was killed amid an order; the CA hands the same one out again."""
    fakeca.reuse_orders, fakeca.validation = True, "never"
    d = make_daemon(fakeca)
    t = threading.Thread(target=lambda: pytest.raises(OSError, d.sign, csr))
    t.start()
    wait_until(lambda: fakeca.count("new-order") == 1, what="the order")
    wait_until(lambda: fakeca.count("challenge") == 1, what="the challenge")
    d.kill()
    t.join()
    fakeca.validation = "real"
    for a in fakeca.authzs.values():
        a["challenge"] = "pending"
    d.start()
    cert(d.sign(csr))
    assert len(fakeca.orders) == 1


def test_order_ready_at_once(fakeca, fake_daemon, csr, cert):
    fakeca.authz_valid = True
    cert(fake_daemon.sign(csr))
    assert fakeca.count("challenge") == 0


def test_one_authorization_valid_one_pending(fakeca, fake_daemon, csrs, cert):
    def half(r):
        reply = fakeca.do_new_order(r)
        n = next(iter(fakeca.orders.values()))["authzs"][0]
        fakeca.authzs[n]["status"] = fakeca.authzs[n]["challenge"] = "valid"
        return reply
    fakeca.when("new-order", half)
    cert(fake_daemon.sign(csrs.make("a.example.org", "b.example.org")))
    assert fakeca.count("challenge") == 1


def test_valid_authorization_without_a_challenge_of_our_kind(fakeca, fake_daemon, csr, cert):
    fakeca.authz_valid = True

    def only_dns(r):
        body = fakeca.authz_body(fakeca.authzs[r.number])
        body["challenges"] = [c for c in body["challenges"] if c["type"] == "dns-01"]
        return Reply(200, body)
    fakeca.when("authz", only_dns)
    cert(fake_daemon.sign(csr))


def test_pending_authorization_without_a_challenge_of_our_kind(fakeca, fake_daemon, csr):
    def only_dns(r):
        body = fakeca.authz_body(fakeca.authzs[r.number])
        body["challenges"] = [c for c in body["challenges"] if c["type"] == "dns-01"]
        return Reply(200, body)
    fakeca.when("authz", only_dns)
    r = fake_daemon.sign(csr)
    assert r.status in (403, 421, 503), repr(r)
    assert "http-01" in r.text


def test_empty_authorizations(fakeca, fake_daemon, csr, cert):
    def none(r):
        reply = fakeca.do_new_order(r)
        order = list(fakeca.orders.values())[-1]
        order["authzs"], order["status"] = [], "ready"
        return fakeca.order_reply(order, reply.status)
    fakeca.when("new-order", none)
    cert(fake_daemon.sign(csr))


def test_order_valid_of_somebody_else(fakeca, fake_daemon, csr, csrs, cert):
    """An order that is already valid, with a leaf for another key: not ours, order again."""
    other = csrs.make("www.example.org", label="other")
    cert(fake_daemon.sign(other))
    old = next(iter(fakeca.orders.values()))
    fakeca.when("new-order", lambda r: fakeca.order_reply(old, 201), times=1)
    assert cert(fake_daemon.sign(csr)).pubkey() == pubkey_of(csrs.key())
    assert fakeca.count("new-order") == 3


def test_order_valid_of_somebody_else_for_ever(fakeca, fake_daemon, csr, csrs, cert):
    other = csrs.make("www.example.org", label="other")
    cert(fake_daemon.sign(other))
    old = next(iter(fakeca.orders.values()))
    fakeca.when("new-order", lambda r: fakeca.order_reply(old, 201))
    fake_daemon.sign(csr).expect(503)
    assert fakeca.count("new-order") < 20


def test_order_not_ready_polls_again(fakeca, fake_daemon, csr, cert):
    fakeca.when("finalize", problem(403, "orderNotReady", "in a moment"), times=2)
    cert(fake_daemon.sign(csr))


def test_finalize_valid_at_once(fakeca, fake_daemon, csr, cert):
    cert(fake_daemon.sign(csr))
    assert fakeca.count("finalize") == 1


@pytest.mark.parametrize("polls", [1, 5])
def test_processing_is_polled_until_valid(fakeca, fake_daemon, csr, cert, polls):
    fakeca.async_finalize = polls
    cert(fake_daemon.sign(csr))


def test_retry_after_is_a_floor(fakeca, fake_daemon, csr, cert):
    fakeca.async_finalize, fakeca.retry_after_order = 2, 1
    cert(fake_daemon.sign(csr))
    times = fakeca.times("order")
    finalize = fakeca.times("finalize")[0]
    after = [t for t in times if t > finalize]
    assert after[0] - finalize >= 0.95 and after[1] - after[0] >= 0.95


def test_order_becomes_invalid_at_finalize(fakeca, fake_daemon, csr):
    def fail(r):
        order = fakeca.orders[r.number]
        order["status"] = "invalid"
        order["error"] = {"type": "urn:ietf:params:acme:error:caa", "detail": "CAA changed meanwhile"}
        return fakeca.order_reply(order)
    fakeca.when("finalize", fail)
    fake_daemon.sign(csr).expect(421, "CAA changed meanwhile")


def test_validation_inside_the_challenge_post(fakeca, fake_daemon, csr, cert):
    fakeca.validation = "inline"
    cert(fake_daemon.sign(csr))


def test_challenge_is_posted_once(fakeca, fake_daemon, csr, cert):
    fakeca.validation_delay = 1.5
    cert(fake_daemon.sign(csr))
    assert fakeca.count("challenge") == 1


def test_challenge_409(fakeca, fake_daemon, csr, cert):
    """Somebody posted it already, or our answer was lost: the authorization tells."""
    def conflict(r):
        fakeca.do_challenge(r)
        return problem(409, "malformed", "not pending")
    fakeca.when("challenge", conflict)
    cert(fake_daemon.sign(csr))


def test_polling_starts_with_the_ca_s_own_request(fakeca, make_daemon, csr, cert):
    """A whole issuance against an attentive CA takes no poll interval of seconds."""
    d = make_daemon(fakeca)
    started = time.monotonic()
    cert(d.sign(csr))
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("meta", [None, {}, {"termsOfService": None, "profiles": None,
                                            "caaIdentities": None, "website": None}])
def test_directory_without_meta(fakeca, make_daemon, csr, cert, meta):
    fakeca.meta = meta
    cert(make_daemon(fakeca).sign(csr))


def test_no_nonce_with_answers(fakeca, make_daemon, csr, cert):
    fakeca.no_nonce = True
    cert(make_daemon(fakeca).sign(csr))


def test_bad_nonce_ten_times(fakeca, fake_daemon, csr, cert):
    fakeca.when("new-order", problem(400, "badNonce", "stale"), times=8)
    cert(fake_daemon.sign(csr))


def test_bad_nonce_for_ever(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"mgmt": {"timeout": "10"}})
    fakeca.when("new-order", problem(400, "badNonce", "stale"))
    d.sign(csr).expect(503)
    assert fakeca.count("new-order") < 40


def test_connection_closed_while_idle(fakeca, fake_daemon, csr, csrs, cert):
    """The CA closes kept-alive connections: the next order notices and connects again."""
    cert(fake_daemon.sign(csr))
    fakeca.stop()
    fakeca.start()
    cert(fake_daemon.sign(csrs.make("other.example.org")))


def test_problem_with_a_wrong_content_type(fakeca, fake_daemon, csr):
    r = problem(400, "rejectedIdentifier", "policy")
    r.ctype = "text/html"
    fakeca.when("new-order", r)
    fake_daemon.sign(csr).expect(403, "policy")


def test_order_with_urls_of_another_scheme(fakeca, fake_daemon, csr):
    def http(r):
        reply = fakeca.do_new_order(r)
        reply.body = reply.body.replace(b"https://", b"http://")
        reply.headers["Location"] = reply.headers["Location"].replace("https://", "http://")
        return reply
    fakeca.when("new-order", http)
    fake_daemon.sign(csr).expect(503)


def test_answer_without_end(fakeca, fake_daemon, csr):
    """Bodies are bounded."""
    fakeca.when("cert", Reply(200, b"-----BEGIN CERTIFICATE-----\n" + b"A" * 30_000_000,
                              "application/pem-certificate-chain"))
    r = fake_daemon.sign(csr, timeout=60)
    assert r.status == 503, repr(r)


def test_slow_ca(fakeca, make_daemon, csr, cert):
    for e in ("new-order", "authz", "challenge", "finalize", "cert"):
        fakeca.when(e, slow(0.5), times=1)
    cert(make_daemon(fakeca).sign(csr))


# Account

def test_account_is_found_not_made_again(fakeca, make_daemon, csr, cert):
    d = make_daemon(fakeca)
    cert(d.sign(csr))
    d.restart()
    cert(d.sign(csr))
    assert len(fakeca.accounts) == 1
    last = [r for r in fakeca.requests if r.endpoint == "new-account"][-1]
    assert last.payload.get("onlyReturnExisting") is True


def test_account_lost_at_the_ca(fakeca, fake_daemon, csr, csrs, cert):
    cert(fake_daemon.sign(csr))
    fakeca.accounts.clear()
    cert(fake_daemon.sign(csrs.make("other.example.org")))
    assert fake_daemon.registration()["uri"] == next(iter(fakeca.accounts.values()))["url"]


@pytest.mark.parametrize("kind,status", [("malformed", 400), ("unauthorized", 401),
                                         ("accountDoesNotExist", 400)])
def test_kid_refused_in_other_words(fakeca, fake_daemon, csr, csrs, cert, kind, status):
    """CAs say "unknown account" in different words: newAccount is asked instead of guessing."""
    cert(fake_daemon.sign(csr))
    fakeca.accounts.clear()
    plain = fakeca.open_jws

    def other_words(h, body):
        payload, protected, account, reply = plain(h, body)
        if reply is not None and b"accountDoesNotExist" in reply.body and h.path != "/new-account":
            reply = problem(status, kind, "KeyID header contained an invalid account URL")
        return payload, protected, account, reply
    fakeca.open_jws = other_words
    cert(fake_daemon.sign(csrs.make("other.example.org")))


def test_registration_on_file_differs(fakeca, make_daemon, csr, cert):
    """What the CA says replaces a different uri; members we do not know stay."""
    import json
    d = make_daemon(fakeca)
    cert(d.sign(csr))
    d.stop()
    path = d.account / "registration.json"
    registration = d.registration()
    right = registration["uri"]
    registration["uri"] = f"{fakeca.base}/account/1"
    registration["somebody"] = {"else": [1, 2]}
    registration["body"]["more"] = "kept"
    path.write_text(json.dumps(registration))
    d.start()
    wait_until(lambda: d.registration()["uri"] == right, what="the corrected uri")
    assert d.registration()["somebody"] == {"else": [1, 2]}
    assert d.registration()["body"]["more"] == "kept"


@pytest.mark.parametrize("text", ["{}", "", "[]", "nonsense", '{"uri": 5}', '{"body": null, "uri": null}'])
def test_registration_broken(fakeca, make_daemon, csr, cert, text):
    d = make_daemon(fakeca, start=False)
    d.account.mkdir(parents=True)
    (d.account / "registration.json").write_text(text)
    d.start(ready=False)
    try:
        wait_until(lambda: "running" in d.process.out() or not d.process.alive(), 15)
        if d.process.alive():
            cert(d.sign(csr))
        else:
            assert "registration.json" in d.process.err()
            d.expect_exit = d.process.popen.returncode
            assert d.expect_exit in (1, 2)
    finally:
        d.close()


@pytest.mark.parametrize("kind,form", [("rsa4096", "pkcs8"), ("rsa2048", "pkcs1"), ("p256", "sec1"),
                                       ("p384", "pkcs8"), ("p384", "sec1")])
def test_account_key_of_the_original(fakeca, make_daemon, csrs, csr, cert, kind, form):
    """PKCS#8 RSA 4096 with mode 0644 is what the original left; the others load too."""
    from lab.util import run
    d = make_daemon(fakeca, start=False)
    d.account.mkdir(parents=True)
    path = d.account / "account.pem"
    source = csrs.key(kind, "account")
    if form == "pkcs8":
        run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", source, "-out", path)
    else:
        run("openssl", "rsa" if kind.startswith("rsa") else "ec", "-in", source, "-out", path,
            *(["-traditional"] if kind.startswith("rsa") else []))
    first = path.read_text().splitlines()[0]
    assert {"pkcs8": "BEGIN PRIVATE", "pkcs1": "BEGIN RSA", "sec1": "BEGIN EC"}[form] in first
    path.chmod(0o644)
    before = path.read_bytes()
    d.start()
    cert(d.sign(csr))
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o600
    d.wait_log("account.pem")


def test_account_files_shape(fakeca, fake_daemon, csr):
    assert fake_daemon.sign(csr).status == 200
    registration = fake_daemon.registration()
    account = next(iter(fakeca.accounts.values()))
    assert registration["uri"] == account["url"]
    assert registration["body"]["key"] == account["jwk"]
    assert registration["body"]["status"] == "valid"
    assert "BEGIN PRIVATE KEY" in (fake_daemon.account / "account.pem").read_text()


def test_contact(fakeca, make_daemon, csr, cert):
    d = make_daemon(fakeca, {"account": {"contact": ["mailto:a@example.org", "mailto:b@example.org"]}})
    cert(d.sign(csr))
    assert next(iter(fakeca.accounts.values()))["contact"] == ["mailto:a@example.org",
                                                               "mailto:b@example.org"]
