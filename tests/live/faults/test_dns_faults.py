# SPDX-License-Identifier: GPL-3.0-or-later
"""Name servers that are silent, lie or truncate, for dns-01 by dynamic update: the right status and a
true sentence in time, nothing left in the zone, and the next request with an honest server succeeds.
What BIND can be made to do is in test_dns_update.py."""
import base64
import re
import time

import pytest

from lab.fakedns import FakeDns, LIES, TSIG_LIES
from lab.fastcsr import FastCsrs
from lab.util import free_port, wait_until

TIMEOUT = 8
KEY = ("acmems.example", base64.b64encode(b"0123456789abcdef0123456789abcdef").decode())


@pytest.fixture(scope="module")
def fast():
    return FastCsrs()


@pytest.fixture
def server():
    s = FakeDns(free_port(), key=KEY)
    yield s
    s.close()


@pytest.fixture
def make(make_testca, make_daemon, server):
    def start(signed=False, **options):
        ca = make_testca("--validate", "--dns-server", server.where)
        block = {"type": "dns01-dnsUpdate", "dns-server": server.where, "resolver": server.where,
                 "timeout": 1, "propagation-timeout": 2, **options}
        if signed:
            block.update({"tsig-name": KEY[0], "tsig-algorithm": "hmac-sha256", "tsig-secret": KEY[1]})
        return make_daemon(ca, {
            "mgmt": {"timeout": TIMEOUT, "order-timeout": TIMEOUT + 1}, 'verification "http"': None,
            'verification "dns"': block, 'storage "file"': None}, ca_file=ca.trust)
    return start


def gone(server):
    wait_until(lambda: not any(server.txt.values()), 40, "no TXT record is left")


def check(d, server, fast, lie, only, statuses, words):
    server.lie, server.only = lie, only
    started = time.monotonic()
    r = d.sign(fast.make("a.example.org"), timeout=TIMEOUT + 5)
    took = time.monotonic() - started
    assert r.status in statuses, repr(r)
    if r.status != 200:
        assert took < TIMEOUT + 1, f"{took} s"
        r.check_error()
        assert "a.example.org" in r.text, repr(r)
        # Who did not do his part is named, or it says that the time is over.
        assert re.search(words, r.text, re.I), f"no {words!r} in {r!r}"
    server.lie = server.only = None
    r = d.sign(fast.make("b.example.org"), timeout=TIMEOUT + 5)
    assert r.status == 200, repr(r)
    gone(server)
    return r


# One that does not answer, or whose answers are no use, is a server that cannot be reached; what it
# says in so many words is quoted. Lies that are no answer to our question are not heard.
UNHEARD = r"no answer in time|did not answer|not issued within|another question"
SAYS = {
    "silence": UNHEARD, "wrong-id": UNHEARD, "wrong-question": UNHEARD, "no-question": UNHEARD + "|question|match",
    "nxdomain": r"NXDOMAIN|no answer|not authoritative|zone", "servfail": "SERVFAIL", "refused": "REFUSED",
    "truncated": r"truncated|" + UNHEARD, "garbage": UNHEARD + "|malformed", "short": UNHEARD + "|malformed",
    "query": UNHEARD + "|match", "loop": "form a loop", "other-answer": "still missing",
}


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != "two-copies"])
def test_all_of_it(make, server, fast, lie):
    """Whatever it is asked."""
    check(make(), server, fast, lie, None, (500, 503, 504), SAYS[lie])


@pytest.mark.parametrize("lie", ["silence", "wrong-id", "nxdomain", "servfail", "refused", "truncated", "garbage"])
@pytest.mark.parametrize("only", ["update", "TXT"])
def test_one_step(make, server, fast, lie, only):
    """It is found, and then fails: at the update, or when asked for what was added."""
    check(make(), server, fast, lie, only, (500, 503, 504), SAYS[lie] + "|TXT|still missing")


def test_two_copies(make, server, fast):
    d = make()
    server.lie = "two-copies"
    assert d.sign(fast.make("a.example.org")).status == 200
    gone(server)


@pytest.mark.parametrize("lie", TSIG_LIES)
def test_answers_signed_wrongly(make, server, fast, lie):
    """Never accepted, though the update was done: what is in the zone is taken out again."""
    check(make(signed=True), server, fast, lie, "update", (500, 503), "TSIG|signed|signature")


def test_signed(make, server, fast):
    assert make(signed=True).sign(fast.make("a.example.org")).status == 200
    assert ("update", "example.org", "udp") in server.asked
    gone(server)
