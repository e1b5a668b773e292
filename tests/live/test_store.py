# SPDX-License-Identifier: GPL-3.0-or-later
"""The file store: the original's layout, meta.json, what is due, and what a kill leaves."""
import datetime
import hashlib
import json
import os
import random
import shutil
import stat
import threading
import time

import pytest

from lab.csr import Cert
from lab.fakeca import HANGUP, FakeCa, problem
from lab.util import free_port, wait_until


@pytest.fixture
def csr(csrs):
    return csrs.make("www.example.org")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_layout(fake_daemon, csr, cert):
    body = fake_daemon.sign(csr)
    digest = hashlib.sha384(csr).hexdigest()
    entry = fake_daemon.storage / digest[:2] / digest[2:]
    assert (entry / "csr.pem").read_bytes() == csr
    c = Cert((entry / "cert.pem").read_bytes(), fake_daemon.folder)
    assert c.serial == cert(body).serial
    assert {p.name for p in entry.iterdir()} == {"csr.pem", "cert.pem", "meta.json"}


def test_modes(fake_daemon, csr):
    old = os.umask(0)
    try:
        fake_daemon.restart()
    finally:
        os.umask(old)
    assert fake_daemon.sign(csr).status == 200
    entry = fake_daemon.entry(csr)
    for folder in (fake_daemon.storage, entry.parent, entry, fake_daemon.account):
        assert mode(folder) == 0o700, folder
    for file in [*entry.iterdir(), *fake_daemon.account.iterdir()]:
        assert mode(file) == 0o600, file


def test_meta(fakeca, fake_daemon, csr, cert):
    c = cert(fake_daemon.sign(csr))
    text = json.dumps(fake_daemon.meta(csr))
    account = next(iter(fakeca.accounts.values()))
    for what in (fakeca.directory, account["url"], "www.example.org", f"{fakeca.base}/cert/"):
        assert what in text, what
    assert c.serial.lower().lstrip("0") in text.lower()


def test_entry_of_the_original(fakeca, make_daemon, csr, cert):
    """No meta.json, and files others can read, as Python left them: served unchanged."""
    d = make_daemon(fakeca)
    first = cert(d.sign(csr))
    d.stop()
    entry = d.entry(csr)
    (entry / "meta.json").unlink()
    text = "".join(first.pems)  # the original put no blank line between
    (entry / "cert.pem").write_text(text)
    for p in entry.iterdir():
        p.chmod(0o644)
    fakeca.stop()
    d.start()
    r = d.sign(csr)
    assert r.status == 200 and r.text == text
    assert (entry / "cert.pem").read_text() == text


def test_removed_entry(fakeca, fake_daemon, csr, cert):
    """Removing an entry's directory takes effect at the next request."""
    first = cert(fake_daemon.sign(csr))
    shutil.rmtree(fake_daemon.entry(csr))
    second = cert(fake_daemon.sign(csr))
    assert first.serial != second.serial and fakeca.count("new-order") == 2


DAMAGE = {
    "empty cert.pem": lambda e: (e / "cert.pem").write_bytes(b""),
    "half a cert.pem": lambda e: (e / "cert.pem").write_bytes((e / "cert.pem").read_bytes()[:300]),
    "no cert.pem": lambda e: (e / "cert.pem").unlink(),
    "garbage": lambda e: (e / "cert.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n"
                                                      b"-----END CERTIFICATE-----\n"),
    "directory for cert.pem": lambda e: ((e / "cert.pem").unlink(), (e / "cert.pem").mkdir()),
}


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_entry_counts_as_absent(fakeca, fake_daemon, csr, cert, damage, restart):
    first = cert(fake_daemon.sign(csr))
    if restart:
        fake_daemon.stop()
    DAMAGE[damage](fake_daemon.entry(csr))
    if restart:
        fake_daemon.start()
    second = cert(fake_daemon.sign(csr))
    assert first.serial != second.serial


@pytest.mark.parametrize("meta", [b"", b"{", b"[]", b'{"names": 3}', b"[" * 100000])
def test_damaged_meta(fakeca, fake_daemon, csr, meta):
    """No answer but a certificate, old or new."""
    assert fake_daemon.sign(csr).status == 200
    fake_daemon.stop()
    (fake_daemon.entry(csr) / "meta.json").write_bytes(meta)
    fake_daemon.start()
    assert fake_daemon.sign(csr).status == 200


