# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk fails under the store: what the CA has issued is delivered all the same, an error is in the
log, no second order is made, and when it is mended the certificate is stored again."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from lab import daemon as daemon_module
from lab.fastcsr import FastCsrs
from lab.util import wait_until

NOBODY = 65534
FILES = ("csr.pem", "cert.pem", "meta.json")


@pytest.fixture(scope="module")
def fast():
    return FastCsrs()


@pytest.fixture
def ca(make_testca):
    return make_testca("--validate")


def mount(*args):
    p = subprocess.run(["mount", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return p.stdout.strip() if p.returncode else None


@pytest.fixture
def small(tmp_path):
    """small(name): a file system of 64 KiB."""
    made = []

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        why = mount("-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", folder) if os.geteuid() == 0 else "not root"
        if why:
            pytest.skip(f"no tmpfs can be mounted: {why}")
        made.append(folder)
        return folder
    yield make
    for folder in made:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder):
    with open(folder / "ballast", "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass


def delivered(d, ca, csr, log):
    """200 though it cannot be stored; an error is logged; and 200 again without a second order."""
    before = ca.count("new-order")
    first = d.sign(csr)
    assert first.status == 200, repr(first)
    d.wait_log(f"(?i)error .*{log}")
    assert not (d.entry(csr) / "cert.pem").exists()
    again = d.sign(csr)
    assert again.status == 200 and again.body == first.body
    assert ca.count("new-order") == before + 1
    return first


def stored_again(d, csr, answer):
    """By itself: what is in memory is tried again, once a minute."""
    wait_until(lambda: (d.entry(csr) / "cert.pem").exists(), 100, "it is stored after all")
    assert (d.entry(csr) / "cert.pem").read_bytes() == answer.body
    assert d.sign(csr).body == answer.body
    assert not [f for f in d.storage.rglob("*") if f.is_file() and f.name not in FILES], "half written files"


def others_are_stored(d, csr):
    assert d.sign(csr).status == 200
    assert (d.entry(csr) / "cert.pem").exists()


def daemon_at(make_daemon, ca, folder):
    d = make_daemon(ca, {'storage "file"': {"directory": folder}}, ca_file=ca.trust, start=False)
    d.storage = folder
    return d.start()


# Each breaks the store of a daemon, has a certificate issued, and mends it: (daemon, CSR, answer).

def full(make_daemon, ca, fast, small):
    d = daemon_at(make_daemon, ca, small("full"))
    csr = fast.make("full.example.org")
    fill(d.storage)
    answer = delivered(d, ca, csr, "No space left")
    (d.storage / "ballast").unlink()
    others_are_stored(d, fast.make("others.example.org"))
    return d, csr, answer


def full_amid_an_entry(make_daemon, ca, fast, small):
    """Room for a folder only."""
    d = daemon_at(make_daemon, ca, small("amid"))
    csr = fast.make("amid.example.org")
    fill(d.storage)
    os.truncate(d.storage / "ballast", (d.storage / "ballast").stat().st_size - 4096)
    answer = delivered(d, ca, csr, "No space left")
    (d.storage / "ballast").unlink()
    return d, csr, answer


def read_only(make_daemon, ca, fast, small):
    folder = small("read-only")
    d = daemon_at(make_daemon, ca, folder)
    csr = fast.make("ro.example.org")
    assert mount("-o", "remount,ro", folder) is None
    try:
        answer = delivered(d, ca, csr, "Read-only")
    finally:
        assert mount("-o", "remount,rw", folder) is None
    return d, csr, answer


def replaced_by_a_file(make_daemon, ca, fast, small):
    d = make_daemon(ca, ca_file=ca.trust, challenge_port=ca.challenge_port)
    csr = fast.make("file.example.org")
    shutil.rmtree(d.storage)
    d.storage.write_text("a file")
    answer = delivered(d, ca, csr, "Not a directory")
    d.storage.unlink()
    d.storage.mkdir(mode=0o700)
    return d, csr, answer


BROKEN = [full, full_amid_an_entry, read_only, replaced_by_a_file]


def test_delivered_and_stored_again(make_daemon, make_testca, fast, small):
    """All at once, for the minute that it takes."""
    cases = []
    for i, broken in enumerate(BROKEN):
        ca = make_testca("--validate", name=f"testca-{i}")
        cases.append((broken.__name__, broken(make_daemon, ca, fast, small)))
    for name, case in cases:
        print(name)
        stored_again(*case)


def test_full_and_what_is_stored_already(make_daemon, ca, fast, small):
    d = daemon_at(make_daemon, ca, small("small"))
    csr = fast.make("a.example.org")
    answer = d.sign(csr)
    assert answer.status == 200
    fill(d.storage)
    d.restart()
    assert d.sign(csr).body == answer.body


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to run as somebody else")
def test_permission_lost(ca, fast, monkeypatch):
    """Run as another user, whose folder is taken away and given back."""
    with tempfile.TemporaryDirectory(prefix="acmems-nobody-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        shutil.copy(daemon_module.BINARY, folder / "program")
        shutil.copy(ca.trust, folder / "trust.pem")
        start = folder / "start"
        start.write_text(f'#!/bin/sh\nexec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups'
                         f' {folder}/program "$@"\n')
        start.chmod(0o755)
        monkeypatch.setattr(daemon_module, "BINARY", str(start))
        d = daemon_module.Daemon(folder / "acmems", directory=ca.directory, ca_file=folder / "trust.pem",
                                 challenge_port=ca.challenge_port)
        for path in (d.account, d.storage):
            path.mkdir(mode=0o700)
            os.chown(path, NOBODY, NOBODY)
        d.write_conf = lambda write=d.write_conf: os.chown(write(), NOBODY, NOBODY)
        d.start()
        try:
            os.chown(d.storage, 0, 0)
            delivered(d, ca, fast.make("a.example.org"), "Permission denied")
            os.chown(d.storage, NOBODY, NOBODY)
            others_are_stored(d, fast.make("b.example.org"))
        finally:
            d.close()


def test_folder_removed(make_daemon, ca, fast):
    """While it runs: the next certificate is delivered, and what was stored is gone: ordered again."""
    d = make_daemon(ca, ca_file=ca.trust)
    first, second = fast.make("a.example.org"), fast.make("b.example.org")
    assert d.sign(first).status == 200
    shutil.rmtree(d.storage)
    one = d.sign(second)
    assert one.status == 200
    assert (d.entry(second) / "cert.pem").exists() or "error " in d.log()
    assert d.sign(second).body == one.body
    assert d.sign(first).status == 200
    assert ca.count("new-order") == 3


@pytest.mark.parametrize("what", ["garbage", "folder", "endless", "pipe"])
def test_entry_replaced(make_daemon, ca, fast, what):
    """Counts as absent; the next certificate takes its place, or is delivered at least."""
    d = make_daemon(ca, ca_file=ca.trust)
    csr = fast.make("a.example.org")
    first = d.sign(csr)
    assert first.status == 200
    path = d.entry(csr) / "cert.pem"
    path.unlink()
    if what == "garbage":
        path.write_bytes(os.urandom(3000))
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    second = d.sign(csr, timeout=10)
    assert second.status == 200 and second.body != first.body
    assert d.sign(csr, timeout=10).body == second.body
    if what != "folder":
        assert path.read_bytes() == second.body and not path.is_symlink()
