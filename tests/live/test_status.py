# SPDX-License-Identifier: GPL-3.0-or-later
"""Every row of the table of statuses, with a CA that misbehaves on demand."""
import datetime
import re
import time

import pytest

from lab.csr import pubkey_of
from lab.fakeca import ERROR, HANGUP, Reply, problem, slow
from lab.http import Raw, request
from lab.util import wait_until


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


# 200

def test_200(fake_daemon, csr, cert, csrs):
    c = cert(fake_daemon.sign(csr))
    assert c.names == ["www.example.org"] and c.pubkey() == pubkey_of(csrs.key())


@pytest.mark.parametrize("chain", [
    lambda leaf, i: leaf.rstrip("\n") + "\n" + i.rstrip("\n"),
    lambda leaf, i: (leaf + "\n\n" + i).replace("\n", "\r\n"),
    lambda leaf, i: f"Leaf, for you:\n{leaf}Issuer:\n{i}The end\n",
    lambda leaf, i: leaf + "\n\n\n" + i + "\n\n"],
    ids=["no final newline", "CRLF", "text between", "blank lines"])
def test_200_is_normalised(fakeca, fake_daemon, csr, cert, chain):
    fakeca.chain = chain
    assert len(cert(fake_daemon.sign(csr)).pems) == 2


def test_query_and_content_type_are_no_matter(fake_daemon, csr, cert):
    cert(fake_daemon.sign(csr, {"Content-Type": "application/x-www-form-urlencoded"}))


# 403

def test_403_no_block(fakeca, fake_daemon, csrs):
    fake_daemon.sign(csrs.make("www.example.com")).expect(403)
    assert fakeca.count("new-order") == 0


def test_403_one_name_of_two(fakeca, fake_daemon, csrs):
    fake_daemon.sign(csrs.make("www.example.org", "www.example.com")).expect(403)
    assert fakeca.count("new-order") == 0


@pytest.mark.parametrize("kind", ["rejectedIdentifier", "unsupportedIdentifier"])
def test_403_of_the_ca(fakeca, fake_daemon, csr, kind):
    fakeca.when("new-order", problem(400, kind, "policy forbids it"))
    fake_daemon.sign(csr).expect(403, "www.example.org", "policy forbids it")


def test_403_subproblems_list_each_name(fakeca, fake_daemon, csrs):
    def sub(name):
        return {"type": ERROR + "rejectedIdentifier", "detail": f"no {name}",
                "identifier": {"type": "dns", "value": name}}
    fakeca.when("new-order", problem(400, "rejectedIdentifier", "several",
                                     subproblems=[sub("a.example.org"), sub("b.example.org")]))
    r = fake_daemon.sign(csrs.make("a.example.org", "b.example.org", "c.example.org"))
    r.expect(403, r"a\.example\.org", r"b\.example\.org")


def test_403_wildcard_needs_dns01(fakeca, make_daemon, csrs):
    d = make_daemon(fakeca, {'auth "test"': {"domain": ["*.example.org"]}})
    d.sign(csrs.make("*.example.org")).expect(403, "http")
    assert fakeca.count("new-order") == 0


# 404, 405, 411, 413: see test_http.py as well

@pytest.mark.parametrize("path", ["/", "/sign/", "/Sign", "//sign", "/%73ign", "/revoke", "/nosuch",
                                  "/metrics", "/readyz", "/sign/../sign"])
def test_404(fake_daemon, csr, path):
    fake_daemon.post(csr, path=path).expect(404)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
def test_405(fake_daemon, method):
    r = request(fake_daemon.where, method, "/sign")
    assert r.status == 405 and r.header("Allow") == "POST"


def test_405_healthz(fake_daemon):
    r = request(fake_daemon.where, "POST", "/healthz", b"x")
    assert r.status == 405 and "GET" in r.header("Allow")


def test_healthz(fake_daemon):
    assert request(fake_daemon.where, "GET", "/healthz").status == 200


def test_413(fake_daemon):
    fake_daemon.sign(b"x" * 4097).expect(413, "max-size|4096|4k|larger")


def test_413_with_another_max_size(make_daemon, fakeca, csr):
    d = make_daemon(fakeca, {"mgmt": {"max-size": "200"}})
    d.sign(csr).expect(413)


