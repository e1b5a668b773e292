# SPDX-License-Identifier: GPL-3.0-or-later
"""How cost grows: with the names of a request and with the auth blocks before the one that matches. (With orders
in flight: part a; with the size of the cache: part d.)"""
from rig import ms, us

LETTER, TITLE = "g", "growth"


def run(rig):
    names(rig)
    blocks(rig)


def names(rig):
    with rig.scope():
        ca = rig.testca(None, "--validate")
        daemon = rig.daemon(ca, {"mgmt": {"max-size": "64k"}})
        rig.load(daemon.port, daemon.process.pid, bodies=rig.csrs(100, "warm"), in_flight=8)
        one = None
        for n, count in ((1, rig.size(2000, 500)), (10, rig.size(400, 100)), (100, rig.size(60, 20))):
            r = rig.load(daemon.port, daemon.process.pid, bodies=rig.csrs(count, "g", n), in_flight=4)
            each = r["cpu_each"] / n
            one = one or each
            rig.row("g", f"CPU per certificate of {n} names", f"{ms(r['cpu_each'])}, {ms(each)} a name",
                    "linear or better", number=each / one, limit=1.2)


VARIANTS = {
    "domain": lambda i: {"ip": "127.0.0.1", "domain": f"*.d{i}.example.net"},
    "network": lambda i: {"ip": f"10.{i // 250}.{i % 250}.0/24", "domain": "*.example.org"},
    "key": lambda i: {"hmac_type": "sha256", "hmac_key": f"key {i}", "domain": "*.example.org"},
}


def blocks(rig):
    for name, section in VARIANTS.items():
        with rig.scope():
            ca, least = rig.testca(), None
            bodies = rig.csrs(200, "a")
            for n in (10, 1000):
                conf = {'auth "test"': None, **{f'auth "b{i}"': section(i) for i in range(n - 1)}}
                key = "the right key" if name == "key" else None
                last = {"domain": "*.example.org"}
                last.update({"hmac_type": "sha256", "hmac_key": key} if key else {"ip": "127.0.0.1"})
                daemon = rig.daemon(ca, {**conf, 'auth "last"': last})
                rig.load(daemon.port, daemon.process.pid, bodies=bodies, key=key, in_flight=8)
                r = rig.best(2, daemon.port, daemon.process.pid, bodies=bodies, key=key, in_flight=16,
                             count=rig.size(20000, 5000))
                daemon.process.stop()
                least = least or r["cpu_each"]
                rig.row("g", f"CPU per cached answer, {n} auth blocks that differ by {name}",
                        us(r["cpu_each"]), "not slower", number=r["cpu_each"] / least, limit=1.3)
