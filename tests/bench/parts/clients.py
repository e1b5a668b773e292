# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate from Pebble: the daemon beside our one-shot client, uacme, lego, certbot and dehydrated."""
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import time

from lab.get import BINARY as GET
from lab.pebble import Pebble
from lab.tls import TlsCa
from lab.util import clean_env, free_port

from rig import bodies, cpu

LETTER, TITLE = "f", "one certificate from Pebble"
WORDS = ["--agree-tos", "--non-interactive", "--register-unsafely-without-email"]


class Other:
    """Another client: made ready once (an account), then one run for each certificate."""
    program = None  # its name

    def __init__(self, rig, pebble, tls):
        self.folder, self.pebble, self.tls = rig.new_folder(type(self).__name__.lower()), pebble, tls
        self.port = pebble.config["httpPort"]
        self.env = clean_env(SSL_CERT_FILE=str(tls.root), REQUESTS_CA_BUNDLE=str(tls.root),
                             CURL_CA_BUNDLE=str(tls.root), LEGO_CA_CERTIFICATES=str(tls.root),
                             HOME=str(self.folder), UACME_CHALLENGE_PATH=str(self.hole()))

    def hole(self):
        path = self.folder / "www/.well-known/acme-challenge"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def call(self, *argv):
        p = subprocess.run([str(a) for a in argv], env=self.env, cwd=self.folder, timeout=120, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if p.returncode:
            raise RuntimeError(p.stdout[-400:])

    def web(self):
        """Serves the folder where the challenges are laid."""
        return ["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory",
                self.folder / "www", self.port]

    def ready(self):
        pass


class AcmeGet(Other):
    program, serves = GET, True

    def issue(self, name):
        self.call(GET, "http01", "--dir", self.pebble.directory, "--ca-file", self.tls.root, "--record",
                  "127.0.0.1", "--domain", name, "--key-type", "ec256", "--no-serve", "--http-listen",
                  f"127.0.0.1:{self.port}", "--dns-listen", f"127.0.0.1:{free_port()}")

    def ready(self):
        self.issue("account.example.org")


class Uacme(Other):
    serves = False

    def _argv(self):
        # It trusts what the system trusts: so, for it alone, the system's bundle is the lab's root.
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        other = f'mount --bind "{self.tls.root}" {bundle} && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", other, "sh", "uacme", "-a", self.pebble.directory, "-c", self.folder / "conf", "-y", "-t", "EC", "-h",
                "/usr/share/uacme/uacme.sh"]

    def ready(self):
        self.call(*self._argv(), "new")

    def issue(self, name):
        self.call(*self._argv(), "issue", name)


class Lego(Other):
    serves = True

    def issue(self, name):
        self.call("lego", "-s", self.pebble.directory, "-a", "-m", "a@example.org", "--path",
                  self.folder / "lego", "--http", "--http.port", f"127.0.0.1:{self.port}", "-d", name, "run")

    def ready(self):
        self.issue("account.example.org")


class Certbot(Other):
    serves = True

    def issue(self, name):
        dirs = [x for d in ("config", "work", "logs") for x in (f"--{d}-dir", self.folder / d)]
        self.call("certbot", "certonly", "--standalone", "--server", self.pebble.directory, *dirs, *WORDS,
                  "--http-01-address", "127.0.0.1", "--http-01-port", self.port, "-d", name)

    def ready(self):
        self.issue("account.example.org")


class Dehydrated(Other):
    serves = False

    def ready(self):
        (self.folder / "config").write_text(
            f'CA="{self.pebble.directory}"\nBASEDIR={self.folder}\nWELLKNOWN={self.hole()}\n'
            "KEY_ALGO=prime256v1\n")
        self.call("dehydrated", "-f", self.folder / "config", "--register", "--accept-terms")

    def issue(self, name):
        self.call("dehydrated", "-f", self.folder / "config", "-c", "-d", name)


def children():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def measure(rig, other, count):
    with rig.scope():
        if not other.serves:
            rig.start("web", other.web())
            time.sleep(0.5)
        other.ready()
        times, used = [], children()
        for i in range(count):
            begin = time.perf_counter()
            other.issue(f"{type(other).__name__.lower()}{i}.example.org")
            times.append(time.perf_counter() - begin)
        return statistics.median(times), (children() - used) / count


def ours(rig, pebble, tls, count):
    with rig.scope():
        daemon = rig.daemon(pebble, trust=tls.root)
        requests = bodies(rig.csrs(count + 1, "p"))
        assert daemon.sign(requests.pop()).status == 200
        times, used = [], cpu(daemon.process.pid)
        for body in requests:
            begin = time.perf_counter()
            answer = daemon.sign(body)
            times.append(time.perf_counter() - begin)
            assert answer.status == 200, answer
        return statistics.median(times), (cpu(daemon.process.pid) - used) / count


def run(rig):
    folder = pathlib.Path(rig.pebble)
    if not (folder / "pebble").exists():
        rig.row("f", "one certificate from Pebble", "no Pebble")
        return
    with rig.scope():
        tls = TlsCa(rig.new_folder("tls"))
        # Retry-After is obeyed: with Pebble's usual second each certificate would take one.
        pebble = Pebble(rig.new_folder("pebble"), folder, tls, free_port(), True,
                        retryAfter={"authz": 0, "order": 0})
        pebble.challenge_port = pebble.config["httpPort"]
        rig.ends.callback(pebble.close)
        pebble.start()
        compare(rig, pebble, tls)


def compare(rig, pebble, tls):
    latency, used = ours(rig, pebble, tls, rig.size(200, 40))
    rig.row("f", "acmems, latency", f"{latency * 1e3:.1f} ms", "60 ms", number=latency, limit=0.06)
    least = None
    for kind in (AcmeGet, Uacme, Lego, Certbot, Dehydrated):
        name = kind.__name__.lower()
        if not shutil.which(kind.program or name, path=os.environ.get("PATH", "") + ":/usr/sbin"):
            rig.row("f", name, "missing: not installed")
            continue
        try:
            seconds, cost = measure(rig, kind(rig, pebble, tls), rig.size(5, 2))
        except (RuntimeError, subprocess.SubprocessError) as e:
            rig.row("f", name, f"failed: {' '.join(str(e).split())[-120:]}")
            continue
        least = cost if least is None else min(least, cost)
        rig.row("f", name, f"{seconds * 1e3:.0f} ms, CPU {cost * 1e3:.0f} ms")
    if least is not None:
        rig.row("f", "acmems, CPU", f"{used * 1e3:.2f} ms", "less than each", f"least {least * 1e3:.0f} ms",
                number=used, limit=least)
