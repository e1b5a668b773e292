# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator asks: health and readiness."""
import signal
import threading

import pytest

from lab.http import request
from lab.util import free_port, port_open, wait_until


@pytest.fixture
def watched(make_daemon):
    """watched(ca, conf=...) -> a daemon with a status listener, and ask(path) for it."""
    def make(ca, conf=None, **kw):
        port = free_port()
        d = make_daemon(ca, {"status": {"listener": f"127.0.0.1:{port}"}, **(conf or {})}, **kw)
        d.status = ("127.0.0.1", port)
        d.ask = lambda path, method="GET": request(d.status, method, path)
        return d
    return make


def test_health_and_readiness(fakeca, watched):
    d = watched(fakeca)
    assert d.ask("/healthz").body == b"ok\n"
    assert request(d.where, "GET", "/healthz").body == b"ok\n"
    wait_until(lambda: b"account: ok" in d.ask("/readyz").body)
    r = d.ask("/readyz")
    assert r.status == 200 and r.body.startswith(b"ready\n") and b"ca: ok" in r.body
    assert d.ask("/readyz", "HEAD").body == b""


def test_tables_are_of_their_own(fakeca, watched):
    d = watched(fakeca)
    for path in ("/", "/sign", "/readyz/", "/Healthz", "/%68ealthz", "/nosuch"):
        assert d.ask(path).status == 404, path
    assert request(d.where, "GET", "/readyz").status == 404
    r = request(d.status, "DELETE", "/readyz")
    assert r.status == 405 and r.header("Allow") == "GET, HEAD"
    assert request(d.status, "POST", "/healthz", b"body").status == 413


def test_ready_without_a_ca(fakeca, watched):
    fakeca.close()
    d = watched(fakeca)
    wait_until(lambda: b"ca: ok" not in d.ask("/readyz").body)
    r = d.ask("/readyz")
    assert r.status == 200 and b"account: not known yet" in r.body


def test_not_ready_on_the_way_down(fakeca, watched, csrs):
    """The status listener stays open when those of the management side are closed."""
    fakeca.validation_delay = 1.5
    d = watched(fakeca)
    asking = threading.Thread(target=d.sign, args=(csrs.make("www.example.org"),))
    asking.start()
    wait_until(lambda: fakeca.count("challenge"), what="the order")
    d.process.signal(signal.SIGTERM)
    wait_until(lambda: not port_open(d.port), 5, "management listener is closed")
    r = d.ask("/readyz")
    assert r.status == 503 and r.body.startswith(b"shutting down\n") and b"listeners: closed" in r.body
    assert d.ask("/healthz").status == 200
    asking.join(30)
    d.process.wait(10)
    d.check_end()
