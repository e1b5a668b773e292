# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators and attackers do that belongs to no other file: full disks, odd texts, shutdowns."""
import datetime
import json
import os
import re
import signal
import subprocess
import threading

import pytest

from lab.fakeca import HANGUP, Reply, problem, slow
from lab.http import raw
from lab.util import free_port, wait_until


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


# A rate limit

def test_429_without_retry_after_is_remembered(fakeca, fake_daemon, csr):
    fakeca.when("new-order", problem(429, "rateLimited", "too many"))
    for _ in range(3):
        fake_daemon.sign(csr).expect(429, "too many")
    assert fakeca.count("new-order") == 1


# Forged and broken forwarding headers

@pytest.mark.parametrize("forwarded, status", [
    ("10.1.2.3:80", 200), ("10.1.2.3:x", 403), ("10.1.2.3:", 403), ("[::ffff:10.1.2.3]x", 403),
    ("::ffff:10.1.2.3", 200), ("10.1.2.3, unknown", 403), ("evil, 127.0.0.1", 403),
    ("10.1.2.3, 127.0.0.1", 200)])
def test_forwarded_malformed(fakeca, make_daemon, csr, forwarded, status):
    d = make_daemon(fakeca, {"mgmt": {"trusted-proxy": "127.0.0.1"}, 'auth "test"': {"ip": "10.1.2.3"}})
    assert d.sign(csr, {"X-Forwarded-For": forwarded}).status == status


# Texts of the CA

ODD = "a\nb\x1b[31m \U0001f600 \x85 \x9b31m \u202e c"


def test_ca_detail_with_odd_characters(fakeca, make_daemon, csr):
    """Neither a log nor a client's terminal obeys them, and JSON stays JSON."""
    d = make_daemon(fakeca, {"logging": {"format": "json", "level": "debug"}})
    fakeca.when("new-order", problem(400, "rejectedIdentifier", ODD))
    text = d.sign(csr).expect(403).text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", text), repr(text)
    assert "\U0001f600" in text
    assert d.sign(csr, {"Accept": "application/problem+json"}).expect(403).json()["status"] == 403
    d.stop()
    for line in d.log().split("\n")[:-1]:
        json.loads(line)
        assert not re.search("[\x00-\x1f\x7f-\x9f]", line), repr(line)


def test_ca_answers_in_no_utf8(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"format": "json", "level": "debug"}})
    fakeca.when("new-order", Reply(400, b'{"type":"urn:x","detail":"a\xff\xfeb"}', "application/problem+json"))
    d.sign(csr).expect(503)
    d.stop()
    for line in d.log().split("\n")[:-1]:
        json.loads(line)


@pytest.mark.parametrize("header", [
    b"Authentication: hmac name=\xff, hash=zz", b"Authorization: Bearer secret-token-1234",
    b"Authentication: hmac name=sha256, hash=\x1b[31m"])
def test_headers_of_clients_are_not_logged(fakeca, make_daemon, csr, header):
    d = make_daemon(fakeca, {"logging": {"format": "json", "level": "debug"}, 'auth "test"': {
        "ip": None, "hmac_type": "sha256", "hmac_key": "sehr-geheim"}})
    r = raw(d.where, b"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n\r\n%s"
            % (len(csr), header, csr))
    assert r.status in (400, 403)
    d.stop()
    for line in d.log().split("\n")[:-1]:
        json.loads(line)
    assert not re.search("secret-token|sehr-geheim|\x1b", d.log() + r.text)


# What is said in short, and what the log says of requests that come to nobody's desk

LONG = 'Error creating new order :: Cannot issue for a name that does not end with a valid public suffix'


@pytest.mark.parametrize("status, kind, ours", [(400, "rejectedIdentifier", 403), (429, "rateLimited", 429),
                                                (400, "malformed", 415)])
def test_reason_phrase_names_the_domain(fakeca, fake_daemon, csr, status, kind, ours):
    fakeca.when("new-order", problem(status, kind, LONG))
    r = fake_daemon.sign(csr).expect(ours, re.escape(LONG))
    assert r.reason.startswith("Refused for www.example.org"), r