def test_cert_of_another_key_is_not_served(fakeca, fake_daemon, csr, csrs, cert):
    """A cert.pem that was copied from elsewhere."""
    other = csrs.make("www.example.org", label="other")
    fake_daemon.sign(csr), fake_daemon.sign(other)
    fake_daemon.stop()
    wrong = (fake_daemon.entry(other) / "cert.pem").read_bytes()
    (fake_daemon.entry(csr) / "cert.pem").write_bytes(wrong)
    fake_daemon.start()
    c = cert(fake_daemon.sign(csr))
    from lab.csr import pubkey_of
    assert c.pubkey() == pubkey_of(csrs.key())


# Staging

def test_other_directory_counts_as_absent(fakeca, make_daemon, csr, cert, tls, tmp_path):
    d = make_daemon(fakeca)
    first = cert(d.sign(csr))
    other = FakeCa(tmp_path / "other", tls, free_port(), fakeca.challenge_port, "Another intermediate")
    try:
        d.restart({"account": {"acme-server": other.directory}})
        second = cert(d.sign(csr))
        assert first.serial != second.serial and "Another" in second.issuer
    finally:
        d.stop()
        other.close()


def test_staging_issuer_without_meta_is_not_served(make_daemon, tls, tmp_path, csr, cert):
    staging = FakeCa(tmp_path / "staging", tls, free_port(), free_port(), "(STAGING) Pretend Pear X1")
    try:
        d = make_daemon(staging)
        first = cert(d.sign(csr))
        assert "(STAGING)" in first.issuer
        d.stop()
        (d.entry(csr) / "meta.json").unlink()
        d.start()
        second = cert(d.sign(csr))
        assert second.serial != first.serial and staging.count("new-order") == 2
        d.stop()
    finally:
        staging.close()


# What is due

def test_due_is_ordered_again(fakeca, fake_daemon, csr, cert):
    fakeca.lifetime = datetime.timedelta(days=10)
    fakeca.start_offset = datetime.timedelta(days=-80)
    first = cert(fake_daemon.sign(csr))
    second = cert(fake_daemon.sign(csr))
    assert first.serial != second.serial


def test_not_due(fakeca, fake_daemon, csr, cert):
    fakeca.lifetime = datetime.timedelta(days=15)
    fakeca.start_offset = datetime.timedelta(days=-75)
    assert cert(fake_daemon.sign(csr)).serial == cert(fake_daemon.sign(csr)).serial


def test_renew_within(fakeca, make_daemon, csr, cert):
    fakeca.lifetime = datetime.timedelta(days=15)
    fakeca.start_offset = datetime.timedelta(days=-75)
    d = make_daemon(fakeca, {'storage "file"': {"renew-within": "20"}})
    assert cert(d.sign(csr)).serial != cert(d.sign(csr)).serial


def test_short_lived_is_not_always_due(fakeca, fake_daemon, csr, cert):
    """A 6-day certificate and the default of 14 days: half of its life counts, with one warning."""
    fakeca.lifetime = datetime.timedelta(days=6)
    first = cert(fake_daemon.sign(csr))
    for _ in range(3):
        assert cert(fake_daemon.sign(csr)).serial == first.serial
    assert fakeca.count("new-order") == 1
    fake_daemon.wait_log("renew-within")


def due(fakeca):
    fakeca.lifetime = datetime.timedelta(days=5)
    fakeca.start_offset = datetime.timedelta(days=-85)


@pytest.mark.parametrize("fault", ["down", "500", "429", "hangup", "storage"])
def test_due_is_served_when_the_ca_is_the_reason(fakeca, make_daemon, csr, cert, fault):
    due(fakeca)
    d = make_daemon(fakeca, {"mgmt": {"timeout": "6"}})
    first = cert(d.sign(csr))
    if fault == "down":
        fakeca.stop()
    elif fault == "storage":
        fakeca.swap_key = True
    else:
        fakeca.when("new-order", {"500": problem(500, "serverInternal", "on fire"), "hangup": HANGUP,
                                  "429": problem(429, "rateLimited", "slowly", retry_after=60)}[fault])
    r = d.sign(csr)
    assert cert(r).serial == first.serial
    assert r.header("X-Acmems-Renewal", "").startswith("failed; ")
    d.wait_log(r"(?i)error")


