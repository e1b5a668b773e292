# SPDX-License-Identifier: GPL-3.0-or-later
"""Life as a service: what systemd is told and gives, its units, and the user root becomes."""
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import tempfile

import pytest

from lab.daemon import BINARY, ROOT, Daemon, acmems
from lab.http import request
from lab.util import Process, clean_env, free_port, port_open, run, wait_until

UNITS = ROOT / "contrib" / "systemd"


class Manager:
    """The socket a service manager listens on."""

    def __init__(self, folder):
        self.path = folder / "notify"
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(self.path))
        self.sock.settimeout(10)

    def next(self, wanted):
        """The next message with this member; watchdog's own are passed over unless wanted."""
        while True:
            said = dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())
            if wanted in said:
                return said
            assert list(said) == ["WATCHDOG"], f"{said} instead of {wanted}"


@pytest.fixture
def manager(tmp_path):
    m = Manager(tmp_path)
    yield m
    m.sock.close()


def test_it_is_told(fakeca, make_daemon, manager):
    d = make_daemon(fakeca, env={"NOTIFY_SOCKET": str(manager.path)}, start=False)
    d.start(ready=False)
    assert manager.next("READY")["READY"] == "1"
    assert port_open(d.port) and port_open(d.challenge_port)
    for text, status in (None, "running"), ("[auth", "refused"):
        d.write_conf() if text is None else d.conf_path.write_text(text)
        before = int(pathlib.Path("/proc/uptime").read_text().split(".")[0])
        d.process.signal(signal.SIGHUP)
        said = manager.next("RELOADING")
        assert said["RELOADING"] == "1" and int(said["MONOTONIC_USEC"]) >= before * 1000000
        assert status in manager.next("READY")["STATUS"]
    d.process.signal(signal.SIGTERM)
    assert manager.next("STOPPING")["STOPPING"] == "1"
    d.process.wait(15)
    d.check_end()


