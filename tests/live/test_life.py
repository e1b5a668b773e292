# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals, draining, logs, listeners."""
import json
import os
import re
import resource
import signal
import socket
import threading
import time

import pytest

from lab.http import Raw, request
from lab.util import free_port, port_open, wait_until


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


class Asking(threading.Thread):
    """A sign request in the background."""

    def __init__(self, d, body):
        super().__init__()
        self.d, self.body, self.result = d, body, None
        self.start()

    def run(self):
        try:
            self.result = self.d.sign(self.body)
        except Exception as e:
            self.result = e

    def done(self):
        self.join(60)
        return self.result


# The end

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it(fake_daemon, number):
    started = time.monotonic()
    fake_daemon.stop(number)
    assert time.monotonic() - started < 5


def test_drain_finishes_what_runs(fakeca, fake_daemon, csr, cert, csrs):
    fakeca.validation_delay = 1.5
    asking = Asking(fake_daemon, csr)
    wait_until(lambda: fakeca.count("challenge"), what="the order")
    fake_daemon.process.signal(signal.SIGTERM)
    # New ones: the listener is closed, or 503 is said; the challenge is still answered.
    wait_until(lambda: not port_open(fake_daemon.port), 5, "management listener is closed")
    assert port_open(fake_daemon.challenge_port)
    cert(asking.done())
    fake_daemon.process.wait(10)
    fake_daemon.check_end()


def test_drain_on_an_open_connection_says_503(fakeca, fake_daemon, csr, csrs):
    fakeca.validation_delay = 1.5
    other = csrs.make("other.example.org")
    with Raw(fake_daemon.where) as r:
        r.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert r.response().status == 200
        asking = Asking(fake_daemon, csr)
        wait_until(lambda: fakeca.count("challenge"), what="the order")
        fake_daemon.process.signal(signal.SIGTERM)
        wait_until(lambda: not port_open(fake_daemon.port), 5, "management listener is closed")
        try:
            r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: {len(other)}\r\n\r\n".encode() + other)
            answer = r.response()
        except OSError:
            answer = None
        assert answer is None or answer.status == 503, repr(answer)
        assert asking.done().status == 200
    assert fakeca.count("new-order") == 1


def test_drain_has_an_end(fakeca, make_daemon, csr):
    """After shutdown-timeout the waiters get 503, the challenge is withdrawn, exit code 0."""
    fakeca.validation = "never"
    d = make_daemon(fakeca, {"mgmt": {"shutdown-timeout": "2"}})
    asking = Asking(d, csr)
    wait_until(lambda: fakeca.count("challenge"), what="the order")
    started = time.monotonic()
    d.process.signal(signal.SIGTERM)
    asking.done().expect(503)
    d.process.wait(15)
    assert 1.5 < time.monotonic() - started < 13
    d.check_end()


def test_second_signal_ends_at_once(fakeca, make_daemon, csr):
    fakeca.validation = "never"
    d = make_daemon(fakeca, {"mgmt": {"shutdown-timeout": "60"}})
    asking = Asking(d, csr)
    wait_until(lambda: fakeca.count("challenge"), what="the order")
    d.process.signal(signal.SIGTERM)
    wait_until(lambda: not port_open(d.port), 5, "draining")
    assert d.process.alive()
    d.process.signal(signal.SIGTERM)
    d.process.wait(5)
    d.expect_exit = d.process.popen.returncode
    assert d.expect_exit in (0, 1)
    d.check_end()
    asking.done()


def test_sigterm_while_the_ca_is_down(fakeca, make_daemon):
    fakeca.stop()
    d = make_daemon(fakeca)
    started = time.monotonic()
    d.stop()
    assert time.monotonic() - started < 6


def test_sigpipe_is_ignored(fake_daemon):
    fake_daemon.process.signal(signal.SIGPIPE)
    assert request(fake_daemon.where, "GET", "/healthz").status == 200


def test_sigterm_right_after_start(make_daemon, fakeca):
    for _ in range(5):
        d = make_daemon(fakeca)
        d.stop()


def test_stdout_closed(fakeca, make_daemon, csr):
    """Nobody reads what a daemon prints."""
    d = make_daemon(fakeca)
    assert d.process.out().splitlines() == ["running"]


# Listeners