def test_due_is_served_at_the_timeout(fakeca, make_daemon, csr, cert):
    due(fakeca)
    d = make_daemon(fakeca, {"mgmt": {"timeout": "2"}})
    first = cert(d.sign(csr))
    fakeca.validation = "never"
    started = time.monotonic()
    r = d.sign(csr)
    assert cert(r).serial == first.serial and r.header("X-Acmems-Renewal")
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("fault", ["validation", "refusal"])
def test_due_does_not_cover_up_a_refusal(fakeca, fake_daemon, csr, fault):
    due(fakeca)
    assert fake_daemon.sign(csr).status == 200
    if fault == "validation":
        fakeca.validation = "invalid"
        fake_daemon.sign(csr).expect(421)
    else:
        fakeca.when("new-order", problem(400, "rejectedIdentifier", "not any more"))
        fake_daemon.sign(csr).expect(403)


# Storing fails

def test_storage_that_fails(fakeca, make_daemon, csr, cert):
    """The waiters get it all the same, and no second order is made for it."""
    d = make_daemon(fakeca)
    digest = hashlib.sha384(csr).hexdigest()
    blocker = d.storage / digest[:2]
    d.storage.mkdir(exist_ok=True)
    blocker.write_text("a file where a folder should be")
    first = cert(d.sign(csr))
    d.wait_log("(?i)error.*|cannot")
    assert cert(d.sign(csr)).serial == first.serial
    assert fakeca.count("new-order") == 1


def test_storage_none(fakeca, make_daemon, csr, cert):
    d = make_daemon(fakeca, {'storage "file"': None})
    a, b = cert(d.sign(csr)), cert(d.sign(csr))
    assert a.serial != b.serial
    assert not d.storage.exists()


# keep

def test_keep(fakeca, make_daemon, csr, csrs, cert):
    """Entries expired for that many days go; others stay."""
    d = make_daemon(fakeca, {'storage "file"': {"keep": "10"}})
    good = csrs.make("good.example.org")
    for body in (csr, good):
        assert d.sign(body).status == 200
    d.stop()
    start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=60)
    import subprocess
    der = subprocess.run(["openssl", "req", "-outform", "DER"], input=csr, stdout=subprocess.PIPE,
                         check=True).stdout
    leaf = fakeca.issuer.leaf(der, "DNS:www.example.org", start, start + datetime.timedelta(days=40))
    (d.entry(csr) / "cert.pem").write_text(leaf + "\n" + fakeca.issuer.intermediate)
    (d.entry(csr) / "meta.json").unlink()
    d.start()
    wait_until(lambda: not d.entry(csr).exists(), 100, "the expired entry is removed")
    assert (d.entry(good) / "cert.pem").exists()


# kill -9

def check_cache(d):
    """Every cert.pem there is whole and belongs to its csr.pem."""
    seen = 0
    for p in d.storage.glob("??/*"):
        if (p / "cert.pem").exists():
            body = (p / "csr.pem").read_bytes()
            digest = hashlib.sha384(body).hexdigest()
            assert digest == p.parent.name + p.name
            c = Cert((p / "cert.pem").read_bytes(), d.folder)
            assert len(c.pems) == 2 and c.text.endswith("-----END CERTIFICATE-----\n")
            seen += 1
    return seen


@pytest.mark.parametrize("seed", range(4))
def test_kill_at_any_moment(fakeca, make_daemon, csrs, cert, seed):
    rng = random.Random(seed)
    bodies = [csrs.make(f"k{i}.example.org") for i in range(12)]
    d = make_daemon(fakeca)
    for round_ in range(4):
        def ask(body):
            try:
                d.sign(body, timeout=20)
            except OSError:
                pass
        threads = [threading.Thread(target=ask, args=(b,)) for b in bodies]
        for t in threads:
            t.start()
        time.sleep(rng.uniform(0.0, 0.6))  # a random moment is the point
        d.kill()
        for t in threads:
            t.join()
        check_cache(d)
        d.start()
    for i, body in enumerate(bodies):
        assert cert(d.sign(body)).names == [f"k{i}.example.org"]
    assert check_cache(d) == len(bodies)
    # What was half-written is not left lying about.
    d.stop()
    strays = [p for p in d.storage.rglob("*") if p.is_file() and
              p.name not in ("cert.pem", "csr.pem", "meta.json")]
    assert len(strays) <= 8, strays


def test_kill_during_account_creation(fakeca, make_daemon, csr):
    for moment in (0.0, 0.02, 0.05, 0.1, 0.2):
        d = make_daemon(fakeca, name=f"at{int(moment * 1000)}")
        d.stop()
        shutil.rmtree(d.account)
        d.start(ready=False)
        time.sleep(moment)
        d.kill()
        d.start()
        assert d.sign(csr).status == 200
        d.stop()