def test_watchdog(fakeca, make_daemon, manager):
    d = make_daemon(fakeca, env={"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "200000"}, start=False)
    d.start(ready=False)
    manager.next("READY")
    for _ in range(5):
        assert manager.next("WATCHDOG") == {"WATCHDOG": "1"}
    d.process.signal(signal.SIGSTOP)
    manager.sock.settimeout(0.5)
    with pytest.raises(socket.timeout):
        while True:
            manager.next("WATCHDOG")
    d.process.signal(signal.SIGCONT)
    manager.sock.settimeout(10)
    manager.next("WATCHDOG")


# Sockets that are bound before us

def test_socket_activation(fakeca, make_daemon, csrs):
    """systemd-socket-activate has the socket; the first client starts the daemon, and is answered."""
    d = make_daemon(fakeca, start=False)
    argv = ["systemd-socket-activate", "-l", d.where[0] + f":{d.port}", "-l", f"127.0.0.1:{d.challenge_port}",
            "--fdname", "mgmt:http01", BINARY, d.write_conf()]
    d.process = Process("acmems", argv, d.folder, env=d.env, cwd=d.folder)
    d.checked = False
    d.process.wait_ready(lambda: port_open(d.port))
    assert d.sign(csrs.make("www.example.org")).status == 200
    assert f"requests are taken on 127.0.0.1:{d.port}" in d.log()
    # Given up and taken again, which nobody else could do.
    d.update({"mgmt": {"listener": f"127.0.0.1:{free_port()}"}}).write_conf()
    d.process.signal(signal.SIGHUP)
    d.wait_log(f"systemd has a socket for 127.0.0.1:{d.port}")
    d.update({"mgmt": {"listener": f"127.0.0.1:{d.port}"}}).write_conf()
    d.process.signal(signal.SIGHUP)
    wait_until(lambda: d.log().count("the configuration was reloaded") == 2, what="reload")
    assert request(d.where, "GET", "/healthz").status == 200
    d.stop()


def inherit(d, *sockets):
    """Starts the daemon with these sockets as a service manager does."""
    d.write_conf()

    def hand_over():
        for s in sockets:
            os.set_inheritable(s.fileno(), True)
        high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(sockets)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
            os.close(fd)
    script = f'LISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec "$0" "$1"'
    d.process = Process("acmems", ["/bin/sh", "-c", script, BINARY, d.conf_path], d.folder, env=d.env,
                        cwd=d.folder, preexec_fn=hand_over, close_fds=False)
    d.checked = False


def test_sockets_of_all_kinds(fakeca, make_daemon, tmp_path):
    """A unix socket that stays, a name server's two, and one nobody asked for."""
    port, path = free_port(), tmp_path / "s"
    d = make_daemon(fakeca, {"mgmt": {"listener": f"unix:{path}", "default-verification": "http"}, 'verification "dns"': {
        "type": "dns01-server", "listener": f"127.0.0.1:{port}", "zone": "a.example.net"}},
        start=False)
    made = []
    for kind, address in ((socket.SOCK_STREAM, str(path)), (socket.SOCK_STREAM, ("127.0.0.1", port)),
                          (socket.SOCK_DGRAM, ("127.0.0.1", port)), (socket.SOCK_STREAM, ("127.0.0.1", 0))):
        s = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET, kind)
        s.bind(address)
        if kind == socket.SOCK_STREAM:
            s.listen()
        made.append(s)
    unasked = made[-1].getsockname()[1]
    inherit(d, *made)
    for s in made:
        s.close()
    d.wait_log(f"systemd has a socket for 127.0.0.1:{unasked}")
    d.process.wait_ready(lambda: "running" in d.process.out())
    for more in [], ["+tcp"]:
        answer = run("dig", "@127.0.0.1", "-p", port, "+tries=1", "+norecurse", *more, "a.example.net", "SOA").stdout
        assert "status: NOERROR" in answer, answer
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    d.stop()
    assert path.exists(), "it is not ours to remove"


# The units

def unit(tmp_path, name):
    """As installed: the program is found."""
    text = (UNITS / name).read_text().replace("ExecStart=acmems ", f"ExecStart={BINARY} ")
    (tmp_path / name).write_text(text)
    return tmp_path / name


def test_units(tmp_path):
    service, sock = unit(tmp_path, "acmems.service"), unit(tmp_path, "acmems.socket")
    p = run("systemd-analyze", "verify", "--man=no", service, sock)
    assert p.stdout + p.stderr == ""
    text = run("systemd-analyze", "security", "--offline=true", service).stdout
    assert float(re.search(r"exposure level for acmems.service: ([\d.]+)", text)[1]) < 2.0, text


# [process] user

@pytest.fixture
def common():
    """A folder another user may go into."""
    if os.geteuid() != 0:
        pytest.fail("this needs root")
    path = pathlib.Path(tempfile.mkdtemp(prefix="acmems-user-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def low_port():
    for port in range(600, 1000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise RuntimeError("no low port")


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {k: v.split() for k, v in (line.split(":", 1) for line in lines)}


NOBODY = pwd.getpwnam("nobody")


@pytest.fixture
def dropped(fakeca, common):
    """To be started as root, to become nobody. The leak checker cannot look into a process that has
    changed its user."""
    common.chmod(0o755)
    d = Daemon(common / "acmems", directory=fakeca.directory, ca_file=fakeca.tls.root,
               challenge_port=fakeca.challenge_port, conf={"process": {"user": "nobody"}})
    d.env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    shutil.copy(fakeca.tls.root, common / "root.pem")
    (common / "root.pem").chmod(0o644)
    d.update({"account": {"ca-file": common / "root.pem"}})
    for folder in d.account, d.storage:
        folder.mkdir(mode=0o700)
        os.chown(folder, NOBODY.pw_uid, NOBODY.pw_gid)
    yield d
    d.close()


def test_root_becomes_a_user(dropped, csrs):
    d, low = dropped, low_port()
    d.update({"mgmt": {"listener": [f"127.0.0.1:{d.port}", f"127.0.0.1:{low}"]}}).start()
    status = status_of(d.process.pid)
    assert status["Uid"] == [str(NOBODY.pw_uid)] * 4 and status["Gid"] == [str(NOBODY.pw_gid)] * 4
    assert status["Groups"] in ([str(NOBODY.pw_gid)], [])
    for caps in "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
        assert int(status[caps][0], 16) == 0, status
    assert status["NoNewPrivs"] == ["1"]
    assert "runs as root" not in d.log()
    assert d.sign(csrs.make("www.example.org"), where=("127.0.0.1", low)).status == 200
    key = d.account / "account.pem"
    assert key.stat().st_uid == NOBODY.pw_uid and key.stat().st_mode & 0o777 == 0o600
    # It was opened before; a new one cannot be.
    os.chown(d.conf_path, NOBODY.pw_uid, -1)
    other = low_port()
    d.update({"mgmt": {"listener": [f"127.0.0.1:{d.port}", f"127.0.0.1:{low}", f"127.0.0.1:{other}"]}}).write_conf()
    d.process.signal(signal.SIGHUP)
    d.wait_log(f"not reloaded.*127.0.0.1:{other}: a port below 1024 needs root")
    d.update({"mgmt": {"listener": f"127.0.0.1:{low}"}}).write_conf()
    d.process.signal(signal.SIGHUP)
    d.wait_log("the configuration was reloaded")
    assert request(("127.0.0.1", low), "GET", "/healthz").status == 200 and not port_open(d.port)
    d.stop()


def test_directories_are_tested_as_that_user(dropped):
    os.chown(dropped.storage, 0, 0)
    dropped.write_conf()
    for options in ["--check"], []:
        code, _, err = acmems(*options, dropped.conf_path, env=dropped.env)
        assert code == 2 and str(dropped.storage) in err and "is owned by root" in err and "chown -R nobody" in err, err


def test_a_key_of_root(dropped):
    """The directory was handed over, what is in it was not."""
    key = dropped.account / "account.pem"
    key.touch(0o600)
    dropped.write_conf()
    for options in ["--check"], []:
        code, _, err = acmems(*options, dropped.conf_path, env=dropped.env)
        assert code == 2 and f"{key} is owned by root (uid 0)" in err and f"chown nobody {key}\n" in err, err


def test_users_that_cannot_be(dropped):
    code, _, err = acmems("--check", dropped.update({"process": {"user": "no-such-user"}}).write_conf())
    assert code == 2 and re.search(r"acmems\.conf:\d+: error: .*no-such-user", err), err
    dropped.update({"process": {"user": "root"}}).write_conf()
    dropped.conf_path.chmod(0o644)
    p = run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", BINARY, "--check", dropped.conf_path,
            check=False, env=dropped.env)
    assert p.returncode == 2 and "only root can become" in p.stderr, p.stderr


def test_root_without_a_user_is_warned(fake_daemon):
    fake_daemon.wait_log(r"warning runs as root")
