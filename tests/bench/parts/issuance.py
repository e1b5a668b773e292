# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates a second, and CPU for each, http-01 validated for real; beside it the floor."""
from rig import ms

LETTER, TITLE = "a", "issuance"


def run(rig):
    with rig.scope():
        ca = rig.testca(None, "--validate")
        daemon = rig.daemon(ca)
        floor = rig.floor()
        pid = daemon.process.pid
        warm = rig.csrs(100, "warm")
        rig.load(daemon.port, pid, bodies=warm, in_flight=8)
        rig.load(floor.port, floor.pid, bodies=warm, in_flight=8)
        for n in (1, 8, 64, 512):
            level(rig, ca, daemon, floor, n)


def level(rig, ca, daemon, floor, n):
    count = rig.size(4000 if n > 1 else 1500, 1000 if n > 1 else 400)
    runs, floors, of_ca = [], [], []
    for again in range(rig.size(3, 2)):
        bodies = rig.csrs(count, f"i{n}r{again}x")
        before = ca.cpu()
        runs.append(rig.load(daemon.port, daemon.process.pid, bodies=bodies, in_flight=n))
        of_ca.append((ca.cpu() - before) / count)
        floors.append(rig.load(floor.port, floor.pid, bodies=bodies, in_flight=n))
    mine = min(r["cpu_each"] for r in runs)
    least = min(r["cpu_each"] for r in floors)
    fast = max(r["per_second"] for r in runs)
    rig.facts[f"issuance_{n}"] = {"runs": runs, "floors": floors, "ca": of_ca}
    rig.row("a", f"CPU per certificate, {n} in flight", ms(mine), "1.0 ms",
            f"floor {ms(least)} (x {mine / least:.2f}), CA {ms(min(of_ca))}", number=mine, limit=0.001)
    rig.row("a", f"certificates/s, {n} in flight", f"{fast:.0f}; {1 / mine:.0f} for a second of CPU",
            "900 for a core" if n >= 64 else "",
            f"floor {max(r['per_second'] for r in floors):.0f}; {1 / least:.0f}",
            number=1 / mine, floor=900 if n >= 64 else None)
    p = min(runs, key=lambda r: r["p50"])
    rig.row("a", f"latency, {n} in flight", f"median {p['p50'] / 1e3:.1f} ms, 99 % {p['p99'] / 1e3:.1f} ms")
