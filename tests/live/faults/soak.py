#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many issuances, a part of everything going wrong: no request without an answer, memory flat, no
descriptor leaked, a clean end. Run by contrib/soak.sh, and in short by test_soak.py."""
import argparse
import collections
import pathlib
import signal
import socket
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lab.daemon import Daemon  # noqa: E402
from lab.fastcsr import FastCsrs  # noqa: E402
from lab.faultlab import descriptors  # noqa: E402
from lab.testca import TestCa  # noqa: E402
from lab.util import free_port, wait_until  # noqa: E402

SHARE = 0.05
TIMEOUT, ORDER_TIMEOUT = 10, 15
STEPS = ("new-nonce", "new-order", "authz", "challenge", "order", "finalize", "cert")
ANYWHERE = (
    {"name": "busy", "status": 503, "retry-after": "1"}, {"name": "status", "status": 500}, {"name": "bad-nonce"},
    {"name": "html", "status": 502}, {"name": "empty", "status": 200}, {"name": "garbage", "status": 200},
    {"name": "cut-json"}, {"name": "no-nonce"}, {"name": "used-nonce"}, {"name": "delay", "ms": 300},
    {"name": "slow-body", "ms": 5, "bytes": 50}, {"name": "reset", "at": "request"}, {"name": "reset", "at": "headers"},
    {"name": "reset", "at": "body", "fin": True}, {"name": "close"}, {"name": "chunked"}, {"name": "bad-chunk"},
    {"name": "not-http"}, {"name": "problem", "type": "serverInternal", "status": 500},
    {"name": "problem", "type": "rateLimited", "status": 429, "retry-after": "1"},
)
SOMEWHERE = (
    ("connection", {"name": "refuse", "at": "accept"}), ("connection", {"name": "refuse", "at": "handshake"}),
    ("connection", {"name": "tls", "certificate": "wrong-ca"}), ("challenge", {"name": "challenge-invalid"}),
    ("challenge", {"name": "challenge-never"}), ("finalize", {"name": "processing", "polls": 3}),
    ("finalize", {"name": "late-invalid"}), ("finalize", {"name": "wrong-key"}), ("finalize", {"name": "wrong-names"}),
    ("new-order", {"name": "authz-invalid"}), ("new-order", {"name": "authz-valid"}),
    ("cert", {"name": "chain", "form": "half"}), ("cert", {"name": "silence"}), ("authz", {"name": "silence"}),
)
STATUSES = {200, 403, 415, 421, 429, 500, 503, 504}
AGAIN = {429, 503, 504}  # "post the same CSR again"
TRIES, PATIENCE = 20, 5  # posts of one CSR; seconds of Retry-After for which a client waits


def rules(share):
    """Of the requests of a whole order about this share meets a fault; every one is equally likely."""
    each = share / len(ANYWHERE)
    out = [{"endpoint": step, "probability": each, "fault": fault} for step in STEPS for fault in ANYWHERE]
    return out + [{"endpoint": e, "probability": each, "fault": fault} for e, fault in SOMEWHERE]


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


class Soak:
    def __init__(self, folder, count, clients, sighup, memory):
        self.count, self.clients, self.sighup, self.memory = count, clients, sighup, memory
        port = free_port()
        self.ca = TestCa(folder / "testca", port, "--validate", "--no-verify").start()
        self.daemon = Daemon(
            folder / "acmems", directory=self.ca.directory, ca_file=self.ca.trust, challenge_port=port,
            conf={"mgmt": {"timeout": TIMEOUT, "order-timeout": ORDER_TIMEOUT}, "logging": {"level": "critical"},
                  'storage "file"': None})
        self.daemon.start()
        self.spare = free_port()
        self.pid = self.daemon.process.pid
        self.csrs, self.lock = FastCsrs(), threading.Lock()
        self.started = self.finished = self.unanswered = 0
        self.answers, self.ends = collections.Counter(), collections.Counter()  # of posts, of issuances
        self.wrong, self.slowest, self.samples = [], 0.0, []
        self.over = threading.Event()

    # One client: a request, all of the answer, again if it says so; the connection is kept.

    def ask(self, sock, body):
        sock.sendall(b"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                raise ConnectionError(f"closed after {data!r}")
            data += more
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        while len(data) < int(fields["content-length"]):
            more = sock.recv(65536)
            if not more:
                raise ConnectionError("half an answer")
            data += more
        return int(lines[0].split()[1]), int(fields.get("retry-after", 0)), data

    def next_body(self):
        with self.lock:
            if self.started == self.count:
                return None, None
            self.started += 1
            number = self.started
        return number, self.csrs.make(f"n{number}.example.org")

    def client(self):
        sock = None
        while (item := self.next_body())[1] is not None:
            sock = self.issuance(sock, *item)
        if sock is not None:
            sock.close()

    def issuance(self, sock, number, body):
        """Returns the connection for the next one."""
        for _ in range(TRIES):
            began = time.monotonic()
            try:
                if sock is None:
                    sock = socket.create_connection(self.daemon.where, timeout=TIMEOUT + 20)
                status, retry_after, text = self.ask(sock, body)
            except OSError as e:
                with self.lock:
                    self.unanswered += 1
                    self.wrong.append(f"n{number}: no answer after {time.monotonic() - began:.1f} s: {e!r}")
                if sock is not None:
                    sock.close()
                return None
            self.judge(number, status, text, time.monotonic() - began)
            if status not in AGAIN or retry_after > PATIENCE:
                break
            if not self.over.wait(min(retry_after, 1)):
                continue
        with self.lock:
            self.finished += 1
            self.ends[status] += 1
        return sock

    def judge(self, number, status, text, took):
        with self.lock:
            self.answers[status] += 1
            self.slowest = max(self.slowest, took)
            if status not in STATUSES or (status == 200) != text.startswith(b"-----BEGIN CERTIFICATE-----"):
                self.wrong.append(f"n{number}: {status} {text[:300]!r}")
            elif status != 200 and f"n{number}.example.org".encode() not in text:
                self.wrong.append(f"n{number} is not named: {status} {text[:300]!r}")
            elif took > TIMEOUT + 5:
                self.wrong.append(f"n{number}: {status} after {took:.1f} s")

    def warm_up(self):
        """Without faults, until everything that is kept has its size."""
        for i in range(50):
            assert self.daemon.post(self.csrs.make(f"warm{i}.example.org")).status == 200

    def level(self):
        return descriptors(self.pid) - self.ca.stats()["connections"]["open"]

    def reload(self, n):
        """Listeners come and go, blocks are renamed, and each fourth time the file is broken; the address
        of the clients and that of the CA's questions are always among them."""
        d = self.daemon
        if n % 4 == 3:
            d.conf_path.write_text("[auth")
        else:
            d.sections = {k: v for k, v in d.sections.items() if not k.startswith("verification")}
            more = [f"127.0.0.1:{self.spare}"] if n % 2 else []
            d.update({"mgmt": {"listener": [f"127.0.0.1:{d.port}"] + more, "max-orders": 1000 + n},
                      f'verification "n{n % 3}"': {"type": "http01", "listener": f"127.0.0.1:{d.challenge_port}"}})
            d.write_conf()
        d.process.signal(signal.SIGHUP)

    def watch(self, threads):
        last = begun = time.monotonic()
        shown = reloads = 0
        while any(t.is_alive() for t in threads):
            time.sleep(0.2)
            assert self.daemon.process.alive(), "the daemon has ended"
            self.samples.append((self.finished, resident(self.pid)))
            now = time.monotonic()
            if self.sighup and now - last > self.sighup:
                self.reload(reloads)
                reloads += 1
                last = now
            if now - begun > shown + 10:
                shown = now - begun
                print(f"{shown:5.0f} s: {self.finished} of {self.count}, {self.samples[-1][1]} KiB", flush=True)

    def run(self):
        self.warm_up()
        before = self.level()
        self.ca.rules(*rules(SHARE))
        began = time.monotonic()
        threads = [threading.Thread(target=self.client, daemon=True) for _ in range(self.clients)]
        for t in threads:
            t.start()
        self.watch(threads)
        took = time.monotonic() - began
        self.ca.honest()
        self.reload(0)

        def well():
            return self.daemon.post(self.csrs.make(f"end{time.monotonic_ns()}.example.org")).status == 200
        wait_until(well, ORDER_TIMEOUT + 10, "it issues when all is well again", 0.5)
        wait_until(lambda: self.level() <= before, 2 * ORDER_TIMEOUT,
                   f"descriptors are closed: {before} before, {self.level()} now")
        self.report(took)
        self.daemon.stop(timeout=60)
        self.ca.stop()
        return self.wrong

    def report(self, took):
        early = [kib for n, kib in self.samples if n <= self.count / 5] or [self.samples[0][1]]
        first, last = max(early), resident(self.pid)
        answers = sum(self.answers.values())
        print(f"{self.finished} of {self.count} came to an end in {took:.0f} s ({self.finished / took:.0f}/s): " +
              ", ".join(f"{n} x {s}" for s, n in sorted(self.ends.items())))
        print(f"{answers} answers to their posts, the slowest in {self.slowest:.1f} s: " +
              ", ".join(f"{n} x {s}" for s, n in sorted(self.answers.items())))
        print("faults: " + ", ".join(f"{n} x {f}" for f, n in sorted(self.ca.stats()["faults"].items())))
        print(f"resident: {first} KiB after a fifth, {last} KiB at the end")
        if self.finished + self.unanswered != self.count:
            self.wrong.append(f"{self.count - self.finished} issuances without an end")
        if self.ends[200] < self.count * 0.7:
            self.wrong.append(f"only {self.ends[200]} certificates: this says little")
        if self.memory and last > first * 1.15 + 2048:
            self.wrong.append(f"memory grows: {first} KiB after a fifth, {last} KiB at the end")

    def close(self):
        for what in (self.daemon, self.ca):
            what.close()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--count", type=int, default=20000)
    p.add_argument("--clients", type=int, default=64)
    p.add_argument("--sighup", type=float, nargs="?", const=3.0, default=0, metavar="SECONDS")
    p.add_argument("--no-memory", action="store_true", help="do not judge the memory (sanitizers keep it)")
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="acmems-soak-") as folder:
        soak = Soak(pathlib.Path(folder), args.count, args.clients, args.sighup, not args.no_memory)
        try:
            wrong = soak.run()
        finally:
            soak.close()
    for line in wrong[:50]:
        print("WRONG:", line)
    print("failed" if wrong else "passed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
