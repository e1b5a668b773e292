# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to be watched: a scrape of /metrics, and the walk that counts the certificates."""
import hashlib
import json

from lab.http import request
from lab.util import free_port

from rig import cpu, ms, resident, until

LETTER, TITLE = "h", "metrics"


def fill(daemon, count):
    """Entries for names of their own; the certificate is the same in all."""
    model = daemon.entries()[0]
    cert, csr = ((model / name).read_bytes() for name in ("cert.pem", "csr.pem"))
    meta = json.loads((model / "meta.json").read_text())
    for i in range(count):
        key = hashlib.sha384(b"%d" % i).hexdigest()
        entry = daemon.storage / key[:2] / key[2:]
        entry.mkdir(parents=True, mode=0o700)
        meta["names"] = [f"n{i}.example.org"]
        for name, data in (("csr.pem", csr), ("meta.json", json.dumps(meta).encode()), ("cert.pem", cert)):
            (entry / name).write_bytes(data)


def held(port):
    for line in request(("127.0.0.1", port), "GET", "/metrics").body.decode().splitlines():
        if line.startswith("acmems_certificates{"):
            return int(float(line.split()[-1]))
    return None


def run(rig):
    many = rig.size(10000, 2000)
    with rig.scope():
        ca, port = rig.testca(), free_port()
        daemon = rig.daemon(ca, {"status": {"listener": f"127.0.0.1:{port}"}})
        rig.load(daemon.port, daemon.process.pid, bodies=rig.csrs(1, "w"))
        for count in (1, many + 1):
            if count > 1:
                daemon.stop()
                fill(daemon, many)
                daemon.start()
            before, small = cpu(daemon.process.pid), resident(daemon.process.pid)
            until(lambda: held(port) is not None, 300, "the certificates are counted")
            assert held(port) == count
            walk = cpu(daemon.process.pid) - before
            each = rig.best(3, port, daemon.process.pid, path="/metrics", count=300)
            rig.row("h", f"a scrape, {count} certificates",
                    f"{ms(each['cpu_each'])} CPU, median {each['p50'] / 1e3:.2f} ms", "2 ms CPU",
                    "" if count == 1 else f"counting them took {ms(walk / count)} CPU each, "
                    f"{(resident(daemon.process.pid) - small) / 1024:.1f} MB in all",
                    number=each["cpu_each"] * 1e3, limit=2)
