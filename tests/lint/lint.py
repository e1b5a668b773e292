#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""lint.py CHECK TOP: one check of the source tree. Exit code 1 with a list, 77 if a tool is missing.

Every finding is FILE:LINE: what is wrong.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOMS = ["base", "codec", "ev", "http", "dns", "acme", "challenge", "issue", "mgmt", "app", "bin"]

# Header of an outside library -> the only folders, or files, of src/ that may include it.
HOMES = [
    (r"jansson\.h", ["codec/"]),
    (r"openssl/", ["codec/", "http/"]),
    (r"event2/dns", ["ev/"]),
    (r"event2/(http|bufferevent_ssl)", ["http/"]),
    (r"event2/", ["ev/", "http/"]),
    (r"ldns/", ["dns/"]),
    (r"hiredis", ["issue/store_redis."]),
    (r"systemd/sd-journal\.h", ["base/log_journal."]),
    (r"systemd/", ["app/service.", "base/log_journal."]),
    (r"liburing", ["base/", "issue/"]),
]

# Of Debian 12.
FORMAT_VERSION = "14"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TOP = None


def tracked():
    """Files of the tree: git's, else everything that is no build folder."""
    try:
        out = subprocess.run(["git", "-C", TOP, "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             check=True).stdout
        names = [n for n in out.decode().split("\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(TOP)) for p in TOP.rglob("*")
                 if not any(x.startswith("build") or x in (".git", "__pycache__")
                            for x in p.relative_to(TOP).parts)]
    return sorted(n for n in names if (TOP / n).is_file())


def sources(*suffixes, under=()):
    return [n for n in tracked() if n.endswith(suffixes)
            and (not under or any(n.startswith(u) for u in under))]


def lines(name):
    text = (TOP / name).read_text(encoding="utf-8", errors="replace")
    return list(enumerate(text.splitlines(), 1))


def room_of(name):
    """The room of a file under src/ or of a unit test that mirrors it, or None."""
    m = re.match(r"(?:src|tests/unit)/([^/]+)/", name)
    return m.group(1) if m else None


def check_includes():
    found = []
    for name in sources(".c", ".h", under=["src/", "tests/unit/"]):
        room = room_of(name)
        if room not in ROOMS:
            if name.startswith("src/") and name.count("/") > 1:
                found.append(f"{name}:1: folder '{room}' is not one of the rooms")
            continue
        for number, line in lines(name):
            m = INCLUDE.match(line)
            if not m or m.group(1) != '"':
                continue
            target = m.group(2)
            if target == "config.h":
                continue
            top = target.split("/")[0]
            if "/" not in target or top not in ROOMS:
                if name.startswith("src/"):
                    found.append(f'{name}:{number}: "{target}" is not written from src/')
            elif ROOMS.index(top) > ROOMS.index(room):
                found.append(f"{name}:{number}: {room}/ includes {top}/, which is below it")
            elif name.startswith("src/") and not (TOP / "src" / target).is_file():
                found.append(f"{name}:{number}: there is no src/{target}")
            elif re.search(r"_(private|internal)\.h$", target) and top != room:
                found.append(f"{name}:{number}: {target} is private to {top}/")
    return found


def check_libraries():
    found = []
    for name in sources(".c", ".h", under=["src/"]):
        for number, line in lines(name):
            m = INCLUDE.match(line)
            if not m:
                continue
            for header, homes in HOMES:
                if re.match(header, m.group(2)):
                    if not any(name.startswith("src/" + h) for h in homes):
                        found.append(f"{name}:{number}: <{m.group(2)}> belongs to {', '.join(homes)} only")
                    break
    return found


def check_spdx():
    found = []
    for name in tracked():
        path = pathlib.PurePosixPath(name)
        head = "".join(t for _, t in lines(name)[:3]) if is_text(name) else ""
        wanted = path.suffix in (".c", ".h", ".py", ".sh") or path.name == "meson.build" or \
            head.startswith("#!")
        if wanted and "SPDX-License-Identifier: GPL-3.0-or-later" not in head:
            found.append(f"{name}:1: no SPDX-License-Identifier line")
    return found


def is_text(name):
    return b"\0" not in (TOP / name).read_bytes()[:8192]


# Written so that this file does not find itself.
WORDS = [r"/wo" + r"rk/", r"\bdeb\.deb" + r"ian\.org", r"\barchive\.ubu" + r"ntu\.com", r"\bTO" + r"DO\b",
         r"\bFIX" + r"ME\b", r"\bXX" + r"X\b"]


def check_words():
    """Nothing of the machine this was written on, no mirror's name, nothing left to do."""
    found = []
    pattern = re.compile("|".join(WORDS))
    for name in tracked():
        if name == "COPYING" or not is_text(name):
            continue
        for number, line in lines(name):
            m = pattern.search(line)
            if m:
                found.append(f"{name}:{number}: '{m.group(0)}' does not belong here")
    return found


def need(tool):
    path = shutil.which(tool)
    if not path:
        print(f"{tool} is not installed")
        sys.exit(77)
    return path


def run(argv):
    return subprocess.run(argv, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace")


def check_format():
    tool = need("clang-format")
    version = re.search(r"version (\d+)", run([tool, "--version"]).stdout)
    if not version or version.group(1) != FORMAT_VERSION:
        print(f"clang-format {FORMAT_VERSION} is the measure: others lay out a few lines differently")
        sys.exit(77)
    p = run([tool, "--dry-run", "-Werror", *sources(".c", ".h", under=["src/", "tests/"])])
    return [x for x in p.stdout.splitlines() if re.search(r": (error|warning):", x)] or \
        ([p.stdout] if p.returncode else [])


def check_shell():
    tool = need("shellcheck")
    scripts = []
    for name in tracked():
        if not is_text(name):
            continue
        first = lines(name)[0][1] if lines(name) else ""
        if name.endswith(".sh") or re.match(r"#!.*\b(ba|da)?sh\b", first):
            scripts.append(name)
    # -x and -P: follow what is sourced, from the top of the tree.
    p = run([tool, "-x", "-P", str(TOP), "-f", "gcc", *scripts])
    return p.stdout.splitlines() if p.returncode else []


def check_man():
    tool = need("mandoc")
    pages = [n for n in tracked() if re.search(r"\.[1-9]$", n)]
    if not pages:
        return ["no manual page found"]
    found = []
    for page in pages:
        p = run([tool, "-T", "lint", "-W", "warning", page])
        found += [x for x in p.stdout.splitlines() if x.strip()]
        if not found and p.returncode:
            found.append(f"{page}:1: mandoc ends with {p.returncode}")
    return found


def options():
    """(section, option or alias) of the parser's one table."""
    table = TOP / "src/app/conf_options.c"
    if not table.is_file():
        return None
    row = re.compile(r'^\s*\{"(\w+)",\s*(?:NULL|\w+|"[^"]*"),\s*"([^"]+)"([^}]*)\}', re.M)
    entries = set()
    for section, name, rest in row.findall(table.read_text()):
        alias = re.search(r'\.alias\s*=\s*"([^"]+)"', rest)
        entries.add((section, name, alias.group(1) if alias else None))
    return sorted(entries, key=str)


def check_switches():
    """Every option of acme-get is in its --help and in acme-get(1)."""
    source = (TOP / "src/app/get_options.c").read_text()
    names = re.findall(r'^\s*\{"([a-z-]+)", ROW_', source, re.M)
    if len(names) < 15:
        return [f"src/app/get_options.c:1: only {len(names)} options understood: has the table's form changed?"]
    manual = (TOP / "contrib/man/acme-get.1").read_text()
    usage = source[source.index("get_options_usage[]"):source.index(";\n", source.index("get_options_usage[]"))]
    return [f"contrib/man/acme-get.1:1: --{n} is missing" for n in names
            if not re.search(rf"^\.It (.* )?Fl -{n}( |$)", manual, re.M)] + \
        [f"src/app/get_options.c:1: --{n} is missing in --help" for n in names
         if not re.search(rf"--{n}(?![a-z-])", usage)]


def check_options():
    """Every option the parser knows is in the commented example and in acmems.conf(5)."""
    entries = options()
    if entries is None:
        return ["src/app/conf_options.c: not found"]
    if len(entries) < 40:
        return [f"src/app/conf_options.c:1: only {len(entries)} options understood: has the table's form changed?"]
    found = []
    example = TOP / "examples/acmems.conf"
    manual = [TOP / n for n in tracked() if n.endswith("acmems.conf.5")]
    if not example.is_file():
        found.append("examples/acmems.conf: not found")
    if not manual:
        found.append("acmems.conf.5: not found")
    in_example, section = set(), None
    for _, line in lines(str(example.relative_to(TOP))) if example.is_file() else []:
        m = re.match(r'#?\s*\[(\w+)', line)
        if m:
            section = m.group(1)
        m = re.match(r"#?\s*([a-z][a-zA-Z0-9_-]*)\s*=", line)
        if m:
            in_example.add((section, m.group(1)))
    text = manual[0].read_text().replace("\\-", "-") if manual else ""
    for section, name, alias in entries:
        # The Python program's own: only ever a warning, so an example must not show it.
        obsolete = (section, name) == ("logging", "config-file")
        if example.is_file() and not obsolete and (section, name) not in in_example:
            found.append(f"examples/acmems.conf:1: [{section}] {name} is missing")
        for n in (name, alias):
            if manual and n and not re.search(r"(?<![\w-])" + re.escape(n) + r"(?![\w-])", text):
                found.append(f"acmems.conf.5:1: [{section}] {n} is missing")
    return found


def source_text():
    """What src/ and the shell client say, strings joined as the compiler joins them."""
    text = "\n".join((TOP / n).read_text() for n in sources(".c", under=["src/"]))
    text = re.sub(r'"\s*\n\s*"', "", text)
    return text.replace('\\"', '"') + (TOP / "contrib/client/acmems-sign").read_text()


def check_readme():
    """README.md knows every option with its default and no other, every message it explains is still
    said, and every file it names is there."""
    found, said = [], source_text()
    table = (TOP / "src/app/conf_options.c").read_text()
    known, given, sections = {}, {}, []
    for section, name, rest in re.findall(
            r'^\s*\{"(\w+)",\s*(?:NULL|\w+|"[^"]*"),\s*"([^"]+)"([^}]*)\}', table, re.M):
        default = re.search(r'\.fallback\s*=\s*"([^"]*)"', rest)
        known.setdefault((section, name), set()).add(default.group(1) if default else "-")
    heading = None
    for number, line in lines("README.md"):
        if line.startswith("#"):
            heading = line.lstrip("# ")
            sections = re.findall(r"`\[(\w+)", line)
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        option = re.match(r"\|.*?\| `([\w-]+)` \| (-|`[^`]*`) \|", line) or \
            re.match(r"\| `([\w-]+)` \| (-|`[^`]*`) \|", line)
        if sections and option:
            section = next((s for s in sections if len(sections) == 1 or f"`[{s}]`" in line), None)
            given.setdefault((section, option.group(1)), set()).add(option.group(2).strip("`"))
            if (section, option.group(1)) not in known:
                found.append(f"README.md:{number}: there is no option {option.group(1)} in [{section}]")
        if heading == "Troubleshooting" and line.startswith("| `"):
            for part in cells[0].strip("| `").split("..."):
                if len(part.strip()) > 3 and part.strip() not in said:
                    found.append(f"README.md:{number}: nothing in src/ says '{part.strip()}'")
        for page in re.findall(r"`(acme[\w.-]*\(\d\))`", line):
            if not (TOP / "contrib/man" / page[:-1].replace("(", ".")).exists():
                found.append(f"README.md:{number}: there is no {page}")
        for option in re.findall(r"(?<!/)acmems --([a-z]+)", line):
            if f'"{option}"' not in said:
                found.append(f"README.md:{number}: acmems has no --{option}")
        for target in re.findall(r"\]\(([^)#:]+)\)", line):
            if not (TOP / target).exists():
                found.append(f"README.md:{number}: there is no {target}")
        for target in re.findall(r"\]\(#([^)]+)\)", line):
            anchors = [re.sub(r"[^\w -]", "", t.lstrip("# ").lower()).strip().replace(" ", "-")
                       for _, t in lines("README.md") if t.startswith("#")]
            if target not in anchors:
                found.append(f"README.md:{number}: there is no heading for #{target}")
    for key in sorted(known):
        if known[key] != given.get(key):
            found.append(f"README.md:1: [{key[0]}] {key[1]}: {given.get(key, 'nothing')} is said, "
                         f"{known[key]} it is")
    return found


def check_meson():
    """Every source file is built: one that no meson.build names is dead."""
    found = []
    for name in sources(".c", under=["src/", "tests/"]):
        path = pathlib.PurePosixPath(name)
        for folder in path.parents:
            build = TOP / folder / "meson.build"
            if build.is_file():
                base = re.escape(path.stem.removeprefix("test_"))
                if not re.search(rf"(?<![\w-])(test_)?{base}(?![\w-])", build.read_text()):
                    found.append(f"{name}:1: {folder}/meson.build does not name it")
                break
    return found


def main():
    global TOP
    if len(sys.argv) != 3 or f"check_{sys.argv[1]}" not in globals():
        print(__doc__)
        return 2
    TOP = pathlib.Path(sys.argv[2]).resolve()
    found = globals()[f"check_{sys.argv[1]}"]()
    for line in found[:200]:
        print(line)
    return 1 if found else 0


sys.exit(main())
