# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the loop stands still: GET /healthz each millisecond while certificates are issued and stored
durably. The same probe at a bare server beside it shows what the machine alone does."""
import json
import signal

from lab.util import port_open

LETTER, TITLE = "e", "stalls of the loop"


def probe(rig, name, port):
    return rig.start(name, [rig.tool("probe"), "--port", port], lambda: port_open(port))


def said(process):
    process.stop(signal.SIGTERM)
    return json.loads(process.out())


def text(r):
    return f"99.9 % {r['p999'] / 1e3:.2f} ms, longest {r['max'] / 1e3:.2f} ms, {r['above_2ms']} of " \
        f"{r['answers']} above 2 ms"


def run(rig):
    for storage, n in (("none", 8), ("file", 8), ("file", 64)):
        with rig.scope():
            ca = rig.testca(None, "--validate")
            conf = {'storage "file"': {"type": "none", "directory": None}} if storage == "none" else {}
            daemon, bare = rig.daemon(ca, conf), rig.bare(3)
            rig.load(daemon.port, daemon.process.pid, bodies=rig.csrs(100, "warm"), in_flight=8)
            ours, theirs = probe(rig, "probe", daemon.port), probe(rig, "probe-bare", bare.port)
            rig.load(daemon.port, daemon.process.pid, in_flight=n,
                     bodies=rig.csrs(rig.size(4000, 1000), f"s{storage}{n}x"))
            a, b = said(ours), said(theirs)
            rig.facts[f"stall_{storage}_{n}"] = {"acmems": a, "bare": b}
            rig.row("e", f"probe, {n} in flight, storage {storage}", text(a), "longest 2 ms",
                    f"bare: {text(b)}", number=a["max"], limit=2000)
