# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CSR must be: everything else is refused before anything is ordered."""
import base64
import re

import pytest

from lab.util import run


@pytest.fixture
def wide(make_daemon, fakeca):
    """A daemon whose block lets every name through, so that only the CSR can be at fault."""
    return make_daemon(fakeca, {'auth "test"': {"domain": ["*", "0.0.0.0/0", "::/0"]},
                                "mgmt": {"max-size": "64k"}})


@pytest.fixture(autouse=True)
def _nothing_ordered(fakeca, request):
    yield
    if "refused" in request.node.name:
        assert fakeca.count("new-order") == 0


@pytest.mark.parametrize("key,fragment", [("rsa1024", "1024|2048"), ("p521", "P-256|P-384|curve|521"),
                                          ("secp256k1", "P-256|P-384|curve"), ("ed25519", "RSA|EC|key")])
def test_refused_keys(wide, csrs, key, fragment):
    wide.sign(csrs.make("www.example.org", key=key)).expect(415, fragment)


@pytest.mark.parametrize("md", ["sha1", "md5", "sha224"])
def test_refused_digests(wide, csrs, md):
    wide.sign(csrs.make("www.example.org", key="rsa2048", md=md)).expect(415, "SHA-?256")


def test_refused_pss(wide, csrs):
    body = csrs.make("www.example.org", key="rsa2048",
                     options=["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"])
    wide.sign(body).expect(415)


def test_refused_signature_that_does_not_verify(wide, csrs):
    body = csrs.make("www.example.org").decode()
    text = re.sub(r"-----.*?-----|\s", "", body)
    der = bytearray(base64.b64decode(text))
    der[-1] ^= 1
    broken = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(bytes(der)).decode() + \
        "-----END CERTIFICATE REQUEST-----\n"
    wide.sign(broken.encode()).expect(415, "signature")


def test_refused_names_changed_after_signing(wide, csrs):
    """Proof of possession covers the names."""
    body = csrs.make("www.example.org").decode()
    der = base64.b64decode(re.sub(r"-----.*?-----|\s", "", body)).replace(b"www.example.org",
                                                                          b"evil.example.or")
    broken = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der).decode() + \
        "-----END CERTIFICATE REQUEST-----\n"
    wide.sign(broken.encode()).expect(415, "signature")


def test_refused_account_key(wide, csrs):
    wide.sign(csrs.make("www.example.org", key_file=wide.account / "account.pem")).expect(415, "account")


@pytest.mark.parametrize("body", [
    b"", b"hello", b"\0" * 100, b"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n",
    b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    b"-----BEGIN CERTIFICATE REQUEST-----\n", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
    ids=range(7))
def test_refused_bodies(wide, body):
    wide.sign(body).expect(415, "CSR|PEM|certificate request")


def test_refused_certificate_instead(wide, fakeca):
    wide.sign(fakeca.issuer.intermediate.encode()).expect(415)


def test_refused_key_instead_says_nothing_of_it(wide, csrs):
    key = csrs.key().read_bytes()
    r = wide.sign(key).expect(415)
    secret = key.decode().splitlines()[1][:20]
    assert secret not in r.text and secret not in wide.log()


def test_refused_der(wide, csrs, tmp_path):
    (tmp_path / "c").write_bytes(csrs.make("www.example.org"))
    run("openssl", "req", "-in", tmp_path / "c", "-outform", "DER", "-out", tmp_path / "d")
    wide.sign((tmp_path / "d").read_bytes()).expect(415, "PEM")


def test_refused_two(wide, csrs):
    wide.sign(csrs.make("a.example.org") + csrs.make("b.example.org")).expect(415)


def test_text_around_it(wide, csrs, cert):
    assert cert(wide.sign(b"Hello,\n\n" + csrs.make("a.example.org") + b"\nbye\n")).names == ["a.example.org"]


def test_new_certificate_request(wide, csrs, cert):
    body = csrs.make("a.example.org").replace(b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST")
    cert(wide.sign(body))


def test_crlf(wide, csrs, cert):
    cert(wide.sign(csrs.make("a.example.org").replace(b"\n", b"\r\n")))


@pytest.mark.parametrize("name", ["under_score.example.org", "-a.example.org", "a-.example.org",
                                  "a..example.org", "example.org.", "a b.example.org", "example.1",
                                  "10.0.0.1", "a" * 64 + ".example.org", "*.*.example.org",
                                  "w*.example.org", "*", "*.", "a.*.example.org", "http://example.org",
                                  ".".join(["a" * 60] * 5)])
def test_refused_names(wide, csrs, name):
    wide.sign(csrs.make(name)).expect(415)


def test_refused_no_name(wide, csrs):
    wide.sign(csrs.make(subject="/O=nobody")).expect(415, "name")


@pytest.mark.parametrize("cn", ["192.0.2.1", "www.example.org.", "not a host", "2001:db8::1",
                                "someone@example.org"])
def test_refused_common_name(wide, csrs, cn):
    wide.sign(csrs.make("www.example.org", cn=cn)).expect(415)


def test_common_name_counts(wide, csrs, cert):
    assert cert(wide.sign(csrs.make("a.example.org", cn="b.example.org"))).names == \
        ["a.example.org", "b.example.org"]


def test_no_common_name_is_fine(wide, csrs, cert):
    cert(wide.sign(csrs.make("a.example.org", subject="/O=somebody")))


def test_refused_email(wide, csrs):
    wide.sign(csrs.make("www.example.org", emails=["root@example.org"])).expect(415, "mail|kind|rfc822")


def test_refused_uri(wide, csrs):
    wide.sign(csrs.make("www.example.org", uris=["https://example.org/"])).expect(415, "URI|kind")


def test_refused_covered_by_a_wildcard(wide, csrs):
    wide.sign(csrs.make("*.example.org", "www.example.org")).expect(415, r"www\.example\.org|wildcard")


def test_refused_101_names(wide, csrs):
    wide.sign(csrs.make(*[f"n{i}.example.org" for i in range(101)])).expect(415, "100")


def test_100_names(wide, csrs, cert):
    assert len(cert(wide.sign(csrs.make(*[f"n{i}.example.org" for i in range(100)]))).names) == 100


def test_nul_in_a_name(wide, csrs, fakeca):
    """www.example.org\\0.evil: what a program that stops at the NUL would let through."""
    pem = csrs.make("www.example.orgX.evil").decode()
    der = base64.b64decode(re.sub(r"-----.*?-----|\s", "", pem)).replace(b"orgX.evil", b"org\0.evil")
    (csrs.folder / "nul.der").write_bytes(der)
    body = "-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(der).decode() + \
        "-----END CERTIFICATE REQUEST-----\n"
    wide.sign(body.encode()).expect(415)
    assert fakeca.count("new-order") == 0


def test_ip_identifier_goes_to_the_ca_as_ip(wide, csrs, cert, fakeca):
    cert(wide.sign(csrs.make("www.example.org", ips=["127.0.0.1", "2001:db8::1"])))
    payload = next(r.payload for r in fakeca.requests if r.endpoint == "new-order")
    assert sorted((i["type"], i["value"]) for i in payload["identifiers"]) == \
        [("dns", "www.example.org"), ("ip", "127.0.0.1"), ("ip", "2001:db8::1")]
