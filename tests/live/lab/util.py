# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports, processes, and waiting for conditions instead of sleeping."""
import itertools
import os
import socket
import subprocess
import time
from signal import SIGTERM

# Outside the range from which the kernel takes the source ports of connections.
_FIRST, _PER_WORKER, _WORKERS = 10000, 2200, 10
_ports = None


def _worker():
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name[2:] or 0) if name.startswith("gw") else 0


def _bindable(port):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(family, kind) as s:
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind((address, port))
                except OSError:
                    return False
    return True


def free_port():
    """A port nobody uses, and no other worker of this run is handed."""
    global _ports
    if _ports is None:
        base = _FIRST + (_worker() % _WORKERS) * _PER_WORKER
        offset = os.getpid() * 37 % _PER_WORKER
        _ports = itertools.cycle(base + (offset + i) % _PER_WORKER for i in range(_PER_WORKER))
    for port in itertools.islice(_ports, _PER_WORKER):
        if _bindable(port):
            return port
    raise RuntimeError("no free port")


def wait_until(condition, timeout=15.0, what="condition", interval=0.02):
    """Returns the first true value of condition(). A value, not a time, ends the wait."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(interval)


def port_open(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def run(*argv, timeout=60, check=True, **kw):
    """A command to its end, as text."""
    p = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=timeout, text=True, errors="replace", **kw)
    if check and p.returncode != 0:
        raise AssertionError(f"{argv}: exit code {p.returncode}\n{p.stdout}\n{p.stderr}")
    return p


class Process:
    """A program in the background with its output in files."""

    def __init__(self, name, argv, folder, env=None, cwd=None, **kw):
        self.name = name
        self.argv = [str(a) for a in argv]
        self.signals = []
        self.out_path = folder / f"{name}.out"
        self.err_path = folder / f"{name}.err"
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=err, env=env, cwd=cwd, **kw)

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def out(self):
        return self.out_path.read_text(errors="replace")

    def err(self):
        return self.err_path.read_text(errors="replace")

    def wait_ready(self, condition, timeout=20):
        def ready():
            if not self.alive():
                raise AssertionError(f"{self.name} ended with {self.popen.returncode}\n"
                                     f"{self.out()}\n{self.err()[-4000:]}")
            return condition()
        wait_until(ready, timeout, f"{self.name} is up\n{self.out()[-500:]}\n{self.err()[-2000:]}")

    def signal(self, number):
        self.signals.append(number)
        self.popen.send_signal(number)

    def wait(self, timeout=30):
        return self.popen.wait(timeout)

    def stop(self, number=SIGTERM, timeout=15):
        """Ends it whatever it does."""
        if self.alive():
            self.popen.send_signal(number)
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode


def clean_env(**extra):
    """Our environment without what would change whom the daemon trusts or where it connects."""
    env = {k: v for k, v in os.environ.items()
           if not k.lower().endswith("_proxy") and k not in (
               "ACME_CAFILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
               "FAKE_DNS", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC")}
    env["LC_ALL"] = "C"
    env.update(extra)
    return env
