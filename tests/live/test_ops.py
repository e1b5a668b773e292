# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator asks: health, readiness, metrics."""
import datetime
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from lab.bind import KEYGEN, NAMED, Bind, Key
from lab.fakeca import problem
from lab.http import Raw, request
from lab.util import free_port, port_open, wait_until


@pytest.fixture
def watched(make_daemon):
    """watched(ca, conf=...) -> a daemon with a status listener, and ask(path) for it."""
    def make(ca, conf=None, **kw):
        port = free_port()
        d = make_daemon(ca, {"status": {"listener": f"127.0.0.1:{port}"}, **(conf or {})}, **kw)
        d.status = ("127.0.0.1", port)
        d.ask = lambda path, method="GET": request(d.status, method, path)
        d.metrics = lambda: Metrics(d.ask("/metrics"))
        return d
    return make


class Metrics:
    """One scrape: m("name", label="value") is the sum of the samples that have these labels."""

    SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)$')

    def __init__(self, response):
        assert response.status == 200
        assert response.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
        self.text = response.body.decode()
        self.samples, self.types = [], {}
        for line in self.text.splitlines():
            if line.startswith("# TYPE "):
                self.types[line.split()[2]] = line.split()[3]
            elif not line.startswith("#"):
                name, labels, value = self.SAMPLE.match(line).groups()
                labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
                self.samples.append((name, labels, float(value)))

    def find(self, name, **labels):
        return [value for n, have, value in self.samples
                if n == name and all(have.get(k) == v for k, v in labels.items())]

    def __call__(self, name, **labels):
        found = self.find(name, **labels)
        assert found, f"no sample {name} {labels} in\n{self.text}"
        return sum(found)


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


# Metrics: each moves when its event happens

