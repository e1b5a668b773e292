# SPDX-License-Identifier: GPL-3.0-or-later
"""A CSR in, a certificate out, against both Pebbles."""
import base64
import threading
import time

import pytest

from lab.csr import pubkey_of
from lab.util import free_port, run, wait_until


def together(*calls):
    """All calls at once; their results in order."""
    results = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def one(i, call):
        gate.wait()
        try:
            results[i] = call()
        except Exception as e:
            results[i] = e
    threads = [threading.Thread(target=one, args=x) for x in enumerate(calls)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in results:
        if isinstance(r, Exception):
            raise r
    return results


def test_one_name(daemon, csrs, cert, pebble):
    csr = csrs.make("www.example.org", cn="www.example.org")
    c = cert(daemon.sign(csr))
    assert c.names == ["www.example.org"]
    assert c.pubkey() == pubkey_of(csrs.key())
    assert len(c.pems) == 2 and "Pebble" in c.issuer
    assert pebble.orders() == 1


def test_second_time_from_the_cache(daemon, csrs, cert, pebble):
    csr = csrs.make("www.example.org")
    first = daemon.sign(csr)
    again = daemon.sign(csr)
    assert cert(again).serial == cert(first).serial
    assert again.body == first.body
    assert pebble.orders() == 1


def test_cache_survives_a_restart(daemon, csrs, cert, pebble):
    csr = csrs.make("www.example.org")
    first = cert(daemon.sign(csr))
    pebble.stop()
    daemon.restart()
    assert cert(daemon.sign(csr)).serial == first.serial


def test_chain_verifies_against_the_root(daemon, csrs, cert, pebble, tmp_path):
    c = cert(daemon.sign(csrs.make("www.example.org")))
    (tmp_path / "leaf").write_text(c.pems[0])
    (tmp_path / "rest").write_text("".join(c.pems[1:]))
    (tmp_path / "root").write_bytes(pebble.roots())
    run("openssl", "verify", "-CAfile", tmp_path / "root", "-untrusted", tmp_path / "rest",
        "-verify_hostname", "www.example.org", tmp_path / "leaf")


def test_twenty_names(daemon, csrs, cert, pebble):
    names = [f"n{i:02}.example.org" for i in range(20)]
    c = cert(daemon.sign(csrs.make(*names)))
    assert c.names == names
    assert pebble.orders() == 1


def test_names_only_in_san(daemon, csrs, cert):
    c = cert(daemon.sign(csrs.make("a.example.org", "b.example.org")))
    assert c.names == ["a.example.org", "b.example.org"]


def test_upper_case_and_repeated_names(daemon, csrs, cert):
    c = cert(daemon.sign(csrs.make("WWW.Example.ORG", "www.example.org", cn="Www.example.org")))
    # Pebble copies the CSR's spelling; it is one name all the same.
    assert {n.lower() for n in c.names} == {"www.example.org"}


def test_name_only_in_cn(daemon, csrs, pebble):
    """Pebble counts only subject alternative names and refuses at finalize."""
    r = daemon.sign(csrs.make(cn="www.example.org"))
    r.expect(415, "subjectAltName", r"www\.example\.org")
    assert pebble.orders() == 1


@pytest.mark.parametrize("key", ["rsa2048", "rsa3072", "rsa4096", "p256", "p384"])
def test_key_kinds(daemon, csrs, cert, key):
    c = cert(daemon.sign(csrs.make("www.example.org", key=key)))
    assert c.pubkey() == pubkey_of(csrs.key(key))


@pytest.mark.parametrize("md", ["sha384", "sha512"])
def test_signature_digests(daemon, csrs, cert, md):
    cert(daemon.sign(csrs.make("www.example.org", key="rsa2048", md=md)))


@pytest.mark.parametrize("key_type", ["ec256", "ec384", "rsa2048", "rsa3072", "rsa4096"])
def test_account_key_types(make_daemon, pebble, csrs, cert, key_type):
    d = make_daemon(pebble, {"account": {"key-type": key_type}})
    cert(d.sign(csrs.make("www.example.org")))
    text = run("openssl", "pkey", "-in", d.account / "account.pem", "-text", "-noout").stdout
    expected = {"ec256": "prime256v1", "ec384": "secp384r1"}.get(key_type, f"{key_type[3:]} bit")
    assert expected in text.replace("(", "").replace(",", "")


def test_nonces_rejected(make_pebble, make_daemon, csrs, cert):
    pebble = make_pebble(env={"PEBBLE_WFE_NONCEREJECT": "50"})
    d = make_daemon(pebble)
    for i in range(4):
        body = csrs.make(f"a{i}.example.org", f"b{i}.example.org")
        response = d.sign(body)
        # One request in 2048 is refused eleven times in a row, which is as often as it is tried.
        for _ in range(2):
            if response.status == 503 and "(badNonce); post the same CSR again" in response.text:
                response = d.sign(body)
        cert(response)


@pytest.mark.parametrize("percent", ["0", "100"])
def test_authorizations_reused(make_pebble, make_daemon, csrs, cert, percent):
    pebble = make_pebble(env={"PEBBLE_AUTHZREUSE": percent})
    d = make_daemon(pebble)
    first = cert(d.sign(csrs.make("a.example.org", "b.example.org")))
    asked = pebble.count("POST /chalZ/")
    second = cert(d.sign(csrs.make("a.example.org", "b.example.org", label="other")))
    assert first.serial != second.serial
    # What is already granted is not proved once more.
    assert pebble.count("POST /chalZ/") == (asked if percent == "100" else 2 * asked)


@pytest.mark.parametrize("strict", [True, False])
def test_strict(make_pebble, make_daemon, csrs, cert, strict):
    d = make_daemon(make_pebble(strict=strict))
    cert(d.sign(csrs.make("a.example.org", "b.example.org")))


def test_validation_with_sleeps(make_pebble, make_daemon, csrs, cert):
    """The CA takes its time before it asks: nobody may give up early."""
    pebble = make_pebble(env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "3"})
    cert(make_daemon(pebble).sign(csrs.make("a.example.org", "b.example.org")))


