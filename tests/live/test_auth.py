# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may have what."""
import hashlib
import hmac
import subprocess

import pytest

from lab.daemon import ROOT
from lab.http import Raw, raw, request
from lab.util import clean_env, free_port, run, wait_until

KEY = "n048aX0G2Gc8zAvUfcbz8fFIpRwi1D"


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


def hmac_daemon(make_daemon, fakeca, **options):
    return make_daemon(fakeca, {'auth "test"': {"ip": None, "hmac_type": "sha256", "hmac_key": KEY,
                                                **options}})


# ip

@pytest.mark.parametrize("ip,status", [
    ("127.0.0.1", 200), ("127.0.0.0/8", 200), ("127.0.0.0/255.0.0.0", 200), ("127.0.0.0-127.0.0.9", 200),
    (["192.0.2.1", "127.0.0.1"], 200), ("192.0.2.0/24", 403), ("127.0.0.2", 403), ("::1", 403)])
def test_ip(make_daemon, fakeca, csr, ip, status):
    d = make_daemon(fakeca, {'auth "test"': {"ip": ip}})
    assert d.sign(csr).status == status


def test_ip6(make_daemon, fakeca, csr):
    port = free_port()
    d = make_daemon(fakeca, {"mgmt": {"listener": f"[::1]:{port}"},
                             'auth "test"': {"ip": "::1"}})
    assert request(("::1", port), "POST", "/sign", csr).status == 200


def test_403_says_what_can_be_said(make_daemon, fakeca, csr):
    d = make_daemon(fakeca, {'auth "test"': {"ip": "192.0.2.1"}})
    r = d.sign(csr).expect(403)
    assert "192.0.2.1" not in r.text
    d.wait_log("127.0.0.1")
    assert fakeca.count("new-order") == 0


# hmac

