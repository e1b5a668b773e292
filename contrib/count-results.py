#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds up results and prints one line: "N passed, N failed, N skipped".

Understands what `meson test` logs (*.json, one object a line; each test counts one) and JUnit XML
as pytest writes it (*.xml). Exit code 1 if anything failed, or if nothing ran at all.
"""
import argparse
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def count_meson(path):
    passed = failed = skipped = 0
    for line in path.read_text(errors="replace").splitlines():
        result = json.loads(line)["result"]
        if result in ("OK", "EXPECTEDFAIL"):
            passed += 1
        elif result == "SKIP":
            skipped += 1
        else:
            failed += 1
    return passed, failed, skipped


def count_junit(path):
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra-failed", type=int, default=0, help="steps that could not be done")
    parser.add_argument("path", type=pathlib.Path, help="a file, or a folder of them")
    args = parser.parse_args()

    total = [0, args.extra_failed, 0]
    for path in sorted(args.path.iterdir()) if args.path.is_dir() else [args.path]:
        try:
            counts = count_junit(path) if path.suffix == ".xml" else count_meson(path)
        except (ValueError, KeyError, ElementTree.ParseError) as e:
            print(f"{path}: not readable as a result: {e}", file=sys.stderr)
            counts = (0, 1, 0)
        print(f"    {path.stem:12} {counts[0]:5} passed {counts[1]:4} failed {counts[2]:4} skipped")
        total = [a + b for a, b in zip(total, counts)]
    passed, failed, skipped = total
    if passed + failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


sys.exit(main())