def test_longer_chain(make_pebble, make_daemon, csrs, cert):
    pebble = make_pebble(env={"PEBBLE_CHAIN_LENGTH": "3"})
    assert len(cert(make_daemon(pebble).sign(csrs.make("a.example.org"))).pems) == 4


# External account binding

KID, MAC = "kid-1", base64.urlsafe_b64encode(b"0123456789abcdef0123456789abcdef").rstrip(b"=").decode()


@pytest.fixture
def eab_pebble(make_pebble):
    return make_pebble(externalAccountBindingRequired=True, externalAccountMACKeys={KID: MAC})


def test_external_account_binding(eab_pebble, make_daemon, csrs, cert):
    d = make_daemon(eab_pebble, {"account": {"eab-kid": KID, "eab-hmac-key": MAC}})
    cert(d.sign(csrs.make("www.example.org")))
    assert MAC not in d.log()


def test_external_account_binding_missing(eab_pebble, make_daemon, csrs):
    d = make_daemon(eab_pebble)
    d.sign(csrs.make("www.example.org")).expect(500)
    d.wait_log("eab-kid")


def test_external_account_binding_wrong_key(eab_pebble, make_daemon, csrs):
    d = make_daemon(eab_pebble, {"account": {"eab-kid": KID, "eab-hmac-key": "A" * 43}})
    d.sign(csrs.make("www.example.org")).expect(500)


# IP addresses

def test_ip_address_allowed(make_daemon, pebble, csrs, cert):
    d = make_daemon(pebble, {'auth "test"': {"domain": ["*.example.org", "127.0.0.0/8"]}})
    c = cert(d.sign(csrs.make("www.example.org", ips=["127.0.0.1"])))
    assert c.ips == ["127.0.0.1"] and c.names == ["www.example.org"]


def test_ip_address_alone(make_daemon, pebble, csrs, cert):
    d = make_daemon(pebble, {'auth "test"': {"domain": ["127.0.0.1"]}})
    c = cert(d.sign(csrs.make(ips=["127.0.0.1"])))
    assert c.ips == ["127.0.0.1"] and not c.names


def test_ip_address_not_allowed(make_daemon, pebble, csrs):
    d = make_daemon(pebble, {'auth "test"': {"domain": ["*", "192.0.2.0/24"]}})
    d.sign(csrs.make("www.example.org", ips=["127.0.0.1"])).expect(403)
    assert pebble.orders() == 0


# Refusals of the CA

def test_blocked_domain(make_pebble, make_daemon, csrs):
    pebble = make_pebble(domainBlocklist=["blocked.example.org"])
    d = make_daemon(pebble)
    d.sign(csrs.make("blocked.example.org")).expect(403, r"blocked\.example\.org")