# 415

@pytest.mark.parametrize("kind,status", [("badCSR", 400), ("badPublicKey", 400), ("malformed", 400)])
def test_415_new_order(fakeca, fake_daemon, csr, csrs, kind, status):
    fakeca.when("new-order", problem(status, kind, "cannot use it"))
    fake_daemon.sign(csr).expect(415, "cannot use it")
    # The order has the names only, so another key is not tried either.
    asked = fakeca.count("new-order")
    r = fake_daemon.sign(csrs.make("www.example.org", label="b")).expect(415, "cannot use it")
    assert int(r.header("Retry-After")) > 0 and fakeca.count("new-order") == asked


@pytest.mark.parametrize("kind", ["badCSR", "badPublicKey"])
def test_415_finalize(fakeca, fake_daemon, csr, csrs, cert, kind):
    fakeca.when("finalize", problem(400, kind, "key too old"), times=1)
    fake_daemon.sign(csr).expect(415, "key too old")
    fake_daemon.sign(csr).expect(415, "key too old")
    # It is the key that is refused, not the name.
    cert(fake_daemon.sign(csrs.make("www.example.org", label="b")))


def test_415_finalize_unauthorized(fakeca, fake_daemon, csrs):
    fakeca.when("finalize", problem(403, "unauthorized", "names differ"))
    fake_daemon.sign(csrs.make(cn="www.example.org")).expect(415, "subjectAltName", "names differ")


# 421

def test_421(fakeca, fake_daemon, csr):
    fakeca.validation = "invalid"
    r = fake_daemon.sign(csr).expect(421, r"www\.example\.org", "wrong answer at the name")
    assert r.reason.startswith("Validation failed for www.example.org")


@pytest.mark.parametrize("kind", ["caa", "connection", "dns", "incorrectResponse", "tls",
                                  "unauthorized"])
def test_421_kinds(fakeca, fake_daemon, csr, kind):
    fakeca.validation = "invalid"
    fakeca.validation_error = {"type": ERROR + kind, "detail": "that went wrong"}
    fake_daemon.sign(csr).expect(421, r"www\.example\.org", "that went wrong")


def test_421_caa_at_finalize(fakeca, fake_daemon, csr):
    fakeca.when("finalize", problem(403, "caa", "CAA record forbids"))
    fake_daemon.sign(csr).expect(421, "CAA record forbids", r"www\.example\.org")


def test_421_only_the_challenge_turns_invalid(fakeca, fake_daemon, csr):
    """The authorization stays pending for ever with some CAs."""
    fakeca.validation = "challenge-only"
    started = time.monotonic()
    fake_daemon.sign(csr).expect(421, r"www\.example\.org")
    assert time.monotonic() - started < 15


def test_421_a_detail_is_made_harmless(fakeca, fake_daemon, csr):
    fakeca.validation = "invalid"
    fakeca.validation_error = {"type": ERROR + "dns",
                               "detail": "line one\r\nSet-Cookie: x=1\x1b[31m\u2028 \u00e4"}
    r = fake_daemon.sign(csr).expect(421)
    assert r.header("Set-Cookie") is None
    assert "\x1b" not in r.text
    assert "\x1b" not in fake_daemon.log()


# 429

def test_429_with_seconds(fakeca, fake_daemon, csrs, csr):
    fakeca.when("new-order", problem(429, "rateLimited", "too many certificates", retry_after=90))
    r = fake_daemon.sign(csr).expect(429, "too many certificates")
    assert 60 <= int(r.header("Retry-After")) <= 90
    # The pause is for the account: other names are not ordered either.
    other = fake_daemon.sign(csrs.make("other.example.org"))
    assert other.status in (429, 503) and 60 <= int(other.header("Retry-After")) <= 90
    assert fakeca.count("new-order") == 1
    assert fake_daemon.log().count("too many certificates") == 1
    fake_daemon.wait_log(r"wants a pause: .* asks to wait with new orders \(rate limit\), for 90 s")


