# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator asks: health, readiness, metrics, and what is held."""
import datetime
import functools
import json
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab.bind import KEYGEN, NAMED, Bind, Key
from lab.daemon import ROOT, acmems
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
    assert moved("process_start_time_seconds") == 0
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


def test_figures_go_on_after_a_reload(fakeca, watched, csrs):
    """Also those of a CA that was made anew, and of a storage that is another one now."""
    d = watched(fakeca)
    d.sign(csrs.make("www.example.org")).expect(200)
    before = wait_until(lambda: (m := d.metrics()).find("acmems_certificates") and m)
    d.update({"account": {"dir": d.folder / "account2"},
              'storage "file"': {"directory": d.folder / "moved"}}).write_conf()
    d.process.signal(signal.SIGHUP)
    d.wait_log("the configuration was reloaded")
    after = wait_until(lambda: (m := d.metrics()).find("acmems_certificates") and m)
    assert before("acmems_certificates") == 1 and after("acmems_certificates") == 0
    wait_until(lambda: d.metrics()("acmems_ca_requests_total", kind="directory", code="200") == 2)
    d.sign(csrs.make("www.example.org")).expect(200)
    after = d.metrics()
    assert after("acmems_orders_started_total") == after("acmems_sign_requests_total") == 2
    assert after("acmems_ca_requests_total", kind="certificate", code="200") == 2
    assert after("acmems_challenges_presented_total") == 2
    assert after("acmems_http_requests_total", server="management", code="200") == 2
    assert after("acmems_jobs_in_flight") == after("acmems_orders") == 0
    assert after("acmems_certificates") == 1


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


# --list, --forget, --health: beside a daemon that runs or not

def snapshot(folder):
    return sorted((str(p), p.stat().st_mtime_ns, p.stat().st_mode) for p in folder.rglob("*"))


def listed(d, *more):
    code, out, err = acmems("--list", "--json", d.conf_path, *more)
    assert code == 0, err
    return json.loads(out)


def test_list(fakeca, watched, csrs):
    d = watched(fakeca)
    first, second = csrs.make("www.example.org", "mail.example.org"), csrs.make("b.example.org")
    d.sign(first).expect(200)
    fakeca.lifetime, fakeca.start_offset = datetime.timedelta(days=5), datetime.timedelta(days=-85)
    d.sign(second).expect(200)
    before = snapshot(d.storage)
    entries = {tuple(e["names"]): e for e in listed(d)}
    assert len(entries) == 2
    e = entries["mail.example.org", "www.example.org"]
    meta = d.meta(first)
    assert e["block"] == "test" and e["storage"] == "file" and e["verification"] == "http"
    assert e["serial"] == meta["serial"] and e["expires"] == meta["not_after"]
    assert e["due_since"] is None and e["fetched"] and e["peer"] == "127.0.0.1"
    assert e["directory"] == fakeca.directory and e["path"] == str(d.entry(first))
    due = entries["b.example.org",]
    since = datetime.datetime.fromisoformat(due["due_since"].replace("Z", "+00:00"))
    ends = datetime.datetime.fromisoformat(due["expires"].replace("Z", "+00:00"))
    assert ends - since == datetime.timedelta(days=14)

    code, out, err = acmems("--list", d.conf_path)
    assert code == 0 and err == ""
    head, *rows = out.splitlines()
    assert head.split() == ["NAMES", "BLOCK", "SERIAL", "EXPIRES", "DUE", "SINCE", "FETCHED", "PEER",
                            "CA", "DIRECTORY", "ENTRY"]
    assert len(rows) == 2 and all(len(re.split("  +", row)) == 9 for row in rows)
    row = next(r for r in rows if "www.example.org" in r)
    for text in (meta["serial"], meta["not_after"], str(d.entry(first)), fakeca.directory):
        assert text in row
    assert snapshot(d.storage) == before


def test_list_leaves_no_trace(fakeca, watched):
    """Nothing was ever stored: no directory is made, neither of a store nor of the account."""
    d = watched(fakeca, start=False)
    d.write_conf()
    before = snapshot(d.folder)
    assert listed(d) == []
    assert acmems("--list", d.conf_path) == (0, "", "")
    assert acmems("--forget", "www.example.org", d.conf_path)[0] == 1
    assert snapshot(d.folder) == before