def test_port_taken(make_daemon, fakeca):
    d = make_daemon(fakeca, start=False)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", d.port))
        s.listen()
        d.start(ready=False)
        d.process.wait(15)
    d.expect_exit = 1
    d.check_end()
    assert f"127.0.0.1:{d.port}" in d.log() and re.search("in use|another process", d.log())
    assert "running" not in d.process.out()


def test_address_of_another_machine(make_daemon, fakeca):
    d = make_daemon(fakeca, {"mgmt": {"listener": "192.0.2.77:1313"}}, start=False)
    d.start(ready=False)
    d.process.wait(15)
    d.expect_exit = d.process.popen.returncode
    assert d.expect_exit == 1
    d.check_end()
    assert "192.0.2.77" in d.log()


def test_descriptor_limit_is_raised(fakeca, make_daemon):
    """A soft limit as low as most systems set it is no limit for a server."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, hard))
    try:
        d = make_daemon(fakeca)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE) == (min(hard, 65536), hard)


def test_several_listeners(make_daemon, fakeca, csr, tmp_path):
    a, b, c = free_port(), free_port(), free_port()
    make_daemon(fakeca, {"mgmt": {"listener": [f"127.0.0.1:{a}", f"[::1]:{b}", f"localhost:{c}",
                                               f"unix:{tmp_path}/s"]},
                         'auth "test"': {"ip": ["127.0.0.1", "::1"]}})
    for where in (("127.0.0.1", a), ("::1", b), ("127.0.0.1", c)):
        assert request(where, "POST", "/sign", csr).status == 200
    assert request(tmp_path / "s", "GET", "/healthz").status == 200


def test_scoped_ipv6_listener(make_daemon, fakeca):
    """fe80:: needs the interface; a machine without a link-local address says so."""
    with open("/proc/net/if_inet6") as f:
        links = [line.split() for line in f if line.startswith("fe80")]
    if not links:
        d = make_daemon(fakeca, {"mgmt": {"listener": [f"[fe80::1%lo]:{free_port()}"]}}, start=False)
        d.start(ready=False)
        d.process.wait(15)
        d.expect_exit = 1
        d.check_end()
        assert "fe80::1%lo" in d.log()
        return
    raw_address, device = links[0][0], links[0][5]
    address = ":".join(raw_address[i:i + 4] for i in range(0, 32, 4))
    port = free_port()
    make_daemon(fakeca, {"mgmt": {"listener": f"[{address}%{device}]:{port}"}})
    with socket.socket(socket.AF_INET6) as s:
        s.connect((address, port, 0, socket.if_nametoindex(device)))
        s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert b" 200 " in s.recv(1000)


def test_no_management_listener(make_daemon, fakeca):
    d = make_daemon(fakeca, {"mgmt": {"listener": ""}})
    assert not port_open(d.port) and port_open(d.challenge_port)


def test_backlog(make_daemon, fakeca):
    """Hundreds of clients at the same moment: nobody is reset."""
    d = make_daemon(fakeca)
    socks = [socket.socket() for _ in range(300)]
    try:
        for s in socks:
            s.setblocking(False)
            s.connect_ex(d.where)
        for s in socks:
            s.settimeout(20)
            s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        for s in socks:
            assert b" 200 " in s.recv(1000)
    finally:
        for s in socks:
            s.close()


# Logs

def test_log_of_a_success(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"level": "info"}})
    assert d.sign(csr).status == 200
    line = d.wait_log(r".*www\.example\.org.*\n").group(0)
    assert "127.0.0.1" in d.log()
    assert line.count("\n") == 1


def test_log_of_a_failure_once(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"level": "warning"}})
    fakeca.validation = "invalid"
    d.sign(csr).expect(421)
    lines = [x for x in d.log().splitlines() if "wrong answer at the name" in x]
    assert len(lines) == 1, d.log()
    assert "www.example.org" in lines[0] and "127.0.0.1" in lines[0]


def test_log_levels(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"level": "Error"}})
    assert d.sign(csr).status == 200
    assert len(d.log().splitlines()) == 1 and " audit issued " in d.log()


@pytest.mark.parametrize("level", ["debug", "NOTSET", "info", "warn", "critical", "fatal"])
def test_log_level_names(fakeca, make_daemon, level):
    make_daemon(fakeca, {"logging": {"level": level}})


def test_nothing_secret_at_debug(fakeca, make_daemon, csr):
    """Keys, MAC keys and key authorizations are in no log."""
    from lab.fakeca import thumbprint
    d = make_daemon(fakeca, {"logging": {"level": "debug"},
                             'auth "test"': {"ip": None, "hmac_type": "sha256", "hmac_key": "topsecretkey"}})
    assert d.sign(csr, d.hmac("topsecretkey", csr)).status == 200
    log = d.log()
    assert "topsecretkey" not in log and "PRIVATE KEY" not in log
    account = next(iter(fakeca.accounts.values()))
    for a in fakeca.authzs.values():
        assert f"{a['token']}.{thumbprint(account['jwk'])}" not in log
    key = (d.account / "account.pem").read_text().splitlines()[1]
    assert key[:24] not in log


def test_log_to_stdout(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"level": "info", "destination": "stdout"}})
    d.sign(csr)
    assert "www.example.org" in d.process.out() and "www.example.org" not in d.log()


def test_log_to_a_file_and_reopened(fakeca, make_daemon, csr, csrs, tmp_path):
    path = tmp_path / "acmems.log"
    d = make_daemon(fakeca, {"logging": {"level": "info", "destination": path}})
    assert d.sign(csr).status == 200
    wait_until(lambda: "www.example.org" in path.read_text(), what="a line in the file")
    path.rename(tmp_path / "acmems.log.1")
    d.process.signal(signal.SIGHUP)
    wait_until(path.exists, what="the file is opened again")
    assert d.sign(csrs.make("other.example.org")).status == 200
    wait_until(lambda: "other.example.org" in path.read_text(), what="a line in the new file")
    assert "other.example.org" not in (tmp_path / "acmems.log.1").read_text()
    assert d.log() == ""


def test_log_as_json(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"level": "info", "format": "json"}})
    assert d.sign(csr).status == 200
    fakeca.validation = "invalid"
    fakeca.validation_error = {"type": "x", "detail": 'quote " backslash \\ newline \n end'}
    d.wait_log("www.example.org")
    for line in d.log().splitlines():
        record = json.loads(line)
        assert isinstance(record, dict) and record
        assert {"level", "message"} <= set(record) or {"level", "msg"} <= set(record), record


def test_python_format_is_ignored(fakeca, make_daemon):
    make_daemon(fakeca, {"logging": {"format": "%(asctime)s %(levelname)s %(message)s"}})


def test_control_characters_are_escaped(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, {"logging": {"level": "info"}})
    with Raw(d.where) as r:
        r.send(b"POST /\x1b[31mred HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        r.response()
    with Raw(d.where) as r:
        r.send(b"POST /sign HTTP/1.1\r\nHost: x\r\nAuthentication: hmac \x1b]0;x\x07\r\n"
               b"Content-Length: 3\r\n\r\nabc")
        r.response()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", d.log())


def test_log_destination_cannot_be_written(make_daemon, fakeca):
    d = make_daemon(fakeca, {"logging": {"destination": "/nonexistent/acmems.log"}}, start=False)
    d.start(ready=False)
    d.process.wait(15)
    assert d.process.popen.returncode == 2
    d.expect_exit = d.process.popen.returncode
    d.check_end()
    assert "/nonexistent/acmems.log" in d.log()


def test_syslog(fakeca, make_daemon, csr):
    """There may be no syslog here: the daemon runs all the same."""
    d = make_daemon(fakeca, {"logging": {"level": "info", "destination": "syslog"}})
    assert d.sign(csr).status == 200


def test_proxy_variable_gets_a_warning(fakeca, make_daemon, csr):
    d = make_daemon(fakeca, env={"HTTPS_PROXY": "http://127.0.0.1:9"})
    d.wait_log("HTTPS_PROXY")
    assert d.sign(csr).status == 200


# Descriptors do not leak

def test_descriptors(fakeca, fake_daemon, csrs):
    def count():
        return len(os.listdir(f"/proc/{fake_daemon.process.pid}/fd"))
    for i in range(3):
        fake_daemon.sign(csrs.make(f"warm{i}.example.org"))
    before = count()
    for i in range(15):
        fake_daemon.sign(csrs.make(f"n{i}.example.org"))
        with Raw(fake_daemon.where) as r:
            r.send("POST /sign HTTP/1.1\r\nHost: x\r\n")
    wait_until(lambda: count() <= before + 3, 20, "descriptors are closed")