def test_429_with_a_date(fakeca, fake_daemon, csr):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=120)
    fakeca.when("new-order", problem(429, "rateLimited", "slow down",
                                     retry_after=when.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    r = fake_daemon.sign(csr).expect(429, "slow down")
    assert 90 <= int(r.header("Retry-After")) <= 121


def test_429_is_over_at_some_time(fakeca, fake_daemon, csr, cert):
    fakeca.when("new-order", problem(429, "rateLimited", "slow down", retry_after=2), times=1)
    fake_daemon.sign(csr)
    r = wait_until(lambda: next((r for r in [fake_daemon.sign(csr)] if r.status == 200), None), 90,
                   "a certificate after the pause", 0.5)
    cert(r)


def test_429_on_a_poll_only_delays_it(fakeca, fake_daemon, csr, cert):
    fakeca.when("authz", lambda r: problem(429, "rateLimited", "polls", retry_after=1)
                if r.method == "POST" and fakeca.count("challenge") else None, times=4)
    cert(fake_daemon.sign(csr))


# 500

def test_500_terms_changed(fakeca, fake_daemon, csr):
    fakeca.when("new-order", problem(403, "userActionRequired", "the terms have changed",
                                     instance="https://ca.example/terms-2"))
    fake_daemon.sign(csr).expect(500)
    fake_daemon.wait_log("the terms have changed")
    assert "https://ca.example/terms-2" in fake_daemon.log()


def test_500_terms_not_accepted(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"account": {"accept-terms-of-service": "no"}})
    for _ in range(3):
        d.sign(csr).expect(500)
    assert d.log().count(f"read {fakeca.base}/terms") == 1
    assert not fakeca.accounts


def test_terms_accepted_by_url(fakeca, make_daemon, csr, cert):
    d = make_daemon(fakeca, {"account": {"accept-terms-of-service":
                                         ["https://elsewhere/", f"{fakeca.base}/terms"]}})
    cert(d.sign(csr))


def test_500_other_terms_accepted(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"account": {"accept-terms-of-service": "https://elsewhere/terms"}})
    d.sign(csr).expect(500)
    assert not fakeca.accounts


def test_500_account_deactivated(fakeca, fake_daemon, csr, csrs, cert):
    cert(fake_daemon.sign(csr))
    for a in fakeca.accounts.values():
        a["status"] = "deactivated"
    fake_daemon.sign(csrs.make("other.example.org")).expect(500)
    fake_daemon.wait_log("deactivated")
    # Cached certificates are still served.
    cert(fake_daemon.sign(csr))
    assert len(fakeca.accounts) == 1


def test_500_external_account_wanted(fakeca, make_daemon, csr):
    fakeca.meta["externalAccountRequired"] = True
    d = make_daemon(fakeca)
    d.sign(csr).expect(500)
    d.wait_log("eab-kid")


def test_500_invalid_profile(fakeca, fake_daemon, csr):
    fakeca.when("new-order", problem(400, "invalidProfile", "no such profile"))
    fake_daemon.sign(csr).expect(500)
    fake_daemon.wait_log("no such profile")


def test_500_says_nothing_of_paths(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"account": {"accept-terms-of-service": "no"}})
    assert str(d.folder) not in d.sign(csr).expect(500).text


# 503

BROKEN = {"500": problem(500, "serverInternal", "database on fire"),
          "502": Reply(502, "<html>bad gateway</html>", "text/html"),
          "hangup": HANGUP,
          "html": Reply(200, "<html>welcome</html>", "text/html"),
          "empty": Reply(200, "", "text/html"),
          "deep": Reply(200, "[" * 100000, "application/json")}


@pytest.mark.parametrize("endpoint,reply", [
    (e, r) for e in ("directory", "new-nonce", "new-account", "new-order") for r in BROKEN
    # A 200 of newNonce with a Replay-Nonce is good, whatever its body.
    if e != "new-nonce" or r not in ("html", "empty", "deep")])
def test_503_before_the_order(fakeca, make_daemon, csr, endpoint, reply):
    reply = BROKEN[reply]
    fakeca.when(endpoint, reply)
    d = make_daemon(fakeca, {"mgmt": {"timeout": "6", "order-timeout": "8"}})
    d.sign(csr).expect(503)


@pytest.mark.parametrize("endpoint", ["authz", "challenge", "finalize", "order", "cert"])
@pytest.mark.parametrize("reply", [Reply(200, "<html>welcome</html>", "text/html"),
                                   Reply(404, "not here", "text/plain")], ids=["html", "404"])
