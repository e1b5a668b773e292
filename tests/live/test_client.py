# SPDX-License-Identifier: GPL-3.0-or-later
"""contrib/client/acmems-sign: under dash and under busybox with nothing but busybox's own tools, with
curl and with wget, against the daemon and against servers that answer anything."""
import os
import random
import re
import shutil
import threading

import pytest

from lab.client import Machine, Server, Signer, chain_of, keyed_hash, matches, mode, serial, which
from lab.daemon import ROOT
from lab.util import free_port, run, wait_until

KEY = "a shared ' \"key\" \\ of 40 bytes, or so: \xe4"
WORLDS = [("dash", "curl"), ("dash", "wget"), ("busybox", "curl"), ("busybox", "wget")]


@pytest.fixture
def make_machine(tmp_path):
    def make(kind="dash", client="curl", **kw):
        return Machine(tmp_path / f"{kind}-{client}{len(list(tmp_path.iterdir()))}", kind, client, **kw)
    return make


@pytest.fixture
def machine(make_machine):
    return make_machine()


@pytest.fixture
def make_server():
    made = []

    def make(answer, **kw):
        made.append(Server(answer, **kw))
        return made[-1]
    yield make
    for s in made:
        s.close()


@pytest.fixture(scope="module")
def signer_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("signer")


@pytest.fixture
def signer(signer_folder):
    """An honest server's certificates; what was issued is forgotten by the next test."""
    return Signer(signer_folder / str(len(list(signer_folder.iterdir()))))


@pytest.fixture
def signing_daemon(make_daemon, testca, tmp_path):
    """A daemon that wants the shared key, and the arguments for it."""
    key = tmp_path / "shared.key"
    key.write_bytes(KEY.encode() + b"\n")
    key.chmod(0o600)
    d = make_daemon(testca, {"logging": {"level": "warning"}, 'auth "test"': {
        "ip": None, "hmac_type": "sha256", "hmac_key-file": key}}, ca_file=testca.trust)
    url = f"http://127.0.0.1:{d.port}/sign"
    return d, ["--url", url, "--hmac-type", "sha256", "--hmac-key-file", key]


WWW = ["--domain", "www.example.org"]


# With the daemon

@pytest.mark.parametrize("kind,client", WORLDS)
def test_life_of_a_certificate(make_machine, signing_daemon, testca, kind, client):
    m = make_machine(kind, client)
    daemon, args = signing_daemon
    reloads = m.folder / "reloads"
    args += [*WWW, "--domain", "Mail.Example.org", "--cert", m.path("cert.pem"), "--chain",
             m.path("chain.pem"), "--bundle", m.path("bundle.pem"), "--reload", f"echo >>{reloads}"]

    def reloaded():
        return reloads.read_text().count("\n")

    m.quiet(*args)
    first = m.files()
    assert sorted(first) == ["bundle.pem", "cert.pem", "chain.pem", "fullchain.pem", "key.pem", "req.csr"]
    assert first["fullchain.pem"] == first["cert.pem"] + first["chain.pem"]
    assert first["bundle.pem"] == first["key.pem"] + first["fullchain.pem"]
    assert {n: mode(m.path(n)) for n in first} == {n: "0o600" if n in ("key.pem", "bundle.pem") else "0o644"
                                                   for n in first}
    assert matches(m.path("cert.pem"), m.path("key.pem"))
    assert len(chain_of(m.path("fullchain.pem"))) == 2
    names = run("openssl", "x509", "-in", m.path("cert.pem"), "-noout", "-ext", "subjectAltName").stdout
    assert set(re.findall(r"DNS:(\S+?),?\s", names)) == {"www.example.org", "mail.example.org"}
    assert reloaded() == 1

    # The same again: nothing happens, and nothing is touched.
    before = {n: os.stat(m.path(n)).st_ino for n in first}
    m.quiet(*args)
    assert m.files() == first and reloaded() == 1
    assert {n: os.stat(m.path(n)).st_ino for n in first} == before
    assert testca.count("new-order") == 1

    # Renewed: the same key and request, another certificate.
    shutil.rmtree(daemon.entry(first["req.csr"]))
    m.quiet(*args)
    second = m.files()
    assert {n for n in first if first[n] == second[n]} == {"key.pem", "req.csr", "chain.pem"}
    assert reloaded() == 2

    # One more name: another request by the same key.
    m.quiet(*args, "--domain", "imap.example.org")
    third = m.files()
    assert third["key.pem"] == first["key.pem"] and third["req.csr"] != first["req.csr"]
    assert "imap.example.org" in run("openssl", "x509", "-in", m.path("cert.pem"), "-noout", "-text").stdout
    assert reloaded() == 3

    # What anybody on the machine could have read.
    shown = m.arguments()
    assert "Authentication: hmac name=sha256, hash=" in shown
    assert "shared '" not in shown and KEY.encode().hex() not in shown.lower()
    assert first["key.pem"].decode().splitlines()[1] not in shown