def promtool(*args, **kw):
    tool = shutil.which("promtool")
    assert tool, "no promtool (package prometheus)"
    return subprocess.run([tool, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, **kw)


def test_promtool_likes_it(fakeca, watched, csrs):
    """Also with the name of a block that holds what the format is made of."""
    d = watched(fakeca)
    d.update({'storage "file"': None,
              'storage "a\\b\x01 {c} \u00fc"': {"type": "file", "directory": d.storage}}).restart()
    d.sign(csrs.make("www.example.org")).expect(200)
    m = wait_until(lambda: (m := d.metrics()).find("acmems_certificates") and m)
    assert '{storage="a\\\\b? {c} \u00fc"} 1' in m.text, m.text
    p = promtool("check", "metrics", input=m.text)
    assert p.returncode == 0 and p.stdout == "", p.stdout
    assert m("acmems_build_info") == 1 and len(m.types) > 25
    families = [re.sub("_(bucket|sum|count)$", "", n) if n not in m.types else n for n, _, _ in m.samples]
    assert set(families) <= set(m.types)
    keys = [(n, tuple(sorted(have.items()))) for n, have, _ in m.samples]
    assert len(set(keys)) == len(keys), "a series twice"


def test_an_issuance_moves_them(fakeca, watched, csrs):
    d = watched(fakeca)
    wait_until(lambda: b"account: ok" in d.ask("/readyz").body)
    before = d.metrics()
    assert before("acmems_orders_started_total") == 0
    csr = csrs.make("www.example.org")
    d.sign(csr).expect(200)
    d.sign(csr).expect(200)
    after = d.metrics()

    def moved(name, **labels):
        return after(name, **labels) - before(name, **labels)
    assert moved("acmems_http_requests_total", server="management", code="200") == 2
    assert moved("acmems_http_requests_total", server="challenge", code="200") >= 1
    assert moved("acmems_http_requests_total", server="status", code="200") == 1
    assert moved("acmems_http_connections_accepted_total", server="management") == 2
    assert moved("acmems_sign_requests_total", outcome="issued") == 1
    assert moved("acmems_sign_requests_total", outcome="cached") == 1
    assert moved("acmems_sign_requests_total") == 2
    assert moved("acmems_cache_lookups_total", result="miss") == 1
    assert moved("acmems_cache_lookups_total", result="hit") == 1
    assert moved("acmems_orders_started_total") == 1
    assert moved("acmems_order_duration_seconds_count", result="issued") == 1
    assert moved("acmems_order_duration_seconds_bucket", result="issued", le="+Inf") == 1
    assert 0 < moved("acmems_order_duration_seconds_sum", result="issued") < 60
    for kind in ("authorization", "challenge", "finalize", "certificate"):
        assert moved("acmems_ca_requests_total", kind=kind, code="200") >= 1, kind
    assert after("acmems_ca_requests_total", kind="new_order", code="201") == 1
    assert moved("acmems_challenges_presented_total", type="http01") == 1
    assert moved("acmems_challenges_answered_total", type="http01") >= 1
    assert after("acmems_jobs_in_flight") == after("acmems_jobs") == after("acmems_orders") == 0
    assert after("acmems_ca_up") == after("acmems_ca_accepts_orders") == 1
    assert after("acmems_ca_connections_opened_total") >= after("acmems_ca_connections") >= 1
    assert moved("process_cpu_seconds_total") > 0
    assert abs(after("process_start_time_seconds") - time.time()) < 60
    assert 1e6 < after("process_resident_memory_bytes") < after("process_virtual_memory_bytes")
    assert 5 < after("process_open_fds") < after("process_max_fds")


def test_orders_in_flight_by_state(fakeca, watched, csrs):
    fakeca.validation = "never"
    d = watched(fakeca, {"mgmt": {"shutdown-timeout": "0"}})
    csr = csrs.make("www.example.org")
    with Raw(d.where) as client:
        client.send(b"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(csr) + csr)
        wait_until(lambda: d.metrics()("acmems_orders", state="authorize") == 1)
        m = d.metrics()
        assert m("acmems_jobs_in_flight") == m("acmems_jobs", state="order") == m("acmems_jobs") == 1
        assert m("acmems_http_connections", server="management") == 1
    wait_until(lambda: d.metrics()("acmems_sign_requests_total", outcome="cancelled") == 1)
    wait_until(lambda: d.metrics()("acmems_http_connections", server="management") == 0)
    assert d.metrics()("acmems_jobs_in_flight") == 1


def test_refusals_and_failures(fakeca, watched, csrs):
    d = watched(fakeca)
    d.sign(b"nonsense").expect(415)
    d.sign(csrs.make("www.example.com")).expect(403)
    request(d.where, "GET", "/nosuch")
    fakeca.when("new-order", problem(400, "rejectedIdentifier", "no"))
    d.sign(csrs.make("www.example.org")).expect(403)
    m = d.metrics()
    assert m("acmems_sign_requests_total", outcome="bad_csr") == 1
    assert m("acmems_sign_requests_total", outcome="forbidden") == 2
    assert m("acmems_http_requests_total", server="management", code="403") == 2
    assert m("acmems_http_requests_total", server="management", code="404") == 1
    assert m("acmems_http_requests_total", server="management", code="415") == 1
    assert m("acmems_order_duration_seconds_count", result="failed") == 1
    assert m("acmems_ca_requests_total", kind="new_order", code="400") == 1


def test_nonce_retries(testca, watched, csrs):
    testca.fault("new-order", "bad-nonce", count=1)
    d = watched(testca, ca_file=testca.trust)
    d.sign(csrs.make("www.example.org")).expect(200)
    assert d.metrics()("acmems_ca_nonce_retries_total") == 1


def test_certificates_due_and_renewals_that_fail(fakeca, watched, csrs, tmp_path):
    """Of entries for the same names only the newest counts, also after a restart."""
    fakeca.lifetime = datetime.timedelta(days=5)
    fakeca.start_offset = datetime.timedelta(days=-85)
    d = watched(fakeca)
    csr = csrs.make("www.example.org")
    d.sign(csr).expect(200)
    m = wait_until(lambda: (m := d.metrics()).find("acmems_certificates") and m)
    assert m("acmems_certificates", storage="file") == m("acmems_certificates_due") == 1
    expiry = m("acmems_certificates_nearest_expiry_timestamp_seconds")
    assert abs(expiry - time.time() - 5 * 86400) < 7200
    assert m("acmems_certificates_due_since_timestamp_seconds") == expiry - 14 * 86400
    assert m("acmems_certificates_expired") == m("acmems_renewals_failed_total") == 0

    fakeca.stop()
    d.sign(csr).expect(200)
    m = d.metrics()
    assert m("acmems_renewals_failed_total") == 1
    assert m("acmems_sign_requests_total", outcome="renewal_failed") == 1
    assert m("acmems_ca_up") == m("acmems_ca_accepts_orders") == 0
    assert m("acmems_ca_requests_total", code="none") >= 1

    fakeca.start()
    fakeca.lifetime = datetime.timedelta(days=90)
    fakeca.start_offset = datetime.timedelta(hours=-1)
    d.restart()
    d.sign(csrs.make("www.example.org", key="p384")).expect(200)
    m = wait_until(lambda: (m := d.metrics()).find("acmems_certificates") and m)
    assert m("acmems_certificates") == 1 and m("acmems_certificates_due") == 0
    assert not m.find("acmems_certificates_due_since_timestamp_seconds")
    assert m("acmems_ca_up") == 1


@pytest.mark.skipif(not NAMED or not KEYGEN, reason="no BIND on this machine")
def test_dns_updates(testca, watched, csrs, tmp_path):
    """The test CA does not ask the name server: it is told what is valid."""
    testca.knobs(validate=False)
    key = Key(tmp_path)
    bind = Bind(tmp_path / "named", key=key).primary("example.org", "@ NS ns1\nns1 A 127.0.0.1\n").start()
    try:
        d = watched(testca, {
            'verification "http"': None, 'auth "test"': {"domain": ["*.example.org"]},
            'verification "dns"': {"type": "dns01-dnsUpdate", "dns-server": bind.where,
                                   "resolver": bind.where, "tsig-key-file": key.path}},
            ca_file=testca.trust)
        d.sign(csrs.make("*.example.org")).expect(200)
        wait_until(lambda: d.metrics()("acmems_dns_updates_total", result="done") == 2)
        m = d.metrics()
        assert m("acmems_challenges_presented_total", type="dns01-dnsUpdate") == 1
        assert m("acmems_dns_updates_total", result="failed") == 0
        key.wrong_secret(tmp_path).path.replace(key.path)
        d.restart()
        d.sign(csrs.make("other.example.org")).expect(500, "TSIG")
        assert d.metrics()("acmems_dns_updates_total", result="failed") == 1
    finally:
        bind.stop()
