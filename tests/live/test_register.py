# SPDX-License-Identifier: GPL-3.0-or-later
"""acme-register, and the daemon beside it."""
import json
import os
import pathlib
import pty
import pwd
import shutil
import subprocess
import tempfile
import threading

import pytest

from lab.daemon import render
from lab.register import BINARY, acme_register, begin
from lab.testca import fault_examples
from lab.util import clean_env, free_port, run, wait_until

STEPS = ["Load private key ... done", "Initialize ACME client ... done"]


def thumbprint(pem):
    """The public key: which key it is."""
    return run("openssl", "pkey", "-in", pem, "-pubout").stdout


def conf_of(ca, tmp_path, ca_file, **account):
    """A configuration for acme-register alone."""
    path = tmp_path / "account.conf"
    path.write_text(render({
        "account": {"acme-server": ca.directory, "ca-file": ca_file, "dir": tmp_path / "account",
                    "accept-terms-of-service": "no", **account},
        "mgmt": {"listener": f"127.0.0.1:{free_port()}"},
        'verification "h"': {"type": "http01", "listener": f"127.0.0.1:{free_port()}"}}))
    path.chmod(0o600)
    return path


@pytest.fixture
def lab(make_testca, tmp_path):
    """(test CA, configuration) with a registered account."""
    ca = make_testca()
    conf = conf_of(ca, tmp_path, ca.trust)
    acme_register(conf, "--gen-key").expect(0)
    acme_register(conf, "--register", "--accept-terms-of-service").expect(0)
    return ca, conf


# The account from nothing, against both Pebbles

def test_from_nothing(make_pebble, tls, tmp_path, make_daemon, csrs, cert):
    pebble = make_pebble()
    conf = conf_of(pebble, tmp_path, tls.root)
    account = tmp_path / "account"
    acme_register(conf).expect(1, "Load private key ... failed", "--gen-key")
    made = acme_register(conf, "--gen-key").expect(0)
    assert made.lines == ["Generate private key ... done", "Load private key ... done"]
    assert (account / "account.pem").stat().st_mode & 0o777 == 0o600

    acme_register(conf).expect(1, "Refreshing current registration ... failed", "--register")
    assert pebble.accounts() == 0
    refused = acme_register(conf, "--register").expect(3)
    assert refused.lines[-1].startswith("You need to accept the terms of service at ")
    terms = refused.lines[-1].rsplit(" ", 1)[1]
    acme_register(conf, "--register", "--accept-terms-of-service=https://other.example/").expect(
        3, f"You need to accept the terms of service at {terms}")
    assert pebble.accounts() == 0

    # The URL as an argument of its own is not taken for a configuration file.
    done = acme_register(conf, "--register", "--accept-terms-of-service", terms,
                         "--email", "one@example.org").expect(0)
    assert done.lines == STEPS + ["Register ... done", "Refreshing current registration ... done",
                                  f"Accepting ToS at {terms} ... done", "Changing contacts ... done"]
    assert pebble.accounts() == 1
    shown = acme_register(conf).expect(0)
    assert shown.lines[:3] == STEPS + ["Refreshing current registration ... done"]
    registration = json.loads((account / "registration.json").read_text())
    assert shown.field("Account") == [registration["uri"]]
    assert shown.field("Status") == ["valid"]
    assert shown.field("Contacts") == ["mailto:one@example.org"]
    assert shown.field("Terms") == [terms]
    assert shown.field("Orders")[0].startswith("https://")

    # Once more is no error, and no second account.
    acme_register(conf, "--register", "--accept-terms-of-service").expect(0)
    assert pebble.accounts() == 1
    acme_register(conf, "--email", "two@example.org", "--email", "mailto:three@example.org").expect(
        0, "^Changing contacts ... done$")
    contacts = ["mailto:two@example.org", "mailto:three@example.org"]
    assert sorted(acme_register(conf, "--show").expect(0).field("Contacts")) == sorted(contacts)
    assert json.loads((account / "registration.json").read_text())["body"]["contact"] == contacts

    # And the daemon uses it: without an agreement of its own.
    d = make_daemon(pebble, {"account": {"dir": account, "accept-terms-of-service": "no"}})
    cert(d.sign(csrs.make("www.example.org")))
    assert pebble.accounts() == 1