def test_challenge_fails(daemon, csrs, pebble):
    pebble.dns.address("bad.example.org", "127.0.0.99")
    started = time.monotonic()
    r = daemon.sign(csrs.make("bad.example.org", "good.example.org"))
    took = time.monotonic() - started
    r.expect(421, r"bad\.example\.org")
    assert "bad.example.org" in r.reason
    assert took < 5


def test_failing_name_asked_ten_times_makes_one_order(daemon, csrs, pebble):
    pebble.dns.address("bad.example.org", "127.0.0.99")
    csr = csrs.make("bad.example.org")
    first = daemon.sign(csr).expect(421, r"bad\.example\.org")
    for i in range(9):
        # Another key: the memory is that of the names.
        body = csr if i % 2 else csrs.make("bad.example.org", label="other")
        r = daemon.sign(body)
        assert (r.status, r.text) == (first.status, first.text)
        assert 0 < int(r.header("Retry-After")) <= 130
    assert pebble.orders() == 1


def test_success_of_other_names_after_a_failure(daemon, csrs, pebble, cert):
    pebble.dns.address("bad.example.org", "127.0.0.99")
    daemon.sign(csrs.make("bad.example.org")).expect(421)
    cert(daemon.sign(csrs.make("good.example.org")))


# The CA comes and goes

def test_pebble_restarted(daemon, csrs, cert, pebble):
    """Its accounts are gone: the daemon registers again without being told."""
    cert(daemon.sign(csrs.make("a.example.org")))
    before = daemon.registration()["uri"]
    pebble.restart()
    cert(daemon.sign(csrs.make("b.example.org")))
    assert daemon.registration()["uri"] != before or pebble.accounts() >= 2


def test_ca_down_at_start(make_daemon, pebble, csrs, cert):
    pebble.stop()
    d = make_daemon(pebble)
    d.sign(csrs.make("www.example.org")).expect(503)
    pebble.start()
    csr = csrs.make("www.example.org")
    wait_until(lambda: d.sign(csr).status == 200, 40, "a certificate after the CA came back", 0.5)
    cert(d.sign(csr))


def test_ca_down_serves_the_cache(make_daemon, pebble, csrs, cert):
    d = make_daemon(pebble)
    csr = csrs.make("www.example.org")
    serial = cert(d.sign(csr)).serial
    d.stop()
    pebble.stop()
    d.start()
    assert cert(d.sign(csr)).serial == serial
    d.sign(csrs.make("other.example.org")).expect(503)


def test_moved_to_another_ca(make_pebble, make_daemon, csrs, cert):
    port = free_port()
    one, two = make_pebble(port), make_pebble(port)
    d = make_daemon(one)
    csr = csrs.make("www.example.org")
    first = cert(d.sign(csr))
    uri = d.registration()["uri"]
    d.restart({"account": {"acme-server": two.directory}})
    second = cert(d.sign(csr))
    assert first.serial != second.serial and first.issuer != second.issuer
    assert d.registration()["uri"].startswith(f"https://127.0.0.1:{two.port}/")
    assert uri.startswith(f"https://127.0.0.1:{one.port}/")
    assert two.orders() == 1


def test_ca_of_an_unknown_issuer(make_daemon, pebble, csrs, tmp_path):
    """TLS is verified: a daemon that does not trust the CA's certificate talks to nobody."""
    from lab.tls import TlsCa
    other = TlsCa(tmp_path / "other", "Another root")
    d = make_daemon(pebble, ca_file=other.root)
    d.sign(csrs.make("www.example.org")).expect(503)
    d.wait_log(r"(?i)certificate")
    assert pebble.count("POST /sign-me-up") == 0


def test_ca_under_a_wrong_name(make_pebble, make_daemon, csrs):
    """The chain is good, the name is not: 127.0.0.2 is not in the CA's certificate."""
    pebble = make_pebble(address="127.0.0.2")
    d = make_daemon(pebble)
    d.sign(csrs.make("www.example.org")).expect(503)
    d.wait_log(r"(?i)certificate|mismatch")
    assert pebble.count("POST /sign-me-up") == 0