def test_503_nonsense_during_the_order(fakeca, make_daemon, csr, endpoint, reply):
    fakeca.async_finalize = 1
    fakeca.when(endpoint, reply)
    d = make_daemon(fakeca, {"mgmt": {"timeout": "4", "order-timeout": "9"}})
    started = time.monotonic()
    r = d.sign(csr)
    # A POST that is meant to change something may have done so, whatever a 200 says behind it: only
    # polls can show, for as long as the client waits. It is not sent again.
    if endpoint in ("challenge", "finalize") and reply.status == 200:
        r.expect(504, "the order goes on")
        assert 3.5 < time.monotonic() - started < 8
        assert fakeca.count(endpoint) == 1
        assert fakeca.count("authz" if endpoint == "challenge" else "order") >= 2
    else:
        r.expect(503)


@pytest.mark.parametrize("endpoint", ["challenge", "finalize"])
def test_200_behind_nonsense(fakeca, fake_daemon, csr, cert, endpoint):
    """It did what was asked, and only its answer is nonsense: the polls show it."""
    def nonsense(r):
        getattr(fakeca, "do_" + endpoint)(r)
        return Reply(200, "<html>welcome</html>", "text/html")
    fakeca.async_finalize = 1
    fakeca.when(endpoint, nonsense)
    cert(fake_daemon.sign(csr))
    assert fakeca.count(endpoint) == 1 and fakeca.count("new-order") == 1


@pytest.mark.parametrize("endpoint", ["authz", "challenge", "finalize", "order", "cert"])
@pytest.mark.parametrize("reply", [problem(500, "serverInternal", "database on fire"),
                                   Reply(503, "busy", "text/plain", Retry_After=1), HANGUP],
                         ids=["500", "503", "hangup"])
def test_one_fault_during_the_order_is_survived_or_reported(fakeca, make_daemon, csr, endpoint, reply):
    """One bad moment of the CA: the certificate, or 503 with when to come again. Never a hang."""
    fakeca.async_finalize = 1
    fakeca.when(endpoint, reply, times=1)
    d = make_daemon(fakeca, {"mgmt": {"timeout": "15"}})
    r = d.sign(csr)
    assert r.status in (200, 503), repr(r)
    if r.status == 503:
        r.check_error()


def test_503_leaf_of_another_key(fakeca, fake_daemon, csr):
    fakeca.swap_key = True
    fake_daemon.sign(csr).expect(503)
    assert not fake_daemon.entry(csr).joinpath("cert.pem").exists()


@pytest.mark.parametrize("san", ["DNS:other.example.org",
                                 "DNS:www.example.org,DNS:www.evil.example",
                                 "DNS:www.example.org,IP:192.0.2.1"])
def test_503_leaf_of_other_names(fakeca, fake_daemon, csr, san):
    fakeca.san = san
    fake_daemon.sign(csr).expect(503)
    assert not fake_daemon.entry(csr).joinpath("cert.pem").exists()


def test_503_expired_leaf(fakeca, fake_daemon, csr):
    fakeca.start_offset = datetime.timedelta(days=-10)
    fakeca.lifetime = datetime.timedelta(days=-1)
    fake_daemon.sign(csr).expect(503)


def test_503_chain_does_not_link_up(fakeca, fake_daemon, csr):
    fakeca.chain = lambda leaf, i: leaf + (fakeca.issuer.folder / "root.pem").read_text()
    fake_daemon.sign(csr).expect(503)


def test_not_before_in_the_future_is_a_warning(fakeca, fake_daemon, csr, cert):
    fakeca.start_offset = datetime.timedelta(hours=2)
    cert(fake_daemon.sign(csr))
    fake_daemon.wait_log("(?i)clock")


def test_503_ca_cannot_be_reached(fakeca, fake_daemon, csr):
    fakeca.stop()
    started = time.monotonic()
    for _ in range(2):  # the second at once, while backing off
        r = fake_daemon.sign(csr).expect(503, "refused|closed")
        assert re.fullmatch(r"No certificate for www\.example\.org: .*; post the same CSR again "
                            r"(later|in \d+ s)\n", r.text), repr(r)
        assert r.reason.startswith("No certificate for www.example.org")
    assert fake_daemon.log().count("refused") == 1
    assert time.monotonic() - started < 30