SPELLINGS = ["hmac name=sha256, hash={h}", "hmac name=sha256 hash={h}", "hmac hash={h}, name=sha256",
             "hmac name=sha256,hash={h}", "HMAC name=SHA256, hash={H}", "hmac name=sha2-256, hash={h}",
             "hmac name=SHA2-256, hash={h}", "Hmac  hash={H}  ,  name=sha256"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("header", ["Authentication", "Authorization", "authentication"])
def test_hmac_spellings(make_daemon, fakeca, csr, spelling, header):
    d = hmac_daemon(make_daemon, fakeca)
    digest = hmac.new(KEY.encode(), csr, hashlib.sha256).hexdigest()
    assert d.sign(csr, {header: spelling.format(h=digest, H=digest.upper())}).status == 200


@pytest.mark.parametrize("value", [
    "", "hmac", "hmac name=sha256", "hmac hash={h}", "hmac name=sha512, hash={h}", "basic name=sha256, hash={h}",
    "hmac name=sha256, hash={short}", "hmac name=sha256, hash={h}00", "hmac name=sha256, hash=",
    "hmac name=sha256, hash={wrong}", "hmac name=sha256, hash={h}, hash={wrong}",
    "hmac name=sha256, hash=zz{h}", "name=sha256, hash={h}"])
def test_hmac_wrong(make_daemon, fakeca, csr, value):
    d = hmac_daemon(make_daemon, fakeca)
    h = hmac.new(KEY.encode(), csr, hashlib.sha256).hexdigest()
    wrong = hmac.new(b"other", csr, hashlib.sha256).hexdigest()
    r = d.sign(csr, {"Authentication": value.format(h=h, short=h[:-2], wrong=wrong)})
    r.expect(403)
    assert fakeca.count("new-order") == 0


def test_hmac_missing(make_daemon, fakeca, csr):
    hmac_daemon(make_daemon, fakeca).sign(csr).expect(403)


def test_hmac_of_another_body(make_daemon, fakeca, csr, csrs):
    d = hmac_daemon(make_daemon, fakeca)
    d.sign(csrs.make("other.example.org"), d.hmac(KEY, csr)).expect(403)


@pytest.mark.parametrize("algorithm", ["sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256",
                                       "sha3_384", "sha3_512", "blake2b", "blake2s", "sha1", "md5"])
def test_hmac_algorithms(make_daemon, fakeca, csr, algorithm):
    d = hmac_daemon(make_daemon, fakeca, hmac_type=algorithm)
    assert d.sign(csr, d.hmac(KEY, csr, algorithm)).status == 200
    if algorithm != "sha256":
        d.sign(csr, d.hmac(KEY, csr, "sha256")).expect(403)


def test_hmac_and_ip_must_both_hold(make_daemon, fakeca, csr):
    d = hmac_daemon(make_daemon, fakeca, ip="192.0.2.1")
    d.sign(csr, d.hmac(KEY, csr)).expect(403)


def test_hmac_rotation(make_daemon, fakeca, csr, tmp_path):
    """Any key admits; a key may stand in a file."""
    key_file = tmp_path / "key"
    key_file.write_text("third key of them\n")
    key_file.chmod(0o600)
    d = hmac_daemon(make_daemon, fakeca, hmac_key=[KEY, "second"], **{"hmac_key-file": key_file})
    for key in (KEY, "second", "third key of them"):
        assert d.sign(csr, d.hmac(key, csr)).status == 200, key
    d.sign(csr, d.hmac("third key of them\n", csr)).expect(403)
    for key in (KEY, "third key of them"):
        assert key not in d.log()


def test_documented_lines(make_daemon, fakeca, csr, tmp_path):
    """`openssl dgst -hmac` and wget --post-file, and curl, as README.md has them."""
    d = hmac_daemon(make_daemon, fakeca)
    (tmp_path / "req.csr").write_bytes(csr)
    url = f"http://127.0.0.1:{d.port}/sign"
    digest = 'openssl dgst -sha256 -hmac "$KEY" req.csr'
    for line in (
            f'wget -q -O wget.pem --post-file=req.csr --header="Authentication: hmac name=sha256, '
            f'hash=$({digest} | sed "s/.* //")" {url}',
            # The original's documentation: what OpenSSL 3 prints is the whole value.
            f'wget -q -O wget2.pem --post-file=req.csr --header="Authentication: hmac name=$({digest} '
            f'| sed -E "s/HMAC-([A-Za-z0-9-]+).*= */\\1, hash=/")" {url}',
            f'curl -sS --fail-with-body --data-binary @req.csr -o curl.pem -H "Authentication: hmac '
            f'name=sha256, hash=$(openssl dgst -r -sha256 -hmac "$KEY" req.csr | cut -d" " -f1)" {url}'):
        p = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=clean_env(KEY=KEY),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        assert p.returncode == 0, f"{line}\n{p.stdout}"
    assert (tmp_path / "wget.pem").read_bytes() == (tmp_path / "curl.pem").read_bytes()
    assert b"BEGIN CERTIFICATE" in (tmp_path / "wget2.pem").read_bytes()


def test_readme_lines(make_daemon, fakeca, tmp_path):
    """Every line of README.md for clients that have no acmems-sign, as it stands there, one after the other."""
    text = (ROOT / "README.md").read_text().split("\n## Clients\n")[1].split("\n## ")[0].split("\nWithout it")[1]
    script = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    assert script.count("/sign") == 4 and "-hmac" in script
    d = hmac_daemon(make_daemon, fakeca)
    d.restart({'auth "test"': {"domain": ["example.org", "*.example.org"]},
               'auth "plain"': {"ip": "127.0.0.1", "domain": ["example.org", "*.example.org"]}})
    script = script.replace("http://acmems:1313/", f"http://127.0.0.1:{d.port}/")
    p = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=clean_env(KEY=KEY),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    assert p.returncode == 0, p.stdout
    assert "BEGIN CERTIFICATE" in (tmp_path / "chain.pem").read_text(), p.stdout
    assert "BEGIN CERTIFICATE" in (tmp_path / "chain.new").read_text(), p.stdout
    assert fakeca.count("new-order") == 1


# all, globs, order of blocks

def test_all(make_daemon, fakeca, csr):
    d = make_daemon(fakeca, {'auth "test"': {"ip": None, "all": "yes"}})
    assert d.sign(csr).status == 200


@pytest.mark.parametrize("glob,name,status", [
    ("*.example.org", "a.b.example.org", 200), ("mail?.example.org", "mail1.example.org", 200),
    ("mail?.example.org", "mail.example.org", 403), ("mail[12].example.org", "mail2.example.org", 200),
    ("mail[!12].example.org", "mail2.example.org", 403), ("*.EXAMPLE.org", "www.example.ORG", 200),
    ("example.org", "www.example.org", 403), ("*", "anything.test", 200),
    ("*.example.org", "example.org", 403), ("*.example.org", "www.example.org.evil.test", 403)])
def test_globs(make_daemon, fakeca, csrs, glob, name, status):
    d = make_daemon(fakeca, {'auth "test"': {"domain": glob}})
    assert d.sign(csrs.make(name)).status == status


def test_names_must_match_in_one_block(make_daemon, fakeca, csrs):
    d = make_daemon(fakeca, {'auth "two"': {"ip": "127.0.0.1", "domain": "*.example.com"}})
    assert d.sign(csrs.make("a.example.org")).status == 200
    assert d.sign(csrs.make("a.example.com")).status == 200
    d.sign(csrs.make("a.example.org", "a.example.com")).expect(403)


def test_first_block_decides(make_daemon, fakeca, csrs, tmp_path):
    """Storage comes from the first block in file order that admits."""
    d = make_daemon(fakeca, {
        'storage "second"': {"type": "file", "directory": tmp_path / "second"},
        "mgmt": {"default-storage": "file", "default-verification": "http"},
        'auth "test"': {"domain": "a.example.org"},
        'auth "later"': {"ip": "127.0.0.1", "domain": "*.example.org", "storage": "second"},
        'auth "last"': {"all": "yes", "domain": "*"}})
    a, b = csrs.make("a.example.org"), csrs.make("b.example.org")
    assert d.sign(a).status == d.sign(b).status == 200
    assert (d.entry(a) / "cert.pem").exists() and not (d.entry(b) / "cert.pem").exists()
    assert len(list((tmp_path / "second").glob("??/*/cert.pem"))) == 1


def test_a_cached_certificate_is_authorised_each_time(make_daemon, fakeca, csr):
    d = make_daemon(fakeca)
    assert d.sign(csr).status == 200
    d.restart({'auth "test"': {"ip": "192.0.2.1"}})
    d.sign(csr).expect(403)


def test_each_waiter_is_authorised_for_himself(fakeca, make_daemon, csr):
    fakeca.validation_delay = 2
    d = hmac_daemon(make_daemon, fakeca)
    with Raw(d.where) as r:
        head = "".join(f"{k}: {v}\r\n" for k, v in d.hmac(KEY, csr).items())
        r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(csr)}\r\n\r\n".encode() + csr)
        wait_until(lambda: fakeca.count("new-order"), what="the order")
        d.sign(csr).expect(403)
        assert r.response().status == 200