@pytest.mark.parametrize("kind,client", [("dash", "curl"), ("dash", "wget")])
def test_refused(make_machine, signing_daemon, testca, tmp_path, kind, client):
    """A wrong shared key: one line with the server's own words; nothing is replaced."""
    m = make_machine(kind, client)
    daemon, args = signing_daemon
    m.quiet(*args, *WWW)
    before = m.path("fullchain.pem").read_bytes()
    other = tmp_path / "other.key"
    other.write_text("another\n")
    assert "403 " in m.fails(4, *args, *WWW, "--hmac-key-file", other)
    assert "127.0.0.1" in m.fails(4, *args[:2], *WWW)  # no hash at all
    assert "415 " in m.fails(4, *args, "--domain", "www.example.org", "--domain", "*.example.org")
    assert m.path("fullchain.pem").read_bytes() == before


def test_key_types_and_addresses(machine, signing_daemon):
    daemon, args = signing_daemon
    daemon.restart({'auth "test"': {"domain": ["*.example.org", "127.0.0.0/8", "::1"]}})
    for kind, text in ("rsa2048", "2048 bit"), ("ec384", "secp384r1"):
        m_args = [*args, "--key-type", kind, "--domain", "127.0.0.1", "--domain", "::1", *WWW]
        for name in ("key", "csr", "fullchain"):
            m_args += [f"--{name}", machine.folder / f"{kind}.{name}"]
        machine.quiet(*m_args)
        assert text in run("openssl", "x509", "-in", machine.folder / f"{kind}.fullchain", "-noout",
                           "-text").stdout
        machine.quiet(*m_args)


def test_504_then_the_certificate(make_machine, make_daemon, make_testca):
    """The order outlives the request: asked again, the daemon has it."""
    m = make_machine()
    ca = make_testca("--finalize-delay", "1500")
    d = make_daemon(ca, {"mgmt": {"timeout": "1"}, "logging": {"level": "info"}}, ca_file=ca.trust)
    args = ["--url", f"http://127.0.0.1:{d.port}/sign", *WWW]
    assert "504 " in m.fails(3, *args, "--wait", "0")
    wait_until(lambda: (d.entry(m.files()["req.csr"]) / "cert.pem").exists(), what="the entry")
    code, out, err = m.run(*args, "--verbose")
    assert (code, err) == (0, "") and "fullchain.pem: new" in out
    assert ca.count("new-order") == 1


# The keyed hash, against Python's

TYPES = ["sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512", "blake2b",
         "blake2s", "md5", "sha1"]


@pytest.mark.parametrize("kind", ["dash", "busybox"])
def test_keyed_hashes(make_machine, make_server, kind):
    """Keys shorter and longer than a block, with every byte there is and any end of line."""
    rng = random.Random(7)
    m = make_machine(kind)
    server = make_server(lambda body, headers: (403, b"no\n", {}))
    path = m.folder / "shared"
    long = bytes(range(1, 256)).replace(b"\n", b"")
    for number, name in enumerate(TYPES):
        key = [b"k", long, rng.randbytes(64).replace(b"\n", b"x") + b"z", b"%d\\'0" * 16][number % 4]
        path.write_bytes(key + [b"", b"\n", b"\r\n"][number % 3])
        m.fails(4, "--url", server.url, *WWW, "--hmac-type", name.upper(), "--hmac-key-file", path)
        body, headers = server.asked[-1]
        assert headers["Authentication"] == f"hmac name={name}, hash={keyed_hash(key, body, name)}"
    path.write_bytes(b"\n")
    assert "is empty" in m.fails(2, "--url", server.url, *WWW, "--hmac-key-file", path)


# Servers that are not well