def test_rollover_then_issuance(make_pebble, make_daemon, csrs, cert):
    pebble = make_pebble()
    d = make_daemon(pebble)
    cert(d.sign(csrs.make("a.example.org")))
    before = thumbprint(d.account / "account.pem")
    first = d.registration()
    done = acme_register(d.conf_path, "--rollover", "--show").expect(0)
    assert done.lines[2:5] == ["Refreshing current registration ... done",
                               "Generate private key ... done",
                               "Changing the key of the account ... done"]
    assert thumbprint(d.account / "account.pem.old") == before
    after = thumbprint(d.account / "account.pem")
    assert after != before
    assert not (d.account / "account.pem.new").exists()
    # The daemon that runs takes the new key before its next order, one that starts has it.
    cert(d.sign(csrs.make("b.example.org")))
    d.wait_log("the account's key is another now")
    d.restart()
    cert(d.sign(csrs.make("c.example.org")))
    assert pebble.accounts() == 1
    now = d.registration()
    assert now["uri"] == first["uri"] and now["body"]["key"] != first["body"]["key"]
    # To another kind, and back.
    for kind in ("rsa2048", "ec384"):
        acme_register(d.conf_path, "--rollover", "--key-type", kind).expect(0)
        cert(d.sign(csrs.make(f"{kind}.example.org")))
    assert "secp384r1" in run("openssl", "pkey", "-in", d.account / "account.pem", "-text",
                              "-noout").stdout


def test_deactivated(make_pebble, make_daemon, csrs, cert):
    pebble = make_pebble()
    d = make_daemon(pebble)
    held = csrs.make("held.example.org")
    serial = cert(d.sign(held)).serial
    acme_register(d.conf_path, "--deactivate", "--yes").expect(0, "^Deactivate account ... done$")
    assert d.registration()["body"]["status"] == "deactivated"
    r = d.sign(csrs.make("www.example.org")).expect(500, "deactivated", "acme-register")
    assert str(d.account) not in r.text
    d.wait_log("error .*deactivated account is gone for good: acme-register --gen-key")
    assert cert(d.sign(held)).serial == serial
    acme_register(d.conf_path).expect(1, "failed", "gone for good")
    # What the message says to do helps, without waiting and without a restart.
    acme_register(d.conf_path, "--gen-key", "--force", "--register").expect(0)
    cert(d.sign(csrs.make("www.example.org")))


# Killed between the steps of a rollover

HANGS = {
    # The CA has the new key, and its answer never comes.
    "acted": {"name": "delay", "ms": 600000},
    # It has not, and wants a pause.
    "not-acted": {"name": "busy", "status": 503, "retry-after": "25"},
}


def kill_within_key_change(ca, conf, tmp_path, hang):
    before = ca.count("key-change")
    ca.rules({"endpoint": "key-change", "count": 1, "fault": HANGS[hang]})
    p = begin(conf, tmp_path, "--rollover")
    wait_until(lambda: ca.count("key-change") > before or not p.alive(), what="key-change\n" + p.err())
    new = tmp_path / "account" / "account.pem.new"
    assert new.exists() and p.alive(), p.out() + p.err()
    return p, thumbprint(new)


@pytest.mark.parametrize("hang", HANGS)
def test_killed_then_the_tool(lab, tmp_path, hang):
    ca, conf = lab
    account = tmp_path / "account"
    old = thumbprint(account / "account.pem")
    p, new = kill_within_key_change(ca, conf, tmp_path, hang)
    if hang == "acted":
        # Nothing else happens while it lives.
        acme_register(conf, "--gen-key", "--force").expect(
            1, "another program is changing the account")
    p.popen.kill()
    p.wait()
    ca.honest()
    acme_register(conf, "--gen-key", "--force").expect(1, "broken off")
    shown = acme_register(conf).expect(0, "broken off", "^Status: +valid$")
    assert thumbprint(account / "account.pem") == (new if hang == "acted" else old)
    assert not (account / "account.pem.new").exists()
    assert "broken off" not in acme_register(conf, "--rollover").expect(0).err
    assert acme_register(conf).expect(0).field("Account") == shown.field("Account")
    assert ca.stats()["objects"]["accounts"] == 1


@pytest.mark.parametrize("running", [False, True], ids=["started", "running"])
@pytest.mark.parametrize("hang", HANGS)
def test_killed_then_the_daemon(lab, tmp_path, make_daemon, csrs, cert, hang, running):
    ca, conf = lab
    account = tmp_path / "account"
    old = thumbprint(account / "account.pem")
    d = make_daemon(ca, {"account": {"dir": account}}, ca_file=ca.trust, start=running)
    if running:
        cert(d.sign(csrs.make("a.example.org")))
    p, new = kill_within_key_change(ca, conf, tmp_path, hang)
    if running:
        # An order that comes just now waits for the other program instead of failing.
        answer = []
        t = threading.Thread(target=lambda: answer.append(d.sign(csrs.make("b.example.org"))))
        t.start()
        d.wait_log("warning account: another program is changing its key")
    p.popen.kill()
    p.wait()
    ca.honest()
    if running:
        t.join()
        cert(answer[0])
    else:
        d.start()
        cert(d.sign(csrs.make("b.example.org")))
    d.wait_log("a key change had been broken off")
    assert thumbprint(account / "account.pem") == (new if hang == "acted" else old)
    assert not (account / "account.pem.new").exists()
    assert ca.stats()["objects"]["accounts"] == 1