# trusted-proxy

def proxy_daemon(make_daemon, fakeca, **mgmt):
    return make_daemon(fakeca, {"mgmt": {"trusted-proxy": "127.0.0.1", **mgmt},
                                'auth "test"': {"ip": "192.0.2.7"}})


@pytest.mark.parametrize("value,status", [
    ("192.0.2.7", 200), ("203.0.113.9, 192.0.2.7", 200), ("192.0.2.7, 203.0.113.9", 403),
    ("192.0.2.7, 127.0.0.1", 200), ("127.0.0.1", 403), ("192.0.2.7, unknown", 403), ("", 403),
    ("192.0.2.7:4711", None), ("garbage", 403), ("192.0.2.7,", None), ("::ffff:192.0.2.7", 200)])
def test_forwarded_for(make_daemon, fakeca, csr, value, status):
    d = proxy_daemon(make_daemon, fakeca)
    r = d.sign(csr, {"X-Forwarded-For": value})
    assert r.status == status or (status is None and r.status in (200, 403)), repr(r)


def test_forwarded_for_several_headers_are_joined(make_daemon, fakeca, csr):
    d = proxy_daemon(make_daemon, fakeca)
    tail = f"Content-Length: {len(csr)}\r\n\r\n".encode() + csr
    start = "POST /sign HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\nX-Forwarded-For: %s\r\n"
    assert raw(d.where, (start % ("192.0.2.7", "203.0.113.9")).encode() + tail).status == 403
    assert raw(d.where, (start % ("203.0.113.9", "192.0.2.7")).encode() + tail).status == 200