def answers(signer, csr):
    """(exit code, what the line says, the answer) of everything that must not be installed."""
    good, leaf, issuer = signer.chain(csr), signer.leaf(csr), signer.intermediate
    other_csr = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/", "-keyout", "/dev/null", "-addext",
                    "subjectAltName=DNS:www.example.org").stdout.encode()

    def ok(body):
        return 200, body, {}
    return [
        (5, "no certificate", ok(b"<html><body>Welcome</body></html>\n")),
        (5, "no certificate", ok(b"")),
        (5, "no certificate", ok(random.Random(1).randbytes(5000))),
        (5, "no certificate", ok(b"\x1b]0;evil\x07\x1b[2J" * 10)),
        (5, "certificate 2 of the answer cannot be read", ok(good[:-200])),
        (5, "certificate 1 of the answer cannot be read",
         ok(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        (5, "another key", ok(signer.chain(other_csr))),
        (5, "another key", ok(issuer + leaf)),
        (5, "is not for www.example.org", ok(signer.chain(csr, names=("mail.example.org",)))),
        (5, "is not for www.example.org",
         ok(signer.chain(csr, names=("x.example.org", "www.example.org.evil.example")))),
        (5, "has expired", ok(signer.chain(csr, days=-1))),
        (5, "not signed by the next", ok(leaf + leaf)),
        (5, "more than 10", ok(leaf + issuer * 10)),
        (5, "too large", ok(good + b"x" * 3_000_000)),
        (None, "http", b"HTTP/1.1 200 OK\r\n" + b"X-Y: zzzzzzzz\r\n" * 300_000),
        (3, "http", b"\x00\x01\x02 not HTTP at all\r\n\r\n"),
        (3, "http", b""),
        (None, "http", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + good[:-300]),
        (4, "302", (302, b"", {"Location": "/elsewhere"})),
        (4, "500 ", (500, b"a fault of ours\n", {"reason": "a fault"})),
        (4, "421 Validation failed", (421, b"<html>", {"reason": "Validation failed"})),
        (3, "503 ", (503, b"come later\n", {"Retry-After": "100000"})),
        (3, "429 ", (429, b"come later\n", {"Retry-After": "Sat, 21 Nov 2099 00:00:00 GMT"})),
        (3, "502 ", (502, b"<html>\n", {"Retry-After": "99999999999999999999"})),
    ]


@pytest.mark.parametrize("kind,client", [("dash", "curl"), ("dash", "wget"), ("busybox", "wget")])
def test_answers_that_must_not_be_installed(make_machine, make_server, signer, kind, client):
    m = make_machine(kind, client)
    honest = make_server(signer)
    m.quiet("--url", honest.url, *WWW)
    before = m.files()
    current = []
    server = make_server(lambda body, headers: current[0])
    for code, text, answer in answers(signer, before["req.csr"]):
        current[:] = [answer if isinstance(answer, bytes) else (answer[0], answer[1], dict(answer[2]))]
        # What does not fit busybox's wget into its buffer it does not call by name.
        line = m.fails(code, "--url", server.url, *WWW, "--wait", "30", "--timeout", "10",
                       "--reload", f"echo >{m.folder}/reloaded")
        assert text.lower() in line.lower(), (text, line)
        assert all(32 <= ord(c) < 127 for c in line[:-1]), line
        assert m.files() == before, text
    assert not (m.folder / "reloaded").exists()


def test_silence(make_machine, make_server):
    """A server that says nothing, or a byte now and then, does not hold a run for ever."""
    stop = threading.Event()

    def drip(body, headers):
        stop.wait(20)
        return b""
    server = make_server(drip)
    for world in ("dash", "curl"), ("dash", "wget"), ("busybox", "wget"):
        make_machine(*world).fails(3, "--url", server.url, *WWW, "--timeout", "1")
    stop.set()


def test_server_down(make_machine):
    for world in WORLDS:
        line = make_machine(*world).fails(3, "--url", f"http://127.0.0.1:{free_port()}/sign", *WWW)
        assert "refused" in line.lower() or "connect" in line.lower(), line


def test_told_to_come_later(machine, make_server, signer):
    """Within --wait it comes again; beyond, it leaves that to the next run."""
    replies = [(503, b"full\n", {"Retry-After": "1"}), (429, b"limit\n", {"Retry-After": "0"})]
    server = make_server(lambda *a: replies.pop() if replies else signer(*a))
    machine.quiet("--url", server.url, *WWW)
    assert len(server.asked) == 3
    replies[:] = [(503, b"full\n", {"Retry-After": "2"})]
    assert "503 full" in machine.fails(3, "--url", server.url, *WWW, "--wait", "1")


def test_what_comes_with_a_chain_is_left_out(machine, make_server, signer):
    def answer(csr, headers):
        status, chain, more = signer(csr, headers)
        return status, b"text\r\n" + chain.replace(b"\n", b"\r\n") + b"-----BEGIN PRIVATE KEY-----\nx\n", more
    machine.quiet("--url", make_server(answer).url, *WWW)
    assert len(chain_of(machine.path("fullchain.pem"))) == 2
    assert b"\r" not in machine.files()["fullchain.pem"]


def test_wildcard(machine, make_server, signer):
    signer.chain = lambda csr: Signer.chain(signer, csr, names=("*.example.org", "example.org"))
    machine.quiet("--url", make_server(signer).url, "--domain", "*.example.org", "--domain", "example.org")


def test_trust(machine, make_server, signer, signer_folder):
    url = ["--url", make_server(signer).url, *WWW]
    machine.quiet(*url, "--trust", signer.root)
    other = Signer(signer_folder / f"other-{os.getpid()}").root
    before = machine.files()
    assert "does not lead" in machine.fails(5, *url, "--trust", other)
    assert machine.files() == before


@pytest.mark.parametrize("client", ["curl", "wget"])
def test_https(make_machine, make_server, signer, tls, client):
    m = make_machine("dash", client)
    url = ["--url", make_server(signer, tls=tls).url, *WWW]
    m.fails(3, *url)
    assert "fullchain.pem" not in m.files()
    m.quiet(*url, "--ca-file", tls.root)


def test_https_with_a_wget_that_checks_nothing(make_machine):
    assert "checks no server's certificate" in make_machine("busybox", "wget").fails(
        2, "--url", "https://127.0.0.1:1/sign", *WWW)


# The old certificate's end

def test_warning_when_the_old_one_ends_soon(machine, make_server, signer):
    days = [3]
    signer.chain = lambda csr: Signer.chain(signer, csr, days=days[0])
    url = ["--url", make_server(signer).url, *WWW]
    machine.quiet(*url)
    down = ["--url", f"http://127.0.0.1:{free_port()}/sign", *WWW]
    assert "warning: the certificate in place" in machine.fails(3, *down)
    assert "warning" not in machine.fails(3, *down, "--warn-days", "2")


def test_renewal_that_failed_at_the_server(machine, make_server, signer):
    """acmems gives the old one: fine as long as it lasts, a failure near its end."""
    days = [30]
    signer.chain = lambda csr: Signer.chain(signer, csr, days=days[0])

    def answer(csr, headers):
        status, chain, more = signer(csr, headers)
        return status, chain, {**more, "X-Acmems-Renewal": "failed; the CA \x1bcannot be reached"}
    url = ["--url", make_server(answer).url, *WWW]
    machine.quiet(*url)
    days[0] = 3
    signer.kept.clear()
    line = machine.fails(3, *url)
    assert "failed; the CA cannot be reached" in line and "warning: the certificate" in line
    assert len(chain_of(machine.path("fullchain.pem"))) == 2


# Reload, two at once, interruptions

def test_reload_that_fails_is_tried_again(machine, make_server, signer):
    url = ["--url", make_server(signer).url, *WWW]
    done = machine.folder / "done"
    line = machine.fails(6, *url, "--reload", "echo one; echo it is broken >&2; exit 3")
    assert "code 3: it is broken" in line
    machine.quiet(*url, "--reload", f"echo noise; echo >>{done}")
    machine.quiet(*url, "--reload", f"echo noise; echo >>{done}")
    assert done.read_text() == "\n"


@pytest.mark.parametrize("without", [(), ("flock",)])
def test_two_at_once(make_machine, make_server, signer, without):
    m = make_machine(without=without)
    go = threading.Event()

    def slowly(csr, headers):
        go.wait(30)
        return signer(csr, headers)
    server = make_server(slowly)
    url = ["--url", server.url, *WWW]
    one = m.start("--dir", m.dir, *url, "--reload", f"echo >>{m.folder}/reloads")
    wait_until(lambda: server.asked, what="the first one's request")
    assert "another run is at work" in m.fails(7, *url)
    go.set()
    assert one.communicate(timeout=30) == ("", "") and one.returncode == 0
    assert len(server.asked) == 1 and (m.folder / "reloads").read_text() == "\n"
    # One that was killed leaves no lock behind that lasts.
    go.clear()
    one = m.start("--dir", m.dir, *url)
    wait_until(lambda: len(server.asked) == 2, what="the request of the one that is killed")
    os.killpg(one.pid, 9)
    one.communicate()
    go.set()
    m.quiet(*url)


def test_terminated_while_it_waits(machine, make_server, signer):
    server = make_server(lambda *_: (503, b"later\n", {"Retry-After": "30"}))
    p = machine.start("--dir", machine.dir, "--url", server.url, *WWW)
    wait_until(lambda: re.search(r"/sleep\n30\n", machine.arguments()), what="its sleep")
    p.terminate()
    assert p.communicate(timeout=10) == ("", "") and p.returncode == 143
    assert sorted(machine.files()) == ["key.pem", "req.csr"]
    assert not machine.path(".acmems-sign.work").exists()


def versions(chain, key):
    """What each file holds when this answer is in place."""
    cert, _, rest = chain.partition(b"\n\n")
    cert += b"\n"
    return {"fullchain.pem": cert + rest, "cert.pem": cert, "bundle.pem": key + cert + rest}


@pytest.mark.parametrize("kind,how", [("dash", "before"), ("busybox", "after")])
def test_killed_anywhere(make_machine, make_server, signer, kind, how):
    """A SIGKILL at the steps of a renewal (each tool is one): every file is the old one or the new one,
    whole, and the next run makes up for it, reload included."""
    m = make_machine(kind)
    reloads = m.folder / "reloads"
    args = ["--url", make_server(signer).url, *WWW, "--cert", m.path("cert.pem"), "--bundle",
            m.path("bundle.pem"), "--reload", f"echo >>{reloads}"]
    m.quiet(*args)
    key, csr = m.files()["key.pem"], m.files()["req.csr"]
    chains = [signer.kept[csr], signer.chain(csr)]
    known = [versions(c, key) for c in chains]

    def renew():
        """The server has the other one now; known[0] and chains[0] are to come."""
        if m.path("bundle.pem").read_bytes() == known[0]["bundle.pem"]:
            chains.reverse()
            known.reverse()
        signer.kept[csr] = chains[0]
        reloads.write_text("")

    renew()
    m.die_at(10_000)
    m.quiet(*args)
    steps = m.started()
    # Up to the answer nothing is written: a few of those will do. Later every fourth: dash and busybox
    # do not begin with the same.
    asked = 1 + [i for i, line in enumerate(re.findall(rf"^{m.bin}/(\w+)$", m.arguments(), re.M))
                 if line == "curl"][0]
    assert steps > asked + 30
    for step in [*range(1, asked, 10), *range(asked + 2 * (how == "after"), steps + 1, 4)]:
        renew()
        m.die_at(step, how)
        code, out, err = m.run(*args)
        m.die_at(0)
        now = m.files()
        assert (now["key.pem"], now["req.csr"]) == (key, csr)
        for name in known[0]:
            assert now[name] in (known[0][name], known[1][name]), (step, name)
        installed = any(now[name] == known[0][name] for name in known[0])
        if step % 4 == 0 or installed:
            m.quiet(*args)
            assert m.files() == {**known[0], "key.pem": key, "req.csr": csr}, step
            assert reloads.read_text(), step


def test_killed_in_the_first_run(make_machine, make_server, signer):
    """Key and request appear whole or not at all."""
    server = make_server(signer)
    m = make_machine()
    step = 0
    while True:
        step += 1
        shutil.rmtree(m.dir, ignore_errors=True)
        m.die_at(step)
        code, _, _ = m.run("--url", server.url, *WWW)
        m.die_at(0)
        files = m.files() if m.dir.exists() else {}
        if "key.pem" in files:
            run("openssl", "pkey", "-in", m.path("key.pem"), "-noout")
            assert mode(m.path("key.pem")) == "0o600"
        if "req.csr" in files:
            run("openssl", "req", "-in", m.path("req.csr"), "-noout", "-verify")
            break
    m.quiet("--url", server.url, *WWW)
    assert m.files()["key.pem"] == files["key.pem"]
    assert step > 10


# Options

def test_own_request(machine, make_server, signer, csrs):
    machine.dir.mkdir()
    url = ["--url", make_server(signer).url]
    assert "no --domain" in machine.fails(2, *url)
    machine.path("req.csr").write_bytes(csrs.make("www.example.org", cn="www.example.org"))
    # The key made beside it is not its key.
    assert "for another key" in machine.fails(2, *url)
    machine.path("key.pem").write_bytes(csrs.key().read_bytes().rstrip())
    before = machine.files()
    machine.quiet(*url, "--bundle", machine.folder / "bundle")
    run("openssl", "pkey", "-in", machine.folder / "bundle", "-noout")
    assert len(chain_of(machine.folder / "bundle")) == 2
    assert {n: before[n] for n in before} == {n: machine.files()[n] for n in before}
    signer.kept[before["req.csr"]] = signer.chain(before["req.csr"], names=("mail.example.org",))
    assert "not for www.example.org" in machine.fails(5, *url)


def test_configuration_file(machine, make_server, signer):
    conf = machine.folder / "www.conf"
    conf.write_text(f"""# what is asked for
; and where
url={make_server(signer).url}
  domain = www.example.org\t
dir = {machine.folder}/elsewhere/www
mode = 0640
key-mode = 0640
owner = {os.getuid()}:{os.getgid()}
reload = echo "a = b" >{machine.folder}/done""")
    machine.quiet("--config", conf)
    folder = machine.folder / "elsewhere/www"
    assert mode(folder / "fullchain.pem") == mode(folder / "key.pem") == "0o640"
    assert (machine.folder / "done").read_text() == "a = b\n"
    for line, text in [("nosuch = 1", "no option nosuch"), ("hello", "not name = value"),
                       ("dir =", "dir has no value"), ("mode = 9999", "wants a mode"),
                       ("wait = soon", "wants a number"),
                       ("timeout = 08", "wants a number"), ("domain = a b", "no name"),
                       ("key-type = dsa", "--key-type is"), ("hmac-type = sha256", "without"),
                       ("hmac-key-file = /nonexistent", "cannot be read"),
                       ("domain = x,DNS:y", "no name"), ("url = ftp://x/", "http://"),
                       (f"fullchain = {machine.folder}", "is a directory")]:
        bad = machine.folder / "bad.conf"
        bad.write_text(f"url = http://127.0.0.1:1/\ndir = {folder}\ndomain = a.example.org\n{line}\n")
        assert text in machine.fails(2, "--config", bad)
    assert "is missing" in machine.fails(2, *WWW)
    assert "cannot be read" in machine.fails(2, "--config", machine.folder / "none")


def test_places_that_cannot_be_written(machine, make_server, signer):
    url = ["--url", make_server(signer).url, *WWW]
    assert "cannot be written" in machine.fails(1, *url, "--cert", machine.folder / "none/cert.pem")
    machine.quiet(*url)
    assert "cannot be made" in machine.fails(1, *url, "--dir", machine.path("key.pem") / "x")


def test_help_names_every_option(machine):
    code, out, err = machine.run("--help")
    assert code == 0 and not err
    text = (ROOT / "contrib/client/acmems-sign").read_text()
    body = re.search(r"^set_option\(\) \{\n(.*?)^\}", text, re.S | re.M).group(1)
    options = set(re.findall(r"^\t([a-z-]+)\)", body, re.M)) | {"config", "verbose"}
    assert len(options) > 20
    manual = (ROOT / "contrib/man/acmems-sign.1").read_text().replace("\\-", "-")
    for o in options:
        assert f"--{o} " in out, o
        assert re.search(rf"Fl -{o}\b", manual), o


def test_units(tmp_path):
    """systemd finds nothing to say about service and timer."""
    for name in ("acmems-sign@.service", "acmems-sign@.timer"):
        text = (ROOT / "contrib/client" / name).read_text()
        # It is not installed here.
        (tmp_path / name).write_text(text.replace("=acmems-sign ", f"={ROOT}/contrib/client/acmems-sign "))
    p = run(which("systemd-analyze"), "verify", "--man=no", tmp_path / "acmems-sign@.timer",
            tmp_path / "acmems-sign@.service", check=False,
            env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
    assert p.returncode == 0
    assert "acmems-sign" not in p.stderr, p.stderr
