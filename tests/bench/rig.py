# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the benchmark are made of: programs that end with the run, CPU time, memory, load."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time

from lab.daemon import Daemon
from lab.testca import TestCa
from lab.util import Process, free_port, port_open, wait_until

KEY = "a-key-of-the-benchmark"


def cpu(pid):
    """CPU seconds of a process so far, all its threads, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)


def resident(pid):
    """Resident kilobytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Row:
    """One line of the table. limit: what `number` may be at most, floor: what it must be at least."""

    def __init__(self, part, what, measured, target="", beside="", number=None, limit=None, floor=None):
        self.part, self.what, self.measured, self.target, self.beside = part, what, measured, target, beside
        self.number = number
        self.good = None
        if limit is not None:
            self.good = number <= limit
        if floor is not None:
            self.good = number >= floor and self.good is not False

    def json(self):
        return dict(vars(self))


class Rig:
    """Folder, built programs, and everything that was started."""

    def __init__(self, build, folder, quick, pebble):
        self.build, self.folder, self.quick, self.pebble = build, folder, quick, pebble
        self.ends = contextlib.ExitStack()
        self.rows, self.facts, self._made = [], {}, 0

    def size(self, full, quick):
        return quick if self.quick else full

    def row(self, *args, **kw):
        row = Row(*args, **kw)
        self.rows.append(row)
        mark = {None: "", True: "  [met]", False: "  [missed]"}[row.good]
        print(f"  {row.what}: {row.measured}  target {row.target or '-'}  beside {row.beside or '-'}{mark}",
              flush=True)

    def new_folder(self, name):
        self._made += 1
        folder = self.folder / f"{name}{self._made}"
        folder.mkdir()
        return folder

    @contextlib.contextmanager
    def scope(self):
        """What is started within ends with it."""
        outer, self.ends = self.ends, contextlib.ExitStack()
        try:
            with self.ends:
                yield
        finally:
            self.ends = outer

    # Programs

    def tool(self, name):
        return self.build / f"tests/bench/bench_{name}"

    def start(self, name, argv, ready=None, folder=None):
        process = Process(name, argv, folder or self.new_folder(name))
        self.ends.callback(process.stop)
        if ready:
            process.wait_ready(ready)
        return process

    def testca(self, challenge_port=None, *args):
        ca = TestCa(self.new_folder("ca"), challenge_port or free_port(), "--no-verify", *args)
        ca.start()
        self.ends.callback(lambda: ca.process and ca.process.stop())
        return ca

    def daemon(self, ca, conf=None, start=True, env=None, trust=None):
        daemon = Daemon(self.new_folder("acmems"), directory=ca.directory, ca_file=trust or ca.trust,
                        challenge_port=getattr(ca, "challenge_port", None) or free_port(),
                        conf={"logging": {"level": "warning"}}, env=env)
        daemon.update(conf or {})
        self.ends.callback(lambda: daemon.process and daemon.process.stop())
        return daemon.start() if start else daemon

    def bare(self, size, key=None):
        port = free_port()
        argv = [self.tool("bare"), "--port", port, "--size", size] + (["--key", key] if key else [])
        process = self.start("bare", argv, lambda: port_open(port))
        process.port = port
        return process

    def floor(self):
        ports = [free_port() for _ in range(3)]
        process = self.start("floor", [self.tool("floor"), "--port", ports[0], "--challenge-port", ports[1],
                                       "--tls-port", ports[2]], lambda: all(map(port_open, ports)))
        process.port = ports[0]
        return process

    def nginx(self, files):
        """Static files ({path: bytes}), one process; None if it is not installed."""
        if not shutil.which("nginx"):
            return None
        folder, port = self.new_folder("nginx"), free_port()
        for path, body in files.items():
            (folder / "www" / path.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            (folder / "www" / path.lstrip("/")).write_bytes(body)
        temp = "".join(f"{x}_temp_path {folder}/{x};" for x in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\n"
            "events { worker_connections 8192; }\n"
            f"http {{ access_log off; keepalive_requests 100000000; tcp_nodelay on; {temp}\n"
            "open_file_cache max=100; default_type text/plain;\n"
            f"server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}/www; }} }}\n")
        process = self.start("nginx", ["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"],
                             lambda: port_open(port), folder)
        process.port = port
        return process

    # Requests

    def csrs(self, count, prefix="n", names=1):
        """A file of CSRs for distinct names of example.org, with one key."""
        path = self.folder / f"csrs-{prefix}-{names}-{count}.pem"
        if not path.exists():
            subprocess.run([self.tool("csrs"), "--count", str(count), "--out", path, "--prefix", prefix,
                            "--names", str(names), "--key", self.folder / "csrs.key"], check=True)
        return path

    def load_argv(self, port, **options):
        argv = [str(self.tool("load")), "--port", str(port)]
        for name, value in options.items():
            if value is True:
                argv.append(f"--{name.replace('_', '-')}")
            elif value not in (None, False):
                argv += [f"--{name.replace('_', '-')}", str(value)]
        return argv

    def load(self, port, pid, **options):
        """Runs the load; what it says, and the CPU seconds process pid took for each answer."""
        before = cpu(pid)
        p = subprocess.run(self.load_argv(port, **options), stdout=subprocess.PIPE, text=True, check=False)
        used = cpu(pid) - before
        said = json.loads(p.stdout)
        wrong = {s: n for s, n in said["statuses"].items() if s != "200"}
        if wrong or said["failed"] or p.returncode:
            raise AssertionError(f"{options}: {said}")
        said["cpu_each"] = used / said["answers"]
        return said

    def best(self, rounds, *args, **options):
        """Of several runs the one with the least CPU for each answer, and the best rate."""
        runs = [self.load(*args, **options) for _ in range(rounds)]
        best = dict(min(runs, key=lambda r: r["cpu_each"]))
        best["per_second"] = max(r["per_second"] for r in runs)
        return best


def bodies(path, count=None):
    """The PEM blocks of a file, as bytes."""
    blocks = ["-----BEGIN" + b for b in path.read_text().split("-----BEGIN")[1:]]
    return [b.encode() for b in blocks[:count]]


def until(condition, timeout, what):
    return wait_until(condition, timeout, what, interval=0.1)


def us(seconds):
    return f"{seconds * 1e6:.1f} us"


def ms(seconds):
    return f"{seconds * 1e3:.3f} ms"


def ulimit():
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 20


def machine():
    return {"load": os.getloadavg(), "cores": os.cpu_count()}
