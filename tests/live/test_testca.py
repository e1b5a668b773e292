# SPDX-License-Identifier: GPL-3.0-or-later
"""The test CA itself (tests/ca): the daemon issues through it, openssl likes its chains, it refuses
what RFC 8555 has it refuse, and every fault it lists does what the list says."""
import base64
import re

import pytest

from lab.daemon import acmems
from lab.util import free_port, run

HTTP = {'auth "test"': {"ip": "127.0.0.1", "domain": ["*.example.org", "example.org"]}}


@pytest.fixture
def issue(make_daemon, csrs, cert):
    """issue(ca, *names, conf=..., **csr) -> the certificate the daemon got."""
    def make(ca, *names, conf=None, **kw):
        d = make_daemon(ca, conf={**HTTP, **(conf or {})}, ca_file=ca.trust)
        c = cert(d.sign(csrs.make(*names, **kw)))
        d.stop()
        return c
    return make


def verify(ca, c, tmp_path):
    """By the openssl program, through the intermediate of the chain, to the CA's root."""
    (tmp_path / "leaf.pem").write_text(c.pems[0])
    (tmp_path / "rest.pem").write_text("".join(c.pems[1:]))
    run("openssl", "verify", "-purpose", "sslserver", "-x509_strict", "-CAfile", ca.root, "-untrusted",
        tmp_path / "rest.pem", tmp_path / "leaf.pem")


def lifetime(c):
    """Days."""
    out = run("openssl", "x509", "-noout", "-dates", "-dateopt", "iso_8601", input=c.pems[0]).stdout
    import datetime
    start, end = (datetime.datetime.fromisoformat(x) for x in re.findall(r"=(\S+ \S+)Z", out))
    return (end - start).total_seconds() / 86400


# The daemon

def test_http01(testca, issue, tmp_path):
    c = issue(testca, "a.example.org", "b.example.org")
    assert c.names == ["a.example.org", "b.example.org"]
    verify(testca, c, tmp_path)
    stats = testca.stats()
    assert stats["validations"] == {"done": 2, "failed": 0}
    assert stats["refused"] == {}
    assert stats["objects"]["certificates"] == 1
    assert [e["endpoint"] for e in testca.log()][0] == "directory"


def test_validation_is_real(testca, make_daemon, csrs):
    d = make_daemon(testca, conf=HTTP, ca_file=testca.trust)
    testca.knobs(http_port=free_port())
    d.sign(csrs.make("a.example.org")).expect(421, "nobody answers")
    assert testca.stats()["validations"] == {"done": 1, "failed": 1}
    d.stop()
