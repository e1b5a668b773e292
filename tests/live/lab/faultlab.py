# SPDX-License-Identifier: GPL-3.0-or-later
"""A daemon and a test CA of its own, for one fault after the other; and several such pairs side by
side, since most of what goes wrong is waiting."""
import itertools
import os
import queue
import re
import shutil
import signal
import threading
import time

from .daemon import Daemon
from .fastcsr import FastCsrs
from .http import request
from .testca import TestCa
from .util import free_port, wait_until

TIMEOUT, ORDER_TIMEOUT = 3, 4
GRACE = 2  # what a busy machine may add
LONG = bool(os.environ.get("ACMEMS_LONG"))

_lock = threading.Lock()
_csrs = None
_numbers = itertools.count()


def new_csr():
    """(name, CSR) that nobody has seen."""
    global _csrs
    with _lock:
        _csrs = _csrs or FastCsrs()
        name = f"n{next(_numbers)}.example.org"
        return name, _csrs.make(name)


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Pair:
    def __init__(self, folder, *args, conf=None):
        with _lock:
            port = free_port()
            self.ca = TestCa(folder / "testca", port, "--validate", *args)
            self.ca.start()
            self.daemon = Daemon(
                folder / "acmems", directory=self.ca.directory, ca_file=self.ca.trust, challenge_port=port,
                conf={"mgmt": {"timeout": TIMEOUT, "order-timeout": ORDER_TIMEOUT},
                      'storage "file"': None, **(conf or {})})
        self.daemon.start()

    def post(self):
        """(name, answer, seconds it took)"""
        name, csr = new_csr()
        started = time.monotonic()
        answer = self.daemon.post(csr, timeout=TIMEOUT + GRACE + 5)
        return name, answer, time.monotonic() - started

    def start_anew(self):
        """Without an account: directory, nonce, account are asked for again."""
        self.daemon.stop()
        shutil.rmtree(self.daemon.account, ignore_errors=True)
        self.daemon.start()

    def forget(self):
        """SIGHUP, and until it is done."""
        done = "remembered failures and pauses forgotten"
        before = self.daemon.log().count(done)
        self.daemon.process.signal(signal.SIGHUP)
        wait_until(lambda: self.daemon.log().count(done) > before, what="SIGHUP")

    def no_token_left(self):
        def gone():
            return all(request(self.daemon.challenge, "GET", f"/.well-known/acme-challenge/{t}").status == 404
                       for t in self.ca.tokens())
        wait_until(gone, ORDER_TIMEOUT + 8, "challenges are withdrawn")

    def level(self):
        """Descriptors besides the connections to the CA, when they are steady."""
        last = [None, 0]

        def steady():
            n = descriptors(self.daemon.process.pid) - self.ca.stats()["connections"]["open"]
            last[1] = last[1] + 1 if n == last[0] else 0
            last[0] = n
            return last[1] > 10
        wait_until(steady, what="a steady number of descriptors")
        return last[0]

    def close(self):
        try:
            self.daemon.stop(timeout=60)
        finally:
            self.ca.close()


def side_by_side(folder, cases, work, count=4, **kw):
    """work(pair, case) for every case, by so many pairs. Returns what went wrong, as text."""
    todo, wrong = queue.Queue(), []
    for case in cases:
        todo.put(case)

    def one(i):
        pair = None
        try:
            pair = Pair(folder / f"pair{i}", **kw)
            assert pair.post()[1].status == 200
            before = pair.level()
            while True:
                try:
                    case = todo.get_nowait()
                except queue.Empty:
                    break
                try:
                    work(pair, case)
                except (AssertionError, OSError) as e:
                    wrong.append(f"{case}: {type(e).__name__} {e}")
                    if not pair.daemon.process.alive():
                        break
            after = pair.level()
            if after > before:
                wrong.append(f"pair {i}: {before} descriptors before, {after} after")
        except Exception as e:  # whatever it is, the others go on
            wrong.append(f"pair {i}: {type(e).__name__} {e}")
        finally:
            try:
                if pair is not None:
                    pair.close()
            except Exception as e:
                wrong.append(f"pair {i} at the end: {e}")
    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return wrong


def advice(text):
    """What every refusal of a certificate that can be mended says."""
    return re.search(r"post the same CSR again|has to mend it", text)
