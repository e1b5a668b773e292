# SPDX-License-Identifier: GPL-3.0-or-later
"""acme-get: runs it with every port a free one, and looks at how it ended."""
import re
import signal
import subprocess

from .daemon import BINARY as DAEMON
from .daemon import REPORTS
from .util import Process, clean_env, free_port, wait_until

# Of the same build as the daemon.
BINARY = DAEMON.removesuffix("acmems") + "acme-get"


def acme_get(*args, timeout=60, cwd=None):
    """The program to its end: (exit code, stdout, stderr)."""
    p = subprocess.run([BINARY, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=timeout, text=True, errors="replace",
                       env=clean_env(), cwd=cwd)
    assert not REPORTS.search(p.stderr), p.stderr[:6000]
    assert p.returncode >= 0, f"signal {-p.returncode}\n{p.stderr}"
    return p.returncode, p.stdout, p.stderr


class Get:
    """One run. Its ports are known before, so that a CA can be pointed at them."""

    def __init__(self, folder, http_port=None, name="acme-get"):
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        self.out = folder / "out"
        self.key, self.cert = self.out / "key.pem", self.out / "cert.pem"
        self.http_port = http_port or free_port()
        self.dns_port, self.https_port, self.control_port = free_port(), free_port(), free_port()
        self.process = None

    def args(self, *args, directory, ca_file):
        def local(port):
            return f"127.0.0.1:{port}"
        return [*args, "--dir", directory, "--ca-file", ca_file, "--out", self.out,
                "--http-listen", local(self.http_port), "--dns-listen", local(self.dns_port),
                "--https-listen", local(self.https_port),
                "--control-listen", local(self.control_port)]

    def start(self, *args, directory, ca_file):
        for suffix in ("out", "err"):
            (self.folder / f"{self.name}.{suffix}").unlink(missing_ok=True)
        self.process = Process(self.name, [BINARY, *self.args(*args, directory=directory, ca_file=ca_file)],
                               self.folder, env=clean_env(), cwd=self.folder)
        return self

    def said(self):
        return self.process.out()

    def wait_said(self, pattern, timeout=30):
        def look():
            m = re.search(pattern, self.said(), re.M)
            assert m or self.process.alive(), f"ended with {self.process.popen.returncode}\n" \
                f"{self.said()}\n{self.process.err()[-3000:]}"
            return m
        return wait_until(look, timeout, f"{pattern!r} in\n{self.said()}\n{self.process.err()[-3000:]}")

    def serving(self):
        self.wait_said(r"^serving: ")
        return self

    def end(self, expected=0, timeout=60):
        """Waits for the end it comes to by itself."""
        self.process.wait(timeout)
        err = self.process.err()
        assert not REPORTS.search(err), err[:6000]
        assert self.process.popen.returncode == expected, \
            f"ended with {self.process.popen.returncode}\n{self.said()}\n{err[-3000:]}"
        return self

    def stop(self, number=signal.SIGTERM, expected=0):
        self.process.signal(number)
        return self.end(expected)

    def close(self):
        if self.process is not None:
            self.process.stop()