def test_list_of_a_hostile_cache(fakeca, watched, csrs):
    d = watched(fakeca)
    csr, plain, broken = (csrs.make(f"{n}.example.org") for n in "abc")
    for body in (csr, plain, broken):
        d.sign(body).expect(200)
    (d.entry(plain) / "meta.json").unlink()  # as the original wrote it
    (d.entry(broken) / "meta.json").write_text("{")
    path = d.entry(csr) / "meta.json"
    meta = json.loads(path.read_text())
    meta.update(auth="\x1b[2J\x1b]0;owned\x07\nFAKE  ROW", peer="x" * 5000, profile="\u009b31m\u202e",
                directory=fakeca.directory + "\r", names=["a.example.org", "not a name", "*\x1b.org", 7])
    path.write_text(json.dumps(meta))
    code, out, err = acmems("--list", d.conf_path)
    assert code == 0 and err == ""
    assert len(out.splitlines()) == 3 and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)
    assert max(map(len, out.splitlines())) < 1500
    entries = {e["names"][0]: e for e in listed(d)}
    assert set(entries) == {"a.example.org", "b.example.org"}
    assert entries["a.example.org"]["block"] == "?[2J?]0;owned??FAKE  ROW"
    assert entries["b.example.org"]["block"] is None and entries["b.example.org"]["serial"]


def test_list_of_what_cannot_be_read(fakeca, watched, tmp_path):
    d = watched(fakeca, start=False)
    d.storage.write_text("a file in its place")
    d.write_conf()
    code, out, err = acmems("--list", d.conf_path)
    assert code == 1 and str(d.storage) in err
    assert acmems("--list", tmp_path / "no.conf")[0] == 2
    assert acmems("--json", d.conf_path)[0] == 2
    assert acmems("--list")[0] == 2


@pytest.mark.parametrize("part", [".", "cert.pem", "meta.json"])
def test_what_cannot_be_read_is_not_passed_over(fakeca, watched, csrs, part):
    """The rest is there, and the end is a failure: what was not seen may have been the one."""
    d = watched(fakeca)
    broken = csrs.make("a.example.org")
    good = next(c for c in (csrs.make("b.example.org", f"{n}.example.org") for n in "cdef")
                if d.entry(c).parent != d.entry(broken).parent)
    d.sign(broken).expect(200)
    d.sign(good).expect(200)
    path = d.entry(broken).parent if part == "." else d.entry(broken) / part
    path.rename(d.folder / "elsewhere")
    path.symlink_to(path.name)
    code, out, err = acmems("--list", d.conf_path)
    assert code == 1 and f"cannot read {path}" in err
    assert "b.example.org" in out and "a.example.org" not in out
    code, out, err = acmems("--forget", "a.example.org", d.conf_path)
    assert code == 1 and f"cannot read {path}" in err and out == ""
    assert acmems("--forget", "b.example.org", d.conf_path)[0] == 1 and not d.entry(good).exists()


def test_forget(fakeca, watched, csrs, cert):
    """A daemon that runs notices with the next request."""
    d = watched(fakeca)
    one, both, other = csrs.make("a.example.org"), csrs.make("a.example.org", "b.example.org"), \
        csrs.make("other.example.org")
    serials = {body: cert(d.sign(body)).serial for body in (one, both, other)}
    assert all(cert(d.sign(body)).serial == serial for body, serial in serials.items())
    code, out, err = acmems("--forget", "A.Example.ORG", d.conf_path)
    assert code == 0 and err == "" and len(out.splitlines()) == 2
    assert str(d.entry(one)) in out and str(d.entry(both)) in out
    assert not d.entry(one).exists() and not d.entry(both).exists() and d.entry(other).exists()
    for body, serial in serials.items():
        assert (cert(d.sign(body)).serial == serial) == (body == other)
    code, out, err = acmems("--forget", "nosuch.example.org", d.conf_path)
    assert code == 1 and "no certificate for nosuch.example.org" in err and out == ""
    for name in ("not a name", "", "*", "-x"):
        assert acmems(f"--forget={name}", d.conf_path)[0] == 2, name


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize("listener", ["127.0.0.1:{port}", "0.0.0.0:{port}", "[::]:{port}",
                                      "localhost:{port}", "unix:{folder}/sock"])
def test_health(fakeca, watched, listener):
    if listener.startswith("[") and not has_ipv6():
        pytest.skip("no IPv6 on this machine")
    d = watched(fakeca)
    d.update({"mgmt": {"listener": listener.format(port=d.port, folder=d.folder)}}).restart()
    assert acmems("--health", d.conf_path) == (0, "", "")
    d.stop()
    code, out, err = acmems("--health", d.conf_path)
    assert code == 1 and out == "" and err.startswith("acmems: ")


