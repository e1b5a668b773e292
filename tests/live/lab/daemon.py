# SPDX-License-Identifier: GPL-3.0-or-later
"""acmems itself: writes its configuration, runs it, and looks at how it ended."""
import hashlib
import hmac as hmac_module
import json
import os
import pathlib
import re
import signal

from . import http
from .util import Process, clean_env, free_port, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("ACMEMS_BIN", str(ROOT / "build-test/asan/src/bin/acmems"))

# What a sanitizer, libevent's debug mode or an assertion of ours says before the end.
REPORTS = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:"
                     r"|Assertion .* failed|\[err\]|BUG:|double free|stack smashing")


def render(sections):
    """A dict of sections; a value that is a list makes several lines, None none."""
    out = []
    for header, options in sections.items():
        if options is None:
            continue
        out.append(f"[{header}]")
        for name, value in options.items():
            for v in value if isinstance(value, (list, tuple)) else [value]:
                if v is not None:
                    out.append(f"{name} = {v}")
        out.append("")
    return "\n".join(out)


class Daemon:
    def __init__(self, folder, *, directory, ca_file, challenge_port, conf=None, env=None, name="acmems"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.port, self.challenge_port = free_port(), challenge_port
        self.where = ("127.0.0.1", self.port)
        self.challenge = ("127.0.0.1", challenge_port)
        self.account, self.storage = folder / "account", folder / "storage"
        self.env = clean_env(**(env or {}))
        self.sections = {
            "account": {"acme-server": directory, "ca-file": ca_file, "dir": self.account,
                        "accept-terms-of-service": "yes"},
            "logging": {"level": "debug"},
            "mgmt": {"listener": f"127.0.0.1:{self.port}", "shutdown-timeout": "3"},
            'verification "http"': {"type": "http01", "listener": f"127.0.0.1:{challenge_port}"},
            'storage "file"': {"type": "file", "directory": self.storage},
            'auth "test"': {"ip": "127.0.0.1", "domain": "*.example.org"},
        }
        self.update(conf or {})
        self.conf_path = folder / f"{name}.conf"
        self.process = None
        self.expect_exit = 0
        self.checked = True

    def update(self, conf):
        """Options of sections that exist are set one by one; None removes."""
        for header, options in conf.items():
            if options is None:
                self.sections.pop(header, None)
            else:
                self.sections.setdefault(header, {}).update(options)
        return self

    def write_conf(self):
        self.conf_path.write_text(render(self.sections))
        self.conf_path.chmod(0o600)
        return self.conf_path

    def start(self, ready=True):
        self.write_conf()
        for suffix in ("out", "err"):
            # A second start must not find the "running" of the first.
            path = self.folder / f"{self.name}.{suffix}"
            if path.exists():
                with open(self.folder / f"{self.name}.{suffix}.before", "ab") as f:
                    f.write(path.read_bytes())
                path.unlink()
        self.process = Process(self.name, [BINARY, self.conf_path], self.folder, env=self.env,
                               cwd=self.folder)
        self.checked = False
        self.expect_exit = 0
        if ready:
            self.process.wait_ready(lambda: re.search(r"^running$", self.process.out(), re.M))
        return self

    def stop(self, number=signal.SIGTERM, timeout=30):
        """Ends it and demands a clean end."""
        if self.process.alive():
            self.process.signal(number)
        self.process.wait(timeout)
        self.check_end()
        return self

    def kill(self):
        self.process.popen.kill()
        self.process.wait()
        self.expect_exit = -signal.SIGKILL
        self.check_end()
        return self

    def restart(self, conf=None):
        self.stop()
        return self.update(conf or {}).start()

    def reload(self, conf=None, done="the configuration was reloaded", raw=None):
        """A new configuration, and until it has been taken, or refused."""
        before = self.log().count(done)
        if raw is None:
            self.update(conf or {}).write_conf()
        else:
            self.conf_path.write_text(raw)
        self.process.signal(signal.SIGHUP)
        wait_until(lambda: self.log().count(done) > before, 15, f"{done!r} in\n{self.log()[-2000:]}")

    def check_end(self):
        self.checked = True
        err = self.process.err()
        report = REPORTS.search(err)
        assert not report, f"{self.name}: {err[max(0, report.start() - 500):][:6000]}"
        assert self.process.popen.returncode == self.expect_exit, \
            f"{self.name} ended with {self.process.popen.returncode}\n{err[-3000:]}"

    def close(self):
        """For the fixture: whatever the test left."""
        if self.process is None or self.checked:
            return
        if self.process.alive():
            if signal.SIGTERM not in self.process.signals:
                self.process.signal(signal.SIGTERM)
            try:
                self.process.wait(45)
            except Exception:
                self.process.popen.send_signal(signal.SIGABRT)
                self.process.popen.wait()
                raise AssertionError(f"{self.name} does not end on SIGTERM\n{self.process.err()[-3000:]}")
        self.check_end()

    # Asking

    def post(self, body, headers=None, timeout=60, where=None, path="/sign"):
        r = http.request(where or self.where, "POST", path, body, headers, timeout)
        if path == "/sign" and r.status in (429, 500, 503, 504) and body.startswith(b"-----BEGIN"):
            r.check_advice(body)
        return r

    sign = post

    def hmac(self, key, body, algorithm="sha256"):
        digest = hmac_module.new(key.encode(), body, getattr(hashlib, algorithm)).hexdigest()
        return {"Authentication": f"hmac name={algorithm}, hash={digest}"}

    # Looking

    def log(self):
        return self.process.err()

    def wait_log(self, pattern, timeout=15):
        return wait_until(lambda: re.search(pattern, self.log()), timeout,
                          f"log line {pattern!r} in\n{self.log()[-3000:]}")

    def cpu(self):
        """CPU seconds so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def entry(self, body):
        """The folder of a body in the file store, as the original laid it out."""
        digest = hashlib.sha384(body).hexdigest()
        return self.storage / digest[:2] / digest[2:]

    def entries(self):
        return sorted(p.parent for p in self.storage.glob("??/*/csr.pem"))

    def meta(self, body):
        return json.loads((self.entry(body) / "meta.json").read_text())

    def registration(self):
        return json.loads((self.account / "registration.json").read_text())


def acmems(*args, env=None, timeout=30, cwd=None):
    """The program to its end: (exit code, stdout, stderr)."""
    import subprocess
    p = subprocess.run([BINARY, *map(str, args)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=timeout, text=True, errors="replace",
                       env=env or clean_env(), cwd=cwd)
    report = REPORTS.search(p.stderr)
    assert not report, p.stderr[:6000]
    assert p.returncode >= 0, f"signal {-p.returncode}\n{p.stderr}"
    return p.returncode, p.stdout, p.stderr
