# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that are many, slow, broken or gone: honest ones are served within a second all the while."""
import resource
import select
import socket
import time

import pytest

from lab.fastcsr import FastCsrs
from lab.faultlab import descriptors
from lab.http import Raw, request
from lab.util import wait_until

MANY = 2000
AT_ONCE = 1.0
STEPS = ["new-order", "authz", "challenge", "order", "finalize", "cert"]


@pytest.fixture(scope="module")
def fast():
    return FastCsrs()


@pytest.fixture(scope="module", autouse=True)
def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 200:
        pytest.skip(f"the descriptor limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 200), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def ca(make_testca):
    return make_testca("--validate")


@pytest.fixture
def daemon(make_daemon, ca):
    return make_daemon(ca, ca_file=ca.trust)


def post(body):
    return (f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


class Honest:
    """Somebody with a certificate in the cache, and new ones."""

    def __init__(self, daemon, fast):
        self.daemon, self.fast, self.count = daemon, fast, 0
        self.cached = fast.make("cached.example.org")
        assert daemon.sign(self.cached).status == 200

    def timed(self, body):
        # On a machine that has other things to do one answer may be late; not three.
        for _ in range(3):
            started = time.monotonic()
            assert self.daemon.sign(body, timeout=20).status == 200
            took = time.monotonic() - started
            if took < AT_ONCE:
                return
        raise AssertionError(f"{took:.2f} s")

    def served(self):
        self.timed(self.cached)
        for _ in range(3):
            self.count += 1
            started = time.monotonic()
            body = self.fast.make(f"fresh{self.count}.example.org")
            assert self.daemon.sign(body, timeout=20).status == 200
            took = time.monotonic() - started
            if took < AT_ONCE:
                return
        raise AssertionError(f"{took:.2f} s for a fresh one")


@pytest.fixture
def honest(daemon, fast):
    return Honest(daemon, fast)


class Crowd:
    def __init__(self, where, count=MANY):
        self.socks = [socket.create_connection(where, timeout=20) for _ in range(count)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.socks:
            s.close()

    def send(self, data):
        for s in self.socks:
            try:
                s.sendall(data)
            except OSError:
                pass  # closed by the daemon, which it may


@pytest.fixture
def level(daemon, honest, ca):
    """Afterwards there are as many descriptors as before."""
    def count():
        return descriptors(daemon.process.pid) - ca.stats()["connections"]["open"]
    before = wait_until(count)
    yield
    wait_until(lambda: count() <= before, 20, f"descriptors are closed: {before} before, {count()} now")


def test_idle(daemon, honest, level):
    with Crowd(daemon.where):
        honest.served()
    honest.served()


def test_idle_at_the_challenge_listener(daemon, honest, level):
    with Crowd(daemon.challenge):
        honest.served()


def test_one_byte_a_second(daemon, honest, fast, level):
    data = post(fast.make("slow.example.org"))
    with Crowd(daemon.where) as crowd:
        for at in range(3):
            round_ends = time.monotonic() + 1
            crowd.send(data[at:at + 1])
            honest.served()
            # A byte a second is what is tried here.
            time.sleep(max(0, round_ends - time.monotonic()))
        honest.served()


@pytest.mark.parametrize("part", ["line", "head", "body"])
def test_half_requests(daemon, honest, fast, level, part):
    data = post(fast.make("half.example.org"))
    end = {"line": 7, "head": data.index(b"\r\n\r\n") - 4, "body": len(data) - 100}[part]
    with Crowd(daemon.where) as crowd:
        crowd.send(data[:end])
        honest.served()
    honest.served()


def test_pipelined(daemon, honest, fast, level):
    """200 connections with 20 requests each, all sent before an answer is read: the first is answered in
    full and says that the connection ends, which RFC 9112 9.3.2 leaves to the server."""
    crowd = [Raw(daemon.where) for _ in range(200)]
    for r in crowd:
        r.send(post(honest.cached) * 20)
    honest.served()
    for r in crowd:
        answer = r.response()
        assert answer.status == 200 and answer.body.endswith(b"-----END CERTIFICATE-----\n"), repr(answer)
        assert answer.header("Connection") == "close", repr(answer)
        r.sock.close()
    honest.served()


def test_pipelined_and_never_read(daemon, honest, level):
    """What nobody takes must not pile up."""
    with Crowd(daemon.where, 200) as crowd:
        for s in crowd.socks:
            s.setblocking(False)
            try:
                while True:
                    s.send(post(honest.cached) * 10)
                    if not select.select([], [s], [], 0)[1]:
                        break
            except (BlockingIOError, ConnectionError):
                pass
        honest.served()
        with open(f"/proc/{daemon.process.pid}/statm") as f:
            resident = int(f.read().split()[1]) * resource.getpagesize()
        assert resident < 1 << 30, f"{resident >> 20} MiB"
    honest.served()


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("step", STEPS)
def test_abandoned(daemon, ca, honest, fast, level, step, how):
    """50 at once hang up while the CA takes its time at one step; each has its certificate later."""
    bodies = [fast.make(f"gone{i}.example.org") for i in range(50)]
    if step == "order":
        ca.rules({"endpoint": "finalize", "fault": {"name": "processing", "polls": 2}})
    before = ca.count(step)
    ca.rules({"endpoint": step, "fault": {"name": "delay", "ms": 700}})
    clients = [Raw(daemon.where).send(post(b)) for b in bodies]
    wait_until(lambda: ca.count(step) > before, what=f"{step} is reached")
    for c in clients:
        if how == "reset":
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        c.sock.close()
    ca.honest()
    honest.served()
    orders = ca.count("new-order")
    wait_until(lambda: all((daemon.entry(b) / "cert.pem").exists() for b in bodies), 60, "all entries")
    assert daemon.sign(bodies[-1]).status == 200
    assert ca.count("new-order") <= max(orders, before + 60)


def test_descriptor_limit(daemon, honest):
    """More connections than there may be: idle ones make room for those who want something."""
    pid = daemon.process.pid
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(pid) + 40,) * 2)
    with Crowd(daemon.where, 200):
        honest.timed(honest.cached)
        honest.served()
    wait_until(lambda: request(daemon.where, "GET", "/healthz").status == 200, 15, "accepting again")
    honest.served()