def test_health_of_the_status_listener(fakeca, watched):
    d = watched(fakeca)
    d.update({"mgmt": {"listener": ""}}).restart()
    assert acmems("--health", d.conf_path)[0] == 0
    d.update({"status": {"listener": None}}).write_conf()
    code, _, err = acmems("--health", d.conf_path)
    assert code == 1 and "no listener" in err


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 503 Busy\r\n\r\n", b"HTTP/1.1 2000 x\r\n\r\n",
                                    b"SSH-2.0-x\r\n", b"HTTP/1.1 200", None])
def test_health_of_somebody_else(fakeca, watched, answer):
    """None: accepts and says nothing; the time is bounded."""
    d = watched(fakeca, start=False)
    d.write_conf()
    with socket.create_server(("127.0.0.1", d.port)) as server:
        def serve():
            with server.accept()[0] as s:
                s.recv(1000)
                if answer is None:
                    done.wait(20)
                else:
                    s.sendall(answer)
        done = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        started = time.monotonic()
        code, out, err = acmems("--health", d.conf_path)
        done.set()
        thread.join()
    assert code == 1 and out == "" and err.startswith("acmems: ")
    assert time.monotonic() - started < 15


# contrib: the dashboard and the alerts speak of what there is

PROMETHEUS = ROOT / "contrib/prometheus"
DASHBOARD = ROOT / "contrib/grafana/acmems.json"


def rule_expressions():
    text = (PROMETHEUS / "acmems.rules.yml").read_text()
    found = re.findall(r"^ +expr: (?:\|\n((?:^ {10}.*\n)+)|(.*)\n)", text, re.M)
    assert len(found) == text.count("- alert:")
    return [block or line for block, line in found]


def dashboard_expressions():
    dashboard = json.loads(DASHBOARD.read_text())
    found = [t["expr"] for p in dashboard["panels"] for t in p.get("targets", [])]
    found += [v["definition"] for v in dashboard["templating"]["list"] if v["type"] == "query"]
    assert len(found) > 30
    return found


def test_alert_rules():
    for check in (("check", "rules", "acmems.rules.yml"), ("test", "rules", "acmems.test.yml")):
        p = promtool(*check, cwd=PROMETHEUS)
        assert p.returncode == 0 and "SUCCESS" in p.stdout, p.stdout
    alerts = set(re.findall(r"- alert: (\w+)", (PROMETHEUS / "acmems.rules.yml").read_text()))
    fired = re.findall(r"alertname: (\w+)\n +exp_alerts:", (PROMETHEUS / "acmems.test.yml").read_text())
    assert alerts == set(fired)


def test_dashboard_is_good_promql(tmp_path):
    values = {"$__rate_interval": "5m", "$instance": ".*", "$job": ".*"}
    rules = [{"record": f"x{i}", "expr": functools.reduce(lambda e, v: e.replace(*v), values.items(), e)}
             for i, e in enumerate(dashboard_expressions()) if not e.startswith("label_values")]
    path = tmp_path / "rules.json"  # which is YAML too
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    p = promtool("check", "rules", path)
    assert p.returncode == 0, p.stdout
    places = [tuple(p["gridPos"].values()) for p in json.loads(DASHBOARD.read_text())["panels"]]
    cells = [(x + i, y + k) for x, y, w, h in places for i in range(w) for k in range(h)]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24


def test_what_they_name_is_exported(fakeca, watched, csrs):
    """Metrics, and the labels they are asked for."""
    fakeca.lifetime, fakeca.start_offset = datetime.timedelta(days=5), datetime.timedelta(days=-85)
    d = watched(fakeca)
    d.sign(csrs.make("www.example.org")).expect(200)
    m = wait_until(lambda: (m := d.metrics()).find("acmems_certificates_due") and m)
    labels = {}
    for name, have, _ in m.samples:
        labels.setdefault(name, {"instance", "job"}).update(have)
    named = set()
    for expression in rule_expressions() + dashboard_expressions():
        for name, selector in re.findall(r"\b((?:acmems|process)_\w+)(?:\{([^}]*)\})?", expression):
            assert name in labels, f"{name} is not exported"
            assert set(re.findall(r"(\w+)\s*[!=]~?", selector)) <= labels[name], expression
            named.add(name)
        grouped = re.findall(r"by \(([^)]*)\)", expression)
        metrics = re.findall(r"\b((?:acmems|process)_\w+)", expression)
        for label in ", ".join(grouped).split(", "):
            assert not label or any(label in labels[name] for name in metrics), expression
    # And nothing that is exported is forgotten there.
    assert {re.sub("_(bucket|sum|count)$", "", n) for n in labels if n.startswith("acmems_")} == \
        {re.sub("_(bucket|sum|count)$", "", n) for n in named if n.startswith("acmems_")}
