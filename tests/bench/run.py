#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""All benchmarks: what it costs, beside what bounds it, and beside the target.

    tests/bench/run.py [--quick] [--only a,b,..] [--json FILE] [--write] BUILD_FOLDER

Give it an optimised build without sanitizers. Its programs work in a folder below the build folder, which should
be on a real disk, and end with it. --write keeps the table in README.md here.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
BEGIN, END = "<!-- table: run.py --write -->", "<!-- end of table -->"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="small numbers: about six minutes")
    parser.add_argument("--only", help="letters of parts, such as a,b")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="keep the table in README.md")
    parser.add_argument("--pebble", help="folder of pebble and pebble-challtestsrv")
    return parser.parse_args()


def find_pebble(args):
    if args.pebble:
        return args.pebble
    p = subprocess.run([TOP / "contrib/pebble.sh", args.build / "pebble-new"], stdout=subprocess.PIPE,
                       text=True, check=False)
    return p.stdout.strip()


def table(rows, about):
    mark = {None: "", True: "met", False: "**missed**"}
    lines = [about, "", "| | what | measured | target | | beside it |", "|---|---|---|---|---|---|"]
    lines += [f"| {r.part} | {r.what} | {r.measured} | {r.target} | {mark[r.good]} | {r.beside} |" for r in rows]
    return "\n".join(lines)


def keep(text):
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


def about(before, args):
    after = os.getloadavg()
    return (f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores ({platform.machine()}), "
            f"load {before[0]:.1f} before and {after[0]:.1f} after{', --quick' if args.quick else ''}"
            f"{', only ' + args.only if args.only else ''}.")


def measure(args, rig, parts):
    for part in parts:
        if args.only and part.LETTER not in args.only.split(","):
            continue
        print(f"{part.LETTER}: {part.TITLE} (load {os.getloadavg()[0]:.1f})", flush=True)
        try:
            part.run(rig)
        except Exception as e:  # One part that fails must not hide the others.
            rig.row(part.LETTER, part.TITLE, f"failed: {' '.join(str(e).split())[:200]}", number=1, limit=0)


def tell(args, rig, before):
    text = table(rig.rows, about(before, args))
    print(f"\n{text}", flush=True)
    if args.write:
        keep(text)
    if args.json:
        args.json.write_text(json.dumps({"load": [before, os.getloadavg()], "facts": rig.facts,
                                         "rows": [r.json() for r in rig.rows]}, indent=1) + "\n")


def main():
    args = arguments()
    args.build = args.build.resolve()
    os.environ["ACMEMS_BIN"] = str(args.build / "src/bin/acmems")
    sys.path[:0] = [str(HERE), str(TOP / "tests/live")]
    from parts import cached, challenges, clients, growth, issuance, memory, stalls, watching
    from rig import Rig, ulimit
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _: sys.exit(128 + n))
    ulimit()
    before = os.getloadavg()
    folder = args.build / f"bench.{os.getpid()}"
    folder.mkdir()
    rig = Rig(args.build, folder, args.quick, find_pebble(args))
    try:
        with rig.ends:
            measure(args, rig, (issuance, cached, challenges, memory, stalls, clients, growth,
                                watching))
        tell(args, rig, before)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


sys.exit(main())
