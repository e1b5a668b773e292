# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as no library would send it. Whatever comes, the daemon refuses it and goes on."""
import socket
import threading
import time

import pytest

from lab.fakeca import problem
from lab.http import Raw, raw, request
from lab.util import wait_until


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


@pytest.fixture(autouse=True)
def _still_there(fake_daemon):
    """After each test: the same process answers an ordinary request."""
    yield
    assert fake_daemon.process.alive()
    assert request(fake_daemon.where, "GET", "/healthz").status == 200


def post(csr, *headers, start="POST /sign HTTP/1.1", length=True, host="Host: x"):
    lines = [start] + ([host] if host else []) + list(headers)
    if length:
        lines.append(f"Content-Length: {len(csr)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + csr


def refused(where, data, *statuses):
    """Refused, and the connection closed: unread bytes must not be parsed as the next request."""
    with Raw(where) as r:
        try:
            r.send(data)
        except OSError:
            pass
        answer = r.response()
        if answer is None:
            assert None in statuses, "closed without an answer"
            return None
        assert answer.status in statuses, repr(answer)
        assert (answer.header("Connection") or "").lower() == "close", repr(answer)
        assert r.closed(), "open, or more than one answer"
        return answer


# Management: the body's length

def test_411(fake_daemon, csr, fakeca):
    refused(fake_daemon.where, post(csr, length=False), 411).check_error()
    assert fakeca.count("new-order") == 0


@pytest.mark.parametrize("value", ["+3", "-3", "0x3", "3 3", "3,3", "", "abc", "3.0", "99999999999999999999",
                                   "18446744073709551617", "\t"])
def test_400_content_length(fake_daemon, value):
    refused(fake_daemon.where, f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: {value}\r\n\r\nabc",
            400, 411, 413)


def test_400_two_content_lengths(fake_daemon, csr, fakeca):
    refused(fake_daemon.where, post(csr, f"Content-Length: {len(csr)}"), 400)
    refused(fake_daemon.where, post(csr, "Content-Length: 5"), 400)
    assert fakeca.count("new-order") == 0


@pytest.mark.parametrize("value", ["chunked", "identity", "gzip, chunked", "Chunked", "xchunked"])
def test_400_transfer_encoding(fake_daemon, value, fakeca):
    refused(fake_daemon.where, "POST /sign HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: " + value +
            "\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400, 411, 501)
    refused(fake_daemon.where, "POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
            f"Transfer-Encoding: {value}\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400, 411, 501)
    assert fakeca.count("new-order") == 0


@pytest.mark.parametrize("line", ["Content-Length : 3", " Content-Length: 3", ": 3", "Content-Length",
                                  "X-Nul: a\0b", "X Y: 3"])
def test_400_header_lines(fake_daemon, line):
    """A blank before the colon, an empty name, no colon, a NUL."""
    refused(fake_daemon.where, f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n{line}\r\n\r\nabc",
            400, None)


def test_413_is_said_before_the_body_comes(fake_daemon):
    with Raw(fake_daemon.where) as r:
        r.send("POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        answer = r.response()
        assert answer.status == 413 and r.closed()


def test_413_and_a_client_that_sends_it_all_the_same(fake_daemon):
    answer = raw(fake_daemon.where, b"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" +
                 b"x" * 1000000)
    assert answer is None or answer.status == 413


def test_empty_body(fake_daemon):
    fake_daemon.sign(b"").expect(415)


# Management: request line and headers

@pytest.mark.parametrize("start", ["POST http://x/sign HTTP/1.1", "POST * HTTP/1.1", "POST sign HTTP/1.1",
                                   "POST /sign HTTP/9.9", "POST /sign", "post /sign HTTP/1.1", "POST",
                                   "POST /sign HTTP/1.1 x", "CONNECT x:80 HTTP/1.1", "\0\0\0\0",
                                   "POST  /sign  HTTP/1.1", "PRI * HTTP/2.0"])
def test_request_lines(fake_daemon, csr, start, fakeca):
    refused(fake_daemon.where, post(csr, start=start), 400, 404, 405, 501, 505, None)
    assert fakeca.count("new-order") == 0


def test_no_host_in_http11(fake_daemon, csr):
    refused(fake_daemon.where, post(csr, host=None), 400)


def test_two_hosts(fake_daemon, csr):
    refused(fake_daemon.where, post(csr, "Host: y"), 400)


def test_http10_without_host(fake_daemon, csr):
    answer = raw(fake_daemon.where, post(csr, start="POST /sign HTTP/1.0", host=None))
    assert answer.status == 200, repr(answer)


def test_headers_too_large(fake_daemon):
    refused(fake_daemon.where, "POST /sign HTTP/1.1\r\nHost: x\r\nX: " + "a" * 200000 + "\r\n\r\n", 400, 413,
            431, None)


def test_endless_header(fake_daemon):
    """The answer comes early; what still arrives is thrown away for a moment, not for ever."""
    with Raw(fake_daemon.where) as r:
        started = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - started < 20:
                r.send(b"X" * 8192)
                time.sleep(0.001)


def test_many_headers(fake_daemon):
    refused(fake_daemon.where, "POST /sign HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 20000 + "\r\n", 400, 413,
            431, None)


def test_garbage(fake_daemon):
    for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 300, b"\n" * 5000,
                 b"\r\n\r\n", bytes(range(256)) * 20):
        with Raw(fake_daemon.where) as r:
            try:
                r.send(data)
                r.sock.shutdown(socket.SHUT_WR)
                r.rest()
            except OSError:
                pass


def test_raw_path_is_not_decoded(fake_daemon, csr):
    for path in ("/%73ign", "/sign%00", "/sign%2e", "/./sign", "/sign;x"):
        assert raw(fake_daemon.where, post(csr, start=f"POST {path} HTTP/1.1")).status == 404, path


# Management: bodies of requests that take none

def test_get_with_a_body(fake_daemon):
    with Raw(fake_daemon.where) as r:
        r.send("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        assert r.response() is not None


# Management: Expect

def test_expect_continue(fake_daemon, csr):
    with Raw(fake_daemon.where) as r:
        r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(csr)}\r\n\r\n")
        assert r.response().status == 100
        r.send(csr)
        assert r.response().status == 200


@pytest.mark.parametrize("headers,status", [("Content-Length: 1000000", 413), ("X: y", 411),
                                            ("Transfer-Encoding: chunked", 400)])
def test_expect_is_not_answered_before_the_checks(fake_daemon, headers, status):
    with Raw(fake_daemon.where) as r:
        r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{headers}\r\n\r\n")
        assert r.response().status in (status, 400, 411)


def test_expect_for_another_path(fake_daemon):
    with Raw(fake_daemon.where) as r:
        r.send("POST /nosuch HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        answer = r.response()
        if answer.status == 100:
            answer = r.send("0123456789").response()
        assert answer.status == 404


def test_curl_with_expect(fake_daemon, csrs, tmp_path):
    from lab.util import run
    (tmp_path / "csr").write_bytes(csrs.make(*[f"name-{i:03}.example.org" for i in range(40)]))
    out = run("curl", "-sS", "--noproxy", "*", "--fail-with-body", "-H", "Expect: 100-continue",
              "--data-binary", f"@{tmp_path}/csr", f"http://127.0.0.1:{fake_daemon.port}/sign").stdout
    assert out.startswith("-----BEGIN CERTIFICATE-----")


# Connections

def test_keep_alive(fake_daemon, csr):
    with Raw(fake_daemon.where) as r:
        first = r.send(post(csr)).response()
        second = r.send(post(csr)).response()
        assert first.status == second.status == 200 and first.body == second.body


def test_pipelining(fake_daemon, csr, csrs):
    """Two orders on one connection at once: both answers, in order."""
    other = csrs.make("other.example.org")
    with Raw(fake_daemon.where) as r:
        r.send(post(csr) + post(other) + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answers = [r.response() for _ in range(3)]
        # The daemon may refuse to be pipelined while it works, but never mixes answers up.
        assert answers[0] is None or answers[0].status in (200, 400), repr(answers)
        if answers[0] and answers[0].status == 200 and answers[1]:
            assert answers[1].status in (200, 400)
            assert answers[1].body != answers[0].body


def test_one_byte_more_while_it_works(fakeca, fake_daemon, csr):
    """One extra byte from the client ends a libevent server whose reading is simply turned on."""
    fakeca.validation_delay = 1
    with Raw(fake_daemon.where) as r:
        r.send(post(csr))
        wait_until(lambda: fakeca.count("challenge"), what="the order")
        r.send(b"X")
        r.response()
    wait_until(lambda: fake_daemon.sign(csr).status == 200, what="the certificate")


def test_flood_while_it_works(fakeca, fake_daemon, csr):
    fakeca.validation_delay = 1
    with Raw(fake_daemon.where) as r:
        r.send(post(csr))
        wait_until(lambda: fakeca.count("challenge"), what="the order")
        r.sock.settimeout(5)
        try:
            for _ in range(64):
                r.send(b"X" * 65536)
        except OSError:
            pass
    assert fake_daemon.sign(csr).status == 200


def test_half_close_counts_as_gone(fakeca, fake_daemon, csr):
    fakeca.validation_delay = 1
    with Raw(fake_daemon.where) as r:
        r.send(post(csr))
        r.sock.shutdown(socket.SHUT_WR)
        r.rest()
    wait_until(lambda: (fake_daemon.entry(csr) / "cert.pem").exists(), what="the entry")


@pytest.mark.parametrize("endpoint", ["new-order", "authz", "challenge", "order", "finalize", "cert"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_hang_up_at_each_step(fakeca, fake_daemon, csr, endpoint, how):
    """The order goes on, and its result is found in the cache."""
    fakeca.async_finalize = 2
    reached, go_on = threading.Event(), threading.Event()

    def pause(request):
        reached.set()
        go_on.wait(20)
    fakeca.when(endpoint, pause, times=1)
    with Raw(fake_daemon.where) as r:
        r.send(post(csr))
        assert reached.wait(15), f"{endpoint} was not reached"
        if how == "reset":
            r.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    # The daemon has seen the end when its side of the connection is gone.
    time.sleep(0.05)
    go_on.set()
    wait_until(lambda: (fake_daemon.entry(csr) / "cert.pem").exists(), what="the entry")
    assert fake_daemon.sign(csr).status == 200
    assert fakeca.count("new-order") == 1


def test_hang_up_of_one_of_two(fakeca, fake_daemon, csr):
    fakeca.validation_delay = 1
    with Raw(fake_daemon.where) as stays:
        with Raw(fake_daemon.where) as goes:
            stays.send(post(csr))
            goes.send(post(csr))
            wait_until(lambda: fakeca.count("challenge"), what="the order")
        assert stays.response().status == 200
    assert fakeca.count("new-order") == 1


def test_hang_up_in_the_middle_of_the_body(fake_daemon, csr, fakeca):
    with Raw(fake_daemon.where) as r:
        r.send(post(csr)[:-20])
    assert request(fake_daemon.where, "GET", "/healthz").status == 200
    assert fakeca.count("new-order") == 0


def test_result_nobody_took_without_storage(fakeca, make_daemon, csr):
    """Kept in memory, with storage none too."""
    d = make_daemon(fakeca, {'storage "file"': None}, name="nostore")
    fakeca.validation_delay = 1
    with Raw(d.where) as r:
        r.send(post(csr))
        wait_until(lambda: fakeca.count("challenge"), what="the order")
    wait_until(lambda: fakeca.count("cert"), what="the certificate")
    assert d.sign(csr).status == 200
    assert fakeca.count("new-order") == 1


@pytest.fixture
def fake_daemon(fakeca, make_daemon, request):
    """Shorter patience where a test is about that; one daemon of its own otherwise."""
    if request.node.originalname == "test_result_nobody_took_without_storage":
        # Only for _still_there: another challenge port, so that both can run.
        from lab.util import free_port
        return make_daemon(fakeca, challenge_port=free_port(), name="bystander")
    return make_daemon(fakeca)


# Slow senders

@pytest.mark.parametrize("what", ["headers", "body"])
def test_slow_sender_hits_the_deadline(fake_daemon, csr, what):
    """A byte now and then must not hold a connection for ever: there is a deadline for the whole."""
    data = post(csr)
    body_at = data.index(b"\r\n\r\n") + 4
    started = time.monotonic()
    with Raw(fake_daemon.where, timeout=120) as r:
        at = body_at if what == "body" else 0
        r.send(data[:at])
        r.sock.settimeout(0.4)
        while True:
            assert time.monotonic() - started < 100, "still open"
            try:
                r.send(data[at:at + 1])
                at += 1
                if not r.sock.recv(65536):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
            else:
                break  # an answer
        assert at < len(data) - 10


def test_silent_connection_is_closed(fake_daemon):
    with Raw(fake_daemon.where, timeout=120) as r:
        started = time.monotonic()
        r.response()
        assert time.monotonic() - started < 100


def test_500_idle_connections(fake_daemon, csr):
    socks = [socket.create_connection(fake_daemon.where, timeout=20) for _ in range(500)]
    try:
        assert fake_daemon.sign(csr).status == 200
    finally:
        for s in socks:
            s.close()


def test_more_connections_than_descriptors(fake_daemon, csr):
    """Near the descriptor limit accepting pauses: no spinning, and afterwards all is as before."""
    import resource
    resource.prlimit(fake_daemon.process.pid, resource.RLIMIT_NOFILE, (96, 96))
    socks = []
    try:
        for _ in range(150):
            socks.append(socket.create_connection(fake_daemon.where, timeout=20))
        before = fake_daemon.cpu()
        time.sleep(2)  # what is measured: CPU over a time in which nothing happens
        assert fake_daemon.cpu() - before < 1.0
    finally:
        for s in socks:
            s.close()
    wait_until(lambda: request(fake_daemon.where, "GET", "/healthz").status == 200, 15, "accepting again")
    assert fake_daemon.sign(csr).status == 200


# The challenge listener

TOKEN_PATH = "/.well-known/acme-challenge/"


@pytest.fixture
def pending(fakeca, fake_daemon, csr):
    """A challenge that waits: (path, key authorization)."""
    fakeca.validation = "never"
    with Raw(fake_daemon.where) as r:
        r.send(post(csr))
        wait_until(lambda: fakeca.count("challenge"), what="the challenge")
        from lab.fakeca import thumbprint
        token = next(iter(fakeca.authzs.values()))["token"]
        jwk = next(iter(fakeca.accounts.values()))["jwk"]
        yield TOKEN_PATH + token, f"{token}.{thumbprint(jwk)}"
        for a in fakeca.authzs.values():
            a["status"] = a["challenge"] = "invalid"
        fakeca.when("new-order", problem(400, "rejectedIdentifier", "no more"))


def test_challenge_get(fake_daemon, pending):
    path, answer = pending
    r = request(fake_daemon.challenge, "GET", path, headers={"Host": "www.example.org"})
    assert r.status == 200 and r.body == answer.encode()
    assert r.header("Content-Type") == "application/octet-stream"


def test_challenge_head(fake_daemon, pending):
    path, answer = pending
    with Raw(fake_daemon.challenge) as r:
        r.send(f"HEAD {path} HTTP/1.1\r\nHost: www.example.org\r\nConnection: close\r\n\r\n")
        a = r.response(head=True)
        assert a.status == 200 and a.header("Content-Length") == str(len(answer))
        assert r.closed(), "HEAD came with a body"


def test_challenge_host_is_not_checked(fake_daemon, pending):
    path, answer = pending
    r = request(fake_daemon.challenge, "GET", path, headers={"Host": "upstream.internal"})
    assert r.status == 200 and r.body == answer.encode()
    fake_daemon.wait_log("upstream.internal")


def test_challenge_host_with_port(fake_daemon, pending):
    path, answer = pending
    r = request(fake_daemon.challenge, "GET", path, headers={"Host": "www.example.org:5002"})
    assert r.body == answer.encode()


def test_challenge_http10(fake_daemon, pending):
    path, answer = pending
    a = raw(fake_daemon.challenge, f"GET {path} HTTP/1.0\r\n\r\n")
    assert a.status == 200 and a.body == answer.encode()


@pytest.mark.parametrize("path", ["/", "/sign", "/healthz", TOKEN_PATH, TOKEN_PATH + "nosuch",
                                  TOKEN_PATH + "../../etc/passwd", TOKEN_PATH + "%2e%2e/x",
                                  TOKEN_PATH + "a/b", "/.well-known/acme-challenge"])
def test_challenge_404(fake_daemon, path):
    a = raw(fake_daemon.challenge, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert a.status == 404
    assert "passwd" not in a.text


def test_challenge_404_token_with_more(fake_daemon, pending):
    path, _ = pending
    for other in (path + "/", path + "x", path[:-1], path.upper(), path.replace("/acme", "//acme"),
                  path.replace("acme", "%61cme")):
        assert request(fake_daemon.challenge, "GET", other).status == 404, other


@pytest.mark.parametrize("data", [
    "POST {p} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "PUT {p} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "GET {p} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "GET {p} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET http://x{p} HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_challenge_takes_get_and_head_without_a_body(fake_daemon, pending, data):
    a = refused(fake_daemon.challenge, data.format(p=pending[0]), 400, 404, 405, 413, 501, None)
    if a:
        assert pending[1] not in a.text


@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST", "OPTIONS", "PATCH"])
def test_challenge_other_methods(fake_daemon, pending, method):
    a = request(fake_daemon.challenge, method, pending[0])
    assert a.status in (400, 404, 405, 411) and pending[1] not in a.text


def test_challenge_keep_alive(fake_daemon, pending):
    path, answer = pending
    with Raw(fake_daemon.challenge) as r:
        for _ in range(3):
            assert r.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").response().body == answer.encode()


def test_challenge_pipelining(fake_daemon, pending):
    """The second is answered or the connection closed; nothing is mixed up."""
    path, answer = pending
    with Raw(fake_daemon.challenge) as r:
        r.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\nGET /no HTTP/1.1\r\nHost: x\r\n\r\n")
        assert r.response().body == answer.encode()
        second = r.response()
        assert second is None or second.status == 404


def test_challenge_token_is_withdrawn(fakeca, fake_daemon, csr):
    assert fake_daemon.sign(csr).status == 200
    token = next(iter(fakeca.authzs.values()))["token"]
    assert request(fake_daemon.challenge, "GET", TOKEN_PATH + token).status == 404


def test_challenge_token_is_withdrawn_after_a_failure(fakeca, fake_daemon, csr):
    fakeca.validation = "invalid"
    fake_daemon.sign(csr).expect(421)
    token = next(iter(fakeca.authzs.values()))["token"]
    assert request(fake_daemon.challenge, "GET", TOKEN_PATH + token).status == 404


def test_sign_is_not_on_the_challenge_listener(fake_daemon, csr, fakeca):
    refused(fake_daemon.challenge, post(csr), 400, 404, 405, 413, None)
    assert fakeca.count("new-order") == 0


# A resource of the CA that is a path elsewhere

def test_ca_token_that_is_a_path(fakeca, fake_daemon, csr):
    fakeca.when("authz", lambda r: _with_token(fakeca, r, "../../../../etc/passwd"))
    r = fake_daemon.sign(csr)
    assert r.status in (403, 421, 503), repr(r)


def _with_token(fakeca, r, token):
    from lab.fakeca import Reply
    authz = fakeca.authzs[r.number]
    authz["token"] = token
    return Reply(200, fakeca.authz_body(authz))