def test_answer_lost(lab, tmp_path):
    """Nobody is killed: the tool itself asks which key it is."""
    ca, conf = lab
    ca.fault("key-change", "reset", at="request", count=1)
    new = acme_register(conf, "--rollover").expect(0, "^Changing the key of the account ... done$")
    assert "broken off" in new.err
    assert thumbprint(tmp_path / "account/account.pem") != thumbprint(tmp_path / "account/account.pem.old")
    acme_register(conf).expect(0)
    ca.honest()
    ca.fault("key-change", "problem", type="malformed", status=400, count=1)
    now = thumbprint(tmp_path / "account/account.pem")
    acme_register(conf, "--rollover").expect(1, "failed", "malformed")
    assert thumbprint(tmp_path / "account/account.pem") == now
    assert not (tmp_path / "account/account.pem.new").exists()


PROBLEMS = ("accountDoesNotExist", "badNonce", "invalidProfile", "malformed", "rateLimited", "unauthorized",
            "userActionRequired")
# What takes its time: in tests/flow it passes quickly.
SLOW = ("silence", "unframed", "slow-head", "slow-body", "huge", "delay", "busy", "length", "bad-chunk",
        "interim")


def test_faults_at_key_change(lab, tmp_path):
    """Whatever the CA's answer looks like, the key on disk is the one it knows."""
    ca, conf = lab
    account = tmp_path / "account"
    codes = set()
    for name, fault, endpoints in fault_examples():
        if fault["name"] in SLOW or "retry-after" in fault or "key-change" not in endpoints or \
                fault.get("type", "malformed") not in PROBLEMS:
            continue
        ca.rules({"endpoint": "key-change", "count": 1, "fault": fault})
        before = thumbprint(account / "account.pem")
        r = acme_register(conf, "--rollover", "--key-type", "ec256")
        ca.honest()
        codes.add(r.code)
        assert (r.code == 0) == (thumbprint(account / "account.pem") != before), f"{name}: {r!r}"
        assert r.code in (0, 1, 3) and not (account / "account.pem.new").exists(), f"{name}: {r!r}"
        # It is: the next one begins with asking the CA for it.
        assert "Refreshing current registration ... done" in r.lines, f"{name}: {r!r}"
    acme_register(conf).expect(0, "^Status: +valid$")
    assert codes == {0, 1, 3}
    assert ca.stats()["objects"]["accounts"] == 1


# Two programs, one directory

@pytest.mark.parametrize("endpoint", ["new-order", "challenge", "finalize", "cert"])
def test_rollover_amid_an_order(make_testca, make_daemon, csrs, cert, endpoint):
    """It is placed again, or, once its names are proved, goes on with the new key."""
    ca = make_testca("--validate")
    d = make_daemon(ca, ca_file=ca.trust)
    cert(d.sign(csrs.make("a.example.org")))
    certificates = ca.stats()["objects"]["certificates"]
    ca.fault(endpoint, "busy", count=1, retry_after="2")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(d.sign(csrs.make("b.example.org"))))
    thread.start()
    wait_until(lambda: ca.rule_counts()[0]["fired"], what="the order has got there")
    acme_register(d.conf_path, "--rollover").expect(0)
    thread.join()
    cert(answers[0])
    assert ca.stats()["objects"]["certificates"] == certificates + 1


def test_rollover_amid_the_challenges(make_testca, make_daemon, csrs, cert):
    """What was presented for the old key is presented again for the new one, not told to the CA."""
    ca = make_testca("--validate")
    d = make_daemon(ca, ca_file=ca.trust)
    cert(d.sign(csrs.make("a.example.org")))
    ca.fault("authz", "delay", nth=2, count=1, ms=3000)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(d.sign(csrs.make("b.example.org", "c.example.org"))))
    thread.start()
    wait_until(lambda: ca.rule_counts()[0]["fired"], what="one of two names waits for the other")
    acme_register(d.conf_path, "--rollover").expect(0)
    # The next order reads the account again.
    cert(d.sign(csrs.make("d.example.org")))
    thread.join()
    cert(answers[0])


def test_daemon_takes_up_a_registration(make_testca, make_daemon, csrs, cert):
    """It waits for nothing: neither a restart nor its own next look."""
    ca = make_testca()
    d = make_daemon(ca, {"account": {"accept-terms-of-service": "no"}}, ca_file=ca.trust)
    body = csrs.make("www.example.org")
    d.sign(body).expect(500, "terms")
    acme_register(d.conf_path, "--register", "--accept-terms-of-service").expect(0)
    cert(d.sign(body))


