# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers to http-01 challenges, beside bare evhttp and nginx with a static file."""
import socket
import subprocess

from lab.http import request
from lab.util import free_port

from rig import us

LETTER, TITLE = "c", "challenge answers"


def run(rig):
    with rig.scope():
        # The CA asks here, and is never answered: so the order stays, and the path is known.
        ear = socket.create_server(("127.0.0.1", 0))
        rig.ends.callback(ear.close)
        ca = rig.testca(ear.getsockname()[1], "--validate", "--validation-timeout", "600000",
                        "--retry-after", "60")
        ca.challenge_port = free_port()
        daemon = rig.daemon(ca)
        held = subprocess.Popen(rig.load_argv(daemon.port, bodies=rig.csrs(1, "h")),
                                stdout=subprocess.DEVNULL)
        rig.ends.callback(held.wait)
        rig.ends.callback(held.terminate)
        ear.settimeout(20)
        connection = ear.accept()[0]
        rig.ends.callback(connection.close)
        path = connection.recv(4096).split()[1].decode()
        answer = request(daemon.challenge, "GET", path)
        assert answer.status == 200, answer
        bare, nginx = rig.bare(len(answer.body)), rig.nginx({path: answer.body})
        for new in (False, True):
            kind(rig, daemon, bare, nginx, path, new)


def kind(rig, daemon, bare, nginx, path, new):
    name = "new connections" if new else "keep-alive"
    rounds = rig.size(3, 2)
    common = {"in_flight": 64, "count": rig.size(80000, 20000) // (2 if new else 1), "new": new, "path": path}
    mine = rig.best(rounds, daemon.challenge_port, daemon.process.pid, **common)
    other = rig.best(rounds, bare.port, bare.pid, **common)
    mine = min(mine, rig.best(rounds, daemon.challenge_port, daemon.process.pid, **common),
               key=lambda r: r["cpu_each"])
    web = nginx and rig.best(rounds, nginx.port, nginx.pid, **common)
    ratio = mine["cpu_each"] / other["cpu_each"]
    rig.facts[f"challenge_{name}"] = {"acmems": mine, "bare": other, "nginx": web}
    rig.row("c", f"CPU per challenge answer, {name}", f"{us(mine['cpu_each'])} (x {ratio:.2f})", "x 1.3",
            f"bare {us(other['cpu_each'])}, nginx {us(web['cpu_each']) if web else 'missing'}",
            number=ratio, limit=1.3)
    rig.row("c", f"challenge answers/s, {name}", f"{mine['per_second']:.0f}", "",
            f"bare {other['per_second']:.0f}, nginx {web['per_second'] if web else 0:.0f}")
