# SPDX-License-Identifier: GPL-3.0-or-later
"""The test CA in C (tests/ca): issues fast, validates for real, misbehaves on command.

    ca.rules({"endpoint": "finalize", "nth": 2, "fault": {"name": "busy", "retry-after": "1"}})
    ca.knobs(validate=False)
    ca.stats()["refused"]            # honest refusals, by problem type: mistakes of the client

faults() lists every fault with the endpoints it goes with and examples worth trying; fault_examples()
is the same as flat pairs for pytest.mark.parametrize.
"""
import functools
import http.client
import json
import os
import pathlib
import re
import subprocess

from .util import Process, clean_env

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Of the same build as the daemon: BUILD/src/bin/acmems, BUILD/tests/ca/testca.
_DAEMON = pathlib.Path(os.environ.get("ACMEMS_BIN", ROOT / "build-test/asan/src/bin/acmems"))
BINARY = os.environ.get("TESTCA_BIN", str(_DAEMON.parents[2] / "tests/ca/testca"))


@functools.lru_cache(None)
def faults():
    """[{"name", "group", "endpoints", "examples", "instead", "params", "summary"}]"""
    p = subprocess.run([BINARY, "--list-faults"], stdout=subprocess.PIPE, check=True, env=clean_env())
    return json.loads(p.stdout)


def fault_examples(*groups):
    """(id for a person, fault object, endpoints) of every example, of all groups or some."""
    out = []
    for kind in faults():
        if groups and kind["group"] not in groups:
            continue
        for fault in kind["examples"]:
            more = ",".join(f"{k}={v}" for k, v in fault.items() if k != "name")
            out.append((f"{kind['name']}[{more}]"[:80], fault, kind["endpoints"]))
    return out


class TestCa:
    __test__ = False

    def __init__(self, folder, challenge_port, *args, name="testca", listen="127.0.0.1:0", env=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.name, self.challenge_port = folder, name, challenge_port
        self.args = [str(a) for a in args]
        self.listen, self.env = listen, clean_env(**(env or {}))
        self.trust, self.root = folder / "ca.pem", folder / "root.pem"
        self.process = None

    def start(self, *more):
        """On the same port as before, so that URLs stay good; what it knew is forgotten."""
        (self.folder / f"{self.name}.out").unlink(missing_ok=True)
        self.process = Process(
            self.name, [BINARY, "--listen", self.listen, "--dir", self.folder, "--http-port",
                        self.challenge_port, *self.args, *more], self.folder, env=self.env)
        pattern = r"^ready (https://(\S+?)/dir) control http://(\S+):(\d+)$"
        self.process.wait_ready(lambda: re.search(pattern, self.process.out(), re.M))
        m = re.search(pattern, self.process.out(), re.M)
        self.directory, self.base = m[1], "https://" + m[2]
        self.control = (m[3], int(m[4]))
        self.where = ("127.0.0.1", int(m[2].rsplit(":", 1)[1]))
        self.listen = f"{self.listen.rsplit(':', 1)[0]}:{self.where[1]}"
        return self

    def stop(self):
        if self.process:
            code = self.process.stop()
            err = self.process.err()
            self.process = None
            assert code == 0, f"testca ended with {code}\n{err[-4000:]}"

    close = stop

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(*self.control, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            value = json.loads(answer.read())
            assert answer.status == 200, f"{method} {path}: {answer.status} {value}"
            return value
        finally:
            connection.close()

    def rules(self, *rules):
        """Adds; returns their ids."""
        return self.ask("POST", "/rules", list(rules))["ids"]

    def fault(self, endpoint, name, nth=1, count=0, **params):
        """One rule with one fault; parameters with _ for -."""
        fault = {"name": name, **{k.replace("_", "-"): v for k, v in params.items()}}
        return self.rules({"endpoint": endpoint, "nth": nth, "count": count, "fault": fault})

    def honest(self):
        """No rules any more."""
        self.ask("DELETE", "/rules")
        return self

    def rule_counts(self):
        return self.ask("GET", "/rules")

    def stats(self):
        return self.ask("GET", "/stats")

    def log(self, since=0, endpoint=None):
        entries = self.ask("GET", f"/log?since={since}")
        return [e for e in entries if endpoint is None or e["endpoint"] == endpoint]

    def tokens(self):
        """Of the newest authorizations."""
        return self.ask("GET", "/tokens")

    def count(self, endpoint):
        return self.stats()["requests"][endpoint]

    def knobs(self, **knobs):
        return self.ask("POST", "/knobs", {k.replace("_", "-"): v for k, v in knobs.items()})

    def reset(self, state=False):
        self.ask("POST", "/reset", {"state": state})
        return self

    def cpu(self):
        used = self.stats()["cpu"]
        return used["user"] + used["system"]
