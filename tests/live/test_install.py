# SPDX-License-Identifier: GPL-3.0-or-later
"""meson dist and meson install: the tarball builds, its tests can be set up, all of it is installed."""
import os
import stat
import tarfile

import pytest

from lab.daemon import ROOT
from lab.util import clean_env, run


@pytest.fixture(scope="module")
def tarball(tmp_path_factory):
    """What meson dist packs: the last commit, not what lies in this folder."""
    if not (ROOT / ".git").exists():
        pytest.skip("meson dist needs a checkout of git")
    build = tmp_path_factory.mktemp("dist") / "build"
    env = clean_env(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="safe.directory", GIT_CONFIG_VALUE_0="*")
    run("meson", "setup", "-Dtests=false", build, ROOT, env=env)
    run("meson", "dist", "--no-tests", "--allow-dirty", "-C", build, env=env)
    made, = (build / "meson-dist").glob("*.tar.xz")
    return made


@pytest.fixture(scope="module")
def source(tarball, tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(tarball) as t:
        t.extractall(folder)
    top, = folder.iterdir()
    return top


def test_tarball_is_complete(tarball, source):
    assert tarball.name == f"{source.name}.tar.xz" and source.name.startswith("acmems-")
    tracked = run("git", "-c", "safe.directory=*", "-C", ROOT, "ls-tree", "-r", "--name-only",
                  "HEAD").stdout.split()
    packed = {str(p.relative_to(source)) for p in source.rglob("*") if not p.is_dir()}
    assert packed == set(tracked)
    for script in source.glob("contrib/*.sh"):
        if script.name != "lib.sh":
            assert os.access(script, os.X_OK), script


def test_tests_of_the_tarball_can_be_set_up(source, tmp_path):
    run("meson", "setup", "-Dwerror=true", tmp_path / "build", source, env=clean_env())
    tests = run("meson", "test", "-C", tmp_path / "build", "--list", env=clean_env()).stdout
    for suite in ("unit", "flow", "lint"):
        assert f"acmems:{suite} / " in tests


def test_tarball_builds_and_installs(source, tmp_path):
    build, root = tmp_path / "build", tmp_path / "root"
    run("meson", "setup", "--prefix=/usr", "--buildtype=release", "-Dtests=false", "-Dwerror=true", build,
        source, env=clean_env())
    # Everybody must be able to read what a careful root installs.
    run("sh", "-c", 'umask 077 && exec meson install -C "$1" --destdir "$2"', "sh", build, root,
        timeout=300, env=clean_env())
    files = {str(p.relative_to(root)): p for p in root.rglob("*") if not p.is_dir()}
    programs = [n for n in files if n.startswith(("usr/bin/", "usr/sbin/"))]
    assert "usr/sbin/acmems" in programs
    for name in programs:
        assert stat.S_IMODE(files[name].stat().st_mode) == 0o755, name
        # A program without a page is half a program.
        assert [n for n in files if n.startswith("usr/share/man/")
                and n.split("/")[-1].rsplit(".", 1)[0] == name.split("/")[-1]], name
    assert "usr/share/man/man5/acmems.conf.5" in files
    for folder in ("examples", "contrib/grafana", "contrib/prometheus"):
        for example in (source / folder).iterdir():
            assert f"usr/share/doc/acmems/{example.parent.name}/{example.name}" in files
    for unit in (source / "contrib/systemd").glob("acmems.*"):
        assert f"usr/lib/systemd/system/{unit.name}" in files
    # Nothing of the build.
    assert not [n for n in files if n.endswith((".a", ".h", ".o"))]
    version = source.name.split("-")[1]
    assert run(files["usr/sbin/acmems"], "--version").stdout == f"acmems {version}\n"
    assert str(build).encode() not in files["usr/sbin/acmems"].read_bytes()