@pytest.mark.skipif(os.getuid() != 0, reason="wants to be root")
@pytest.mark.parametrize("who", ["owner", "number", "configured"])
def test_files_belong_to_the_daemon(make_testca, tmp_path, who):
    """Root makes the account for a daemon that runs as somebody else."""
    nobody = pwd.getpwnam("nobody")
    uid = 54321 if who == "number" else nobody.pw_uid
    ca = make_testca()
    base = pathlib.Path(tempfile.mkdtemp(prefix="acmems-owner-", dir="/tmp"))
    try:
        base.chmod(0o755)
        account = base / "account"
        if who == "configured":
            os.chown(base, uid, nobody.pw_gid)
        else:
            account.mkdir(0o700)
            os.chown(account, uid, nobody.pw_gid)
        conf = conf_of(ca, tmp_path, ca.trust, dir=account)
        if who == "configured":
            conf.write_text(conf.read_text() + "[process]\nuser = nobody\n")
        acme_register(conf, "--gen-key", "--register", "--accept-terms-of-service").expect(0)
        acme_register(conf, "--rollover").expect(0)
        for path in [account, *account.iterdir()]:
            assert path.stat().st_uid == uid, path
    finally:
        shutil.rmtree(base)


# Keys

def test_gen_key(make_testca, tmp_path):
    ca = make_testca()
    conf = conf_of(ca, tmp_path, ca.trust, **{"key-type": "ec384"})
    account = tmp_path / "account"

    def kind():
        return run("openssl", "pkey", "-in", account / "account.pem", "-text", "-noout").stdout
    acme_register(conf, "--gen-key").expect(0)
    assert "secp384r1" in kind()
    first = (account / "account.pem").read_text()
    acme_register(conf, "--gen-key").expect(1, "Generate private key ... failed", "--force")
    assert (account / "account.pem").read_text() == first
    acme_register(conf, "--gen-key", "--override-existing-key", "--private-key-size", "3072").expect(0)
    assert "3072 bit" in kind()
    assert (account / "account.pem.old").read_text() == first
    acme_register(conf, "--gen-key", "--force", "--key-type", "ec256").expect(0)
    assert "prime256v1" in kind()


# What the operator may get wrong

@pytest.mark.parametrize("args", [
    [], ["--nosuch", "x.conf"], ["--email", "nobody", "x.conf"], ["--key-type", "dsa", "--gen-key", "x"],
    ["--private-key-size", "1024", "--gen-key", "x"], ["--deactivate", "--rollover", "x"],
    ["--yes", "x"], ["--force", "x"], ["--gen-key", "--rollover", "x"], ["/nonexistent/x.conf"],
    ["--accept-terms-of-service=nothing", "x"]])
def test_wrong_command_line(args):
    p = subprocess.run([BINARY, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=30, env=clean_env())
    assert p.returncode == 2 and p.stderr.strip() and not p.stdout


def test_help_and_version():
    for option, what in (("--help", "--rollover"), ("--version", "acme-register ")):
        p = subprocess.run([BINARY, option], stdout=subprocess.PIPE, text=True, env=clean_env())
        assert p.returncode == 0 and what in p.stdout


def test_configuration_problem(tmp_path):
    (tmp_path / "a.conf").write_text("[account]\nacme-server = ftp://x/\n")
    acme_register(tmp_path / "a.conf").expect(2, "a.conf:2: ", "dir is missing")


def test_ca_is_down(make_testca, tmp_path):
    ca = make_testca()
    conf = conf_of(ca, tmp_path, ca.trust)
    acme_register(conf, "--gen-key").expect(0)
    ca.stop()
    acme_register(conf, "--register").expect(1, "Initialize ACME client ... failed", "cannot|refused")


def test_contacts_refused(lab):
    ca, conf = lab
    ca.fault("account", "problem", type="invalidContact", status=400, detail="not\x1b[31m there", count=1,
             nth=2)
    r = acme_register(conf, "--email", "a@example.org").expect(1, "Changing contacts ... failed")
    # What a CA says cannot write on the terminal as it likes.
    assert "\x1b" not in r.out + r.err and "there" in r.err


def test_deactivation_asks(lab):
    ca, conf = lab
    acme_register(conf, "--deactivate").expect(2, "--yes")
    for answer, code in ((b"no\n", 2), (b"yes\n", 0)):
        master, slave = pty.openpty()
        os.write(master, answer)
        r = acme_register(conf, "--deactivate", stdin=slave)
        os.close(master)
        os.close(slave)
        r.expect(code, "ends for good")
        acme_register(conf).expect(1 if code == 0 else 0)
