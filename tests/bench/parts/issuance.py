# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates a second, and CPU for each, http-01 validated for real; beside it the floor."""
from rig import ms

LETTER, TITLE = "a", "issuance"


def run(rig):
    for storage in ("none", "file"):
        with rig.scope():
            ca = rig.testca(None, "--validate")
            off = {'storage "file"': {"type": "none", "directory": None}}
            daemon = rig.daemon(ca, off if storage == "none" else None)
            floor = rig.floor()
            warm = rig.csrs(100, "warm")
            rig.load(daemon.port, daemon.process.pid, bodies=warm, in_flight=8)
            rig.load(floor.port, floor.pid, bodies=warm, in_flight=8)
            for n in (1, 8, 64, 512):
                level(rig, ca, daemon, floor, n, storage)


def level(rig, ca, daemon, floor, n, storage):
    """Daemon and floor by turns, so that both see the same machine."""
    count = rig.size(3000 if n > 1 else 1000, 800 if n > 1 else 300)
    if storage == "file":
        count //= 2  # the disk is what takes the time
    runs, floors, of_ca = [], [], []
    for again in range(rig.size(3, 2)):
        bodies = rig.csrs(count, f"{storage}{n}r{again}x")
        before, orders = ca.cpu(), ca.count("new-order")
        runs.append(rig.load(daemon.port, daemon.process.pid, bodies=bodies, in_flight=n))
        assert ca.count("new-order") - orders == count, "every certificate is a new one"
        of_ca.append((ca.cpu() - before) / count)
        floors.append(rig.load(floor.port, floor.pid, bodies=bodies, in_flight=n))
    rig.facts[f"issuance_{storage}_{n}"] = {"runs": runs, "floors": floors, "ca": of_ca}
    mine, least = (min(r["cpu_each"] for r in x) for x in (runs, floors))
    fast = max(r["per_second"] for r in runs)
    where = f"{n} in flight, storage {storage}"
    rig.row("a", f"CPU per certificate, {where}", ms(mine), "1.0 ms",
            f"floor {ms(least)} (x {mine / least:.2f}), CA {ms(min(of_ca))}", number=mine, limit=0.001)
    rig.row("a", f"certificates/s, {where}", f"{fast:.0f}; {1 / mine:.0f} for a second of CPU",
            "900" if n == 64 else "", f"floor {max(r['per_second'] for r in floors):.0f}; {1 / least:.0f}",
            number=fast, floor=900 if n == 64 else None)
    p = min(runs, key=lambda r: r["p50"])
    rig.row("a", f"latency, {where}", f"median {p['p50'] / 1e3:.1f} ms, 99 % {p['p99'] / 1e3:.1f} ms")