@pytest.mark.parametrize("variable", ["ACME_CAFILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_trust_from_the_environment(make_daemon, pebble, csrs, cert, tls, variable):
    d = make_daemon(pebble, {"account": {"ca-file": None}}, env={variable: str(tls.root)})
    cert(d.sign(csrs.make("www.example.org")))


# Many at once

def test_32_different_at_once(daemon, csrs, cert, pebble):
    bodies = [csrs.make(f"n{i}.example.org") for i in range(32)]
    results = together(*[lambda b=b: daemon.sign(b, timeout=120) for b in bodies])
    assert [r.status for r in results] == [200] * 32, [r for r in results if r.status != 200]
    serials = set()
    for i, r in enumerate(results):
        c = cert(r)
        assert c.names == [f"n{i}.example.org"]
        serials.add(c.serial)
    assert len(serials) == 32


def test_8_identical_at_once_make_one_order(daemon, csrs, cert, pebble):
    csr = csrs.make("www.example.org")
    results = together(*[lambda: daemon.sign(csr)] * 8)
    assert {cert(r).serial for r in results} == {cert(results[0]).serial}
    assert pebble.orders() == 1


def test_rsa_and_ec_for_the_same_names_at_once(daemon, csrs, cert):
    rsa = csrs.make("www.example.org", "mail.example.org", key="rsa2048")
    ec = csrs.make("www.example.org", "mail.example.org", key="p256")
    a, b = together(lambda: daemon.sign(rsa), lambda: daemon.sign(ec))
    assert cert(a).pubkey() == pubkey_of(csrs.key("rsa2048"))
    assert cert(b).pubkey() == pubkey_of(csrs.key("p256"))


def test_client_hangs_up_and_finds_it_in_the_cache(make_pebble, make_daemon, csrs, cert):
    from lab.http import Raw
    pebble = make_pebble(env={"PEBBLE_VA_NOSLEEP": "", "PEBBLE_VA_SLEEPTIME": "2"})
    d = make_daemon(pebble)
    csr = csrs.make("www.example.org")
    with Raw(d.where) as r:
        r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: {len(csr)}\r\n\r\n".encode() + csr)
        wait_until(lambda: pebble.orders() == 1, what="the order")
    wait_until(lambda: (d.entry(csr) / "cert.pem").exists(), 30, "the entry")
    cert(d.sign(csr))
    assert pebble.orders() == 1


# Profiles: the old Pebble has none

NEW_ONLY = pytest.mark.parametrize("make_pebble", ["new"], indirect=True)

PROFILES = {"default": {"description": "90 days", "validityPeriod": 90 * 86400},
            "short": {"description": "6 days", "validityPeriod": 6 * 86400}}


def lifetime_days(c, tmp_path):
    import datetime
    (tmp_path / "c").write_text(c.pems[0])
    out = run("openssl", "x509", "-in", tmp_path / "c", "-noout", "-startdate", "-enddate").stdout
    a, b = (datetime.datetime.strptime(line.split("=")[1], "%b %d %H:%M:%S %Y GMT")
            for line in out.splitlines())
    return round((b - a).total_seconds() / 86400)


@NEW_ONLY
def test_profile(make_pebble, make_daemon, csrs, cert, tmp_path):
    pebble = make_pebble(profiles=PROFILES)
    d = make_daemon(pebble, {"account": {"profile": "short"},
                             'auth "long"': {"ip": "127.0.0.1", "domain": "*.example.com",
                                             "profile": "default"}})
    assert lifetime_days(cert(d.sign(csrs.make("a.example.org"))), tmp_path) == 6
    assert lifetime_days(cert(d.sign(csrs.make("a.example.com"))), tmp_path) == 90


@NEW_ONLY
def test_profile_change_makes_a_new_certificate(make_pebble, make_daemon, csrs, cert, tmp_path):
    pebble = make_pebble(profiles=PROFILES)
    d = make_daemon(pebble, {"account": {"profile": "default"}})
    csr = csrs.make("a.example.org")
    first = cert(d.sign(csr))
    d.restart({"account": {"profile": "short"}})
    second = cert(d.sign(csr))
    assert first.serial != second.serial and lifetime_days(second, tmp_path) == 6
    # A 6-day certificate and renew-within 14: a share of the lifetime counts, or every request ordered.
    assert cert(d.sign(csr)).serial == second.serial


@NEW_ONLY
def test_unknown_profile(make_pebble, make_daemon, csrs):
    pebble = make_pebble(profiles=PROFILES)
    d = make_daemon(pebble, {"account": {"profile": "nosuch"}})
    d.sign(csrs.make("a.example.org")).expect(500)
    log = d.wait_log(r"(?s)nosuch.*") and d.log()
    assert "short" in log and "default" in log