def test_503_pause_of_the_ca(fakeca, fake_daemon, csr, csrs):
    fakeca.when("new-order", problem(503, "serverInternal", "maintenance", retry_after=600))
    r = fake_daemon.sign(csr).expect(503)
    assert int(r.header("Retry-After")) > 300
    fake_daemon.sign(csrs.make("other.example.org")).expect(503)
    assert fakeca.count("new-order") <= 2


def test_503_full(fakeca, make_daemon, csrs, cert):
    fakeca.validation = "never"
    d = make_daemon(fakeca, {"mgmt": {"max-orders": "2", "timeout": "30"}})
    with Raw(d.where) as one, Raw(d.where) as two:
        for i, r in enumerate((one, two)):
            body = csrs.make(f"n{i}.example.org")
            r.send(b"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: fakeca.count("challenge") == 2, what="two orders in flight")
        d.sign(csrs.make("n2.example.org")).expect(503, "2 orders", "n2.example.org", "again")


# 504

def test_504_and_the_order_goes_on(fakeca, make_daemon, csr, cert):
    fakeca.validation_delay = 4
    d = make_daemon(fakeca, {"mgmt": {"timeout": "2"}})
    d.sign(csr).expect(504, "again")
    r = wait_until(lambda: next((r for r in [d.sign(csr)] if r.status == 200), None), 20, "the result")
    cert(r)
    assert fakeca.count("new-order") == 1


@pytest.mark.parametrize("endpoint", ["new-order", "authz", "challenge", "order", "finalize", "cert"])
def test_504_silence(fakeca, make_daemon, csr, endpoint):
    fakeca.async_finalize = 1
    fakeca.when(endpoint, slow(60), times=1)
    d = make_daemon(fakeca, {"mgmt": {"timeout": "2", "order-timeout": "20"}})
    started = time.monotonic()
    r = d.sign(csr)
    assert r.status == 504, repr(r)
    r.check_error()
    assert 1.5 < time.monotonic() - started < 5


def test_order_timeout_ends_the_order(fakeca, make_daemon, csr):
    """A job's own deadline: the challenge is withdrawn, the next request makes a new order."""
    fakeca.validation = "never"
    d = make_daemon(fakeca, {"mgmt": {"timeout": "2", "order-timeout": "3"}})
    d.sign(csr).expect(504)
    token = next(iter(fakeca.authzs.values()))["token"]
    path = f"/.well-known/acme-challenge/{token}"
    wait_until(lambda: request(d.challenge, "GET", path).status == 404, 20, "the token is withdrawn")


# Bodies

def test_problem_json_on_request(fakeca, fake_daemon, csr):
    fakeca.validation = "invalid"
    r = fake_daemon.sign(csr, {"Accept": "application/problem+json"}).expect(421)
    assert r.header("Content-Type").startswith("application/problem+json")
    document = r.json()
    assert document["status"] == 421 and "www.example.org" in document["detail"]


def test_problem_json_in_a_list(fake_daemon):
    r = fake_daemon.sign(b"nothing", {"Accept": "text/html, application/problem+json;q=0.9, */*;q=0.1"})
    assert r.status == 415 and r.header("Content-Type").startswith("application/problem+json")


def test_plain_text_otherwise(fake_daemon):
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "text/plain"}):
        r = fake_daemon.sign(b"nothing", accept).expect(415)
        assert r.header("Content-Type").startswith("text/plain")


def test_long_reason_is_cut(fakeca, fake_daemon, csrs):
    fakeca.validation = "invalid"
    name = "a" * 60 + "." + "b" * 60 + ".example.org"
    r = fake_daemon.sign(csrs.make(name)).expect(421)
    assert name in r.text and len(r.reason) <= 80


def test_wget_shows_the_reason(fakeca, fake_daemon, csr, tmp_path):
    import subprocess
    fakeca.validation = "invalid"
    (tmp_path / "req.csr").write_bytes(csr)
    p = subprocess.run(["wget", "--no-config", "--no-proxy", "-O", "-", "--tries=1", "--post-file",
                        tmp_path / "req.csr", f"http://127.0.0.1:{fake_daemon.port}/sign"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
    assert p.returncode != 0 and "421" in p.stderr and "www.example.org" in p.stderr