def test_refused_http_is_logged(fake_daemon, csr):
    fake_daemon.post(csr, path="/nosuch").expect(404)
    fake_daemon.post(b"x" * 5000).expect(413)
    raw(fake_daemon.where, b"POST /sign HTTP/1.1\r\nHost: x\r\n\r\n").expect(411)
    raw(fake_daemon.where, b"DELETE /sign HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").expect(405)
    for what in ("/nosuch", "larger than", "Content-Length", "DELETE /sign"):
        assert re.search(rf"info refused .*{what}.* peer=127\.0\.0\.1", fake_daemon.log()), what


# Disks

@pytest.fixture
def disk(tmp_path):
    """A file system of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder],
                                          stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(fd, b"x" * 4096):
            pass
    except OSError:
        os.close(fd)


def test_storage_full_and_read_only(fakeca, make_daemon, csr, csrs, cert, disk):
    d = make_daemon(fakeca, {'storage "file"': {"directory": disk}})
    fill(disk / "filler")
    first = cert(d.sign(csr))
    assert cert(d.sign(csr)).serial == first.serial
    assert fakeca.count("new-order") == 1
    assert re.search(r"error .*No space left", d.log())
    (disk / "filler").unlink()
    second = csrs.make("b.example.org")
    stored = cert(d.sign(second))
    assert len(list(disk.glob("??/*/cert.pem"))) == 1
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    third = csrs.make("c.example.org")
    assert cert(d.sign(third)).serial == cert(d.sign(third)).serial
    assert cert(d.sign(second)).serial == stored.serial
    assert fakeca.count("new-order") == 3
    d.stop()
    assert not list(disk.glob("??/*/.*"))


# Shutdown

def make_due(fakeca, d, csr):
    """The entry as the original would have left it 50 days before its end."""
    der = subprocess.run(["openssl", "req", "-outform", "DER"], input=csr, stdout=subprocess.PIPE,
                         check=True).stdout
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=40)
    leaf = fakeca.issuer.leaf(der, "DNS:www.example.org", start, start + datetime.timedelta(days=90))
    (d.entry(csr) / "cert.pem").write_text(leaf + "\n" + fakeca.issuer.intermediate)
    (d.entry(csr) / "meta.json").unlink()


def test_due_is_served_when_we_shut_down(fakeca, make_daemon, csr, cert):
    d = make_daemon(fakeca, {'storage "file"': {"renew-within": "59"}, "mgmt": {"shutdown-timeout": "1"}})
    cert(d.sign(csr))
    d.stop()
    make_due(fakeca, d, csr)
    d.start()
    fakeca.when("new-order", slow(20, HANGUP))
    got = []
    t = threading.Thread(target=lambda: got.append(d.sign(csr)))
    t.start()
    d.wait_log("ordered")
    d.process.signal(signal.SIGTERM)
    t.join(20)
    cert(got[0])
    assert re.match("failed; .*shutting down", got[0].header("X-Acmems-Renewal"))
    fakeca.stopping.set()


# Listeners

def test_unix_socket_left_by_a_kill(fakeca, make_daemon, csr, tmp_path):
    """It is taken over after a kill, but not while somebody listens there."""
    path = tmp_path / "s.sock"
    conf = {"mgmt": {"listener": f"unix:{path}"}, 'auth "test"': {"ip": None, "all": "yes"}}
    d = make_daemon(fakeca, conf)
    d.where = path
    assert d.sign(csr).status == 200
    d.kill()
    d.start()
    assert d.sign(csr).status == 200
    other = make_daemon(fakeca, conf, start=False, challenge_port=free_port())
    other.start(ready=False)
    other.process.wait(20)
    other.expect_exit = 1
    other.check_end()
    assert "something listens there already" in other.log()
    assert d.sign(csr).status == 200
    d.stop()
    assert not path.exists()


# The client's next steps

def test_504_then_the_same_csr_again(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"mgmt": {"timeout": "1"}})
    fakeca.when("new-order", slow(3), times=1)
    d.sign(csr).expect(504, "post", "www.example.org")
    wait_until(lambda: (d.entry(csr) / "cert.pem").exists(), 20)
    assert d.sign(csr).status == 200
    assert fakeca.count("new-order") == 1


def test_order_timeout_says_what_to_do(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"mgmt": {"order-timeout": "1"}})
    fakeca.when("new-order", slow(5), times=1)
    d.sign(csr).expect(504, "www.example.org", "post.* same CSR again")
    assert d.sign(csr).status == 200
