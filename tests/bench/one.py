#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one certificate costs: latency from a warm daemon against Pebble, CPU time, memory.

    tests/bench/one.py [--count 1000] [--pebble FOLDER] [--json FILE] build/src/bin/acmems

FOLDER holds pebble and pebble-challtestsrv (default: what contrib/pebble.sh finds). Give it an
optimised build without sanitizers. CSRs are made before the clock starts. Everything is on loopback;
two cores are shared by all, so compare CPU time and ratios rather than requests per second.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/live"))


def memory(pid):
    """Resident kilobytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--pebble")
    parser.add_argument("--json")
    args = parser.parse_args()
    os.environ["ACMEMS_BIN"] = os.path.abspath(args.binary)

    from lab.csr import Csrs
    from lab.daemon import Daemon
    from lab.http import request
    from lab.pebble import Pebble
    from lab.tls import TlsCa
    from lab.util import free_port, run

    folder = pathlib.Path(tempfile.mkdtemp(prefix="acmems-bench."))
    programs = args.pebble or run(TOP / "contrib/pebble.sh", TOP / "build-test/pebble-new",
                                  timeout=300).stdout.strip()
    tls = TlsCa(folder / "tls")
    csrs = Csrs(folder / "csr")
    print(f"{args.count} CSRs", file=sys.stderr)
    bodies = [csrs.make(f"n{i}.example.org") for i in range(args.count)]

    # Retry-After is obeyed: with Pebble's usual second each certificate would take one.
    pebble = Pebble(folder / "pebble", programs, tls, free_port(), True,
                    retryAfter={"authz": 0, "order": 0}).start()
    daemon = Daemon(folder / "acmems", directory=pebble.directory, ca_file=tls.root,
                    challenge_port=pebble.config["httpPort"],
                    conf={"logging": {"level": "warning"}})
    try:
        daemon.start()
        # Idle is after the account is there: one certificate, not counted.
        assert daemon.sign(csrs.make("warm.example.org")).status == 200
        idle, cpu = memory(daemon.process.pid), daemon.cpu()
        times = []
        for body in bodies:
            started = time.perf_counter()
            r = daemon.sign(body)
            times.append(time.perf_counter() - started)
            assert r.status == 200, repr(r)
        cpu = daemon.cpu() - cpu
        after = memory(daemon.process.pid)

        cached = []
        cpu_cached = daemon.cpu()
        rounds = 5 * len(bodies)
        for i in range(rounds):
            started = time.perf_counter()
            assert request(daemon.where, "POST", "/sign", bodies[i % len(bodies)]).status == 200
            cached.append(time.perf_counter() - started)
        cpu_cached = daemon.cpu() - cpu_cached
        daemon.stop()
    finally:
        if daemon.process and daemon.process.alive():
            daemon.process.stop()
        pebble.close()
        subprocess.run(["rm", "-rf", str(folder)], check=False)

    rows = {
        "certificates": len(times),
        "one certificate, median": f"{statistics.median(times) * 1e3:.1f} ms",
        "one certificate, 95 %": f"{quantile(times, 0.95) * 1e3:.1f} ms",
        "CPU per certificate": f"{cpu / len(times) * 1e3:.2f} ms",
        "cached answer, median (new connection)": f"{statistics.median(cached) * 1e3:.2f} ms",
        "CPU per cached answer": f"{cpu_cached / rounds * 1e6:.0f} us",
        "resident memory, idle": f"{idle / 1024:.1f} MB",
        f"resident memory, after {len(times)}": f"{after / 1024:.1f} MB",
    }
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(
            {"median_s": statistics.median(times), "cpu_s": cpu / len(times), "idle_kb": idle,
             "after_kb": after, "cached_cpu_s": cpu_cached / rounds}) + "\n")


main()