def test_forwarded_for_missing(make_daemon, fakeca, csr):
    """Also where the proxy itself would be allowed: it is not the client."""
    d = make_daemon(fakeca, {"mgmt": {"trusted-proxy": "127.0.0.1"}})
    d.sign(csr).expect(403)


def test_forged_from_an_untrusted_peer(make_daemon, fakeca, csr):
    d = make_daemon(fakeca, {"mgmt": {"trusted-proxy": "192.0.2.0/24"}, 'auth "test"': {"ip": "192.0.2.7"}})
    d.sign(csr, {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7"}).expect(403)


def test_forged_without_trusted_proxy(make_daemon, fakeca, csr):
    d = make_daemon(fakeca, {'auth "test"': {"ip": "192.0.2.7"}})
    d.sign(csr, {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7",
                 "Forwarded": "for=192.0.2.7"}).expect(403)


def test_real_ip(make_daemon, fakeca, csr):
    d = proxy_daemon(make_daemon, fakeca, **{"proxy-header": "X-Real-IP"})
    assert d.sign(csr, {"X-Real-IP": "192.0.2.7"}).status == 200
    d.sign(csr, {"X-Forwarded-For": "192.0.2.7"}).expect(403)
    d.sign(csr, {"X-Real-IP": "192.0.2.7, 192.0.2.7"}).expect(403)
    d.sign(csr, {"X-Real-IP": "203.0.113.9", "X-Forwarded-For": "192.0.2.7"}).expect(403)


# unix sockets

def test_unix_socket_satisfies_no_ip(make_daemon, fakeca, csr, tmp_path):
    path = tmp_path / "sock"
    d = make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}"}})
    request(path, "POST", "/sign", csr).expect(403)
    assert request(path, "GET", "/healthz").status == 200
    assert d.process.alive()


def test_unix_socket_with_all(make_daemon, fakeca, csr, tmp_path):
    path = tmp_path / "sock"
    make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}"},
                         'auth "test"': {"ip": None, "all": "yes"}})
    assert request(path, "POST", "/sign", csr).status == 200


def test_unix_socket_with_hmac(make_daemon, fakeca, csr, tmp_path):
    path = tmp_path / "sock"
    d = make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}"},
                             'auth "test"': {"ip": None, "hmac_type": "sha256", "hmac_key": KEY}})
    assert request(path, "POST", "/sign", csr, d.hmac(KEY, csr)).status == 200


def test_unix_socket_trusted(make_daemon, fakeca, csr, tmp_path):
    path = tmp_path / "sock"
    make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}", "trusted-proxy": "unix"},
                         'auth "test"': {"ip": "192.0.2.7"}})
    assert request(path, "POST", "/sign", csr, {"X-Forwarded-For": "192.0.2.7"}).status == 200
    request(path, "POST", "/sign", csr).expect(403)


def test_unix_socket_of_a_killed_daemon(make_daemon, fakeca, tmp_path):
    """A socket nobody listens on is replaced at the next start."""
    path = tmp_path / "sock"
    d = make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}"}})
    d.kill()
    d.start()
    assert request(path, "GET", "/healthz").status == 200


def test_unix_socket_is_removed_at_the_end(make_daemon, fakeca, tmp_path):
    path = tmp_path / "sock"
    make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}"}}).stop()
    assert not path.exists()


def test_curl_through_the_unix_socket(make_daemon, fakeca, csr, tmp_path):
    path = tmp_path / "sock"
    make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}"}, 'auth "test"': {"ip": None, "all": "yes"}})
    (tmp_path / "req.csr").write_bytes(csr)
    out = run("curl", "-sS", "--unix-socket", path, "--data-binary", f"@{tmp_path}/req.csr",
              "http://acmems/sign").stdout
    assert "BEGIN CERTIFICATE" in out
