# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory: idle, for each order in flight, after many certificates; and a big cache directory."""
import subprocess
import time

from rig import cpu, ms, resident, ulimit, until, us

LETTER, TITLE = "d", "memory and a big cache"


def run(rig):
    idle_and_many(rig)
    in_flight(rig)
    big_cache(rig)


def idle_and_many(rig):
    total = rig.size(100000, 20000)
    with rig.scope():
        ca = rig.testca(None, "--validate")
        # Without a store, whose disk would take the time; the big cache shows what its index takes.
        daemon = rig.daemon(ca, {'storage "file"': {"type": "none", "directory": None}})
        pid = daemon.process.pid
        idle = resident(pid)
        rig.row("d", "resident, idle", f"{idle / 1024:.1f} MB", "8 MB", number=idle, limit=8 * 1024)
        seen = []
        for tenth in range(10):
            rig.load(daemon.port, pid, bodies=rig.csrs(total // 10, f"m{tenth}x"), in_flight=64)
            seen.append(resident(pid))
        rig.facts["resident_tenths_kb"] = seen
        each = (seen[-1] - seen[0]) * 1024 / (total * 0.9)
        rig.row("d", f"resident, after {total // 10} and after {total} certificates",
                f"{seen[0] / 1024:.1f} and {seen[-1] / 1024:.1f} MB ({each:.0f} bytes each)", "flat",
                number=seen[-1], limit=seen[0] * 1.1)


def in_flight(rig):
    count = min(rig.size(10000, 10000), ulimit() - 500)
    with rig.scope():
        ca = rig.testca(None, "--retry-after", "300")
        ca.fault("challenge", "challenge-never")
        daemon = rig.daemon(ca, {"mgmt": {"max-orders": count + 10, "timeout": 900, "order-timeout": 900,
                                          "shutdown-timeout": 0}})
        idle = resident(daemon.process.pid)
        load = subprocess.Popen(rig.load_argv(daemon.port, bodies=rig.csrs(count, "f"), in_flight=count),
                                stdout=subprocess.PIPE)
        rig.ends.callback(load.communicate)
        rig.ends.callback(load.terminate)
        until(lambda: ca.count("challenge") >= count or load.poll() is not None, 300, "all are in flight")
        assert load.poll() is None, load.stdout.read()
        time.sleep(1)
        now = resident(daemon.process.pid)
        each = (now - idle) / count
        rig.row("d", f"resident per order in flight, {count} of them", f"{each:.1f} KB "
                f"({now / 1024:.0f} MB)", "10 KB", "client connection included", number=each, limit=10)
        daemon.process.popen.kill()


def lookups(rig, daemon, bodies):
    """CPU and median of the first look at each entry, and of the second."""
    pid, out = daemon.process.pid, []
    for _ in range(2):
        r = rig.load(daemon.port, pid, bodies=bodies, in_flight=4)
        out.append((r["cpu_each"], r["p50"] / 1e6))
    return out


def started(daemon):
    begin = time.perf_counter()
    daemon.start()
    return time.perf_counter() - begin, cpu(daemon.process.pid)


def big_cache(rig):
    total, few = rig.size(100000, 20000), 1000
    with rig.scope():
        ca = rig.testca()
        daemon = rig.daemon(ca)
        model = rig.csrs(1, "model")
        rig.load(daemon.port, daemon.process.pid, bodies=model)
        daemon.stop()
        entry = daemon.entries()[0]
        # The same entries in both, so that only what lies beside them differs.
        asked = rig.csrs(few, "k")
        for count in (0, total):
            for csrs in [asked] + ([rig.csrs(count, "b")] if count else []):
                subprocess.run([rig.tool("entries"), "--csrs", csrs, "--model", entry, "--out",
                                daemon.storage], check=True)
            seconds, used = started(daemon)
            (cold, cold_s), (warm, warm_s) = lookups(rig, daemon, asked)
            if count:
                rig.load(daemon.port, daemon.process.pid, bodies=rig.csrs(count, "b"), in_flight=4)
            now = resident(daemon.process.pid)
            daemon.kill()  # an orderly end notes when each was fetched: that is not what is measured
            name = f"{count + few} entries"
            if not count:
                small = warm
            rig.row("d", f"start, {name}", f"{seconds * 1e3:.0f} ms, {ms(used)} CPU")
            rig.row("d", f"look-up, {name}", f"first {us(cold)} CPU, {cold_s * 1e3:.2f} ms; then {us(warm)}, "
                    f"{warm_s * 1e3:.2f} ms", "not slower" if count else "",
                    f"resident {now / 1024:.1f} MB when all were asked for", number=warm / small, limit=1.3 if count else None)
