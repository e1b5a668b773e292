# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian packages: built, looked at, installed into a fresh root tree, used, removed."""
import os
import re
import shlex
import stat

import pytest

from lab.csr import pubkey_of
from lab.daemon import ROOT
from lab.tree import Service, Tree, conf_for, need_tree
from lab.util import clean_env, free_port, run

# One worker builds them, for all tests here.
pytestmark = pytest.mark.xdist_group("package")

one_pebble = pytest.mark.parametrize("make_pebble", ["old"], indirect=True)

CONF = "/etc/acmems/config.ini"


@pytest.fixture(scope="module")
def debs(tmp_path_factory):
    """{name: file}; the .changes beside them."""
    need_tree()
    out = tmp_path_factory.mktemp("package")
    run(ROOT / "contrib/package.sh", out, timeout=300, cwd=out,
        env=clean_env(DEB_BUILD_OPTIONS="nocheck noautodbgsym", DEB_BUILD_PROFILES="nocheck"))
    return {p.name.split("_")[0]: p for p in out.glob("*.deb")}


@pytest.fixture
def tree(tmp_path):
    t = Tree(tmp_path / "tree")
    yield t
    t.close()


def unit(tree):
    """What the installed unit would run: {option: value}."""
    path = tree.run("sh", "-c", "dpkg -L acmems | grep /acmems.service$").stdout.strip()
    return dict(re.findall(r"^(\w+)=(.*)", (tree / path).read_text(), re.M))


def command(tree):
    """The unit's command, user and directory, without systemd."""
    u = unit(tree)
    return tree.argv("sh", "-c", f"cd {u['WorkingDirectory']} && exec {u['ExecStart']}", user=u["User"])


@pytest.fixture
def start(tmp_path):
    """start(tree, port) -> the service as its unit describes it."""
    made = []

    def make(tree, port):
        made.append(Service(command(tree), tmp_path, port, env=tree.env))
        return made[-1]
    yield make
    for s in made:
        s.process.stop()


def put(tree, path, text, mode=0o640, owner="root:acmems"):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text)
    (tree / path).chmod(mode)
    tree.run("chown", owner, path)


def test_lintian_finds_no_error(debs):
    changes, = debs["acmems"].parent.glob("*.changes")
    p = run("lintian", "--allow-root", "--fail-on", "error", changes, check=False, timeout=120)
    assert p.returncode == 0, p.stdout + p.stderr


@one_pebble
def test_installed_signs_and_purged(debs, tree, pebble, tls, csrs, cert, start, tmp_path):
    before = tree.files()
    tree.install(debs["acmems"], debs["macen-compat"])
    version = tree.run("acmems", "--version").stdout
    assert tree.run("macen", "--version").stdout == version
    assert re.fullmatch(r"acmems " + re.escape(debs["acmems"].name.split("_")[1]) + r"\n", version)

    # Nothing runs before somebody has set it up: an example only.
    assert not (tree / CONF).exists()
    tree.run("acmems", "--check", f"{CONF}.example", user="acmems")
    assert f"{CONF}.example" in tree.run("dpkg-query", "-W", "-f", "${Conffiles}", "acmems").stdout
    assert unit(tree)["ExecStart"].endswith(f"acmems {CONF}")
    for folder, kind in (("/var/lib/acmems", "State"), ("/var/log/acmems", "Logs")):
        assert tree.owner(folder) == "acmems"
        mode = stat.S_IMODE((tree / folder).stat().st_mode)
        # systemd would change it to what the unit says.
        assert mode == int(unit(tree)[f"{kind}DirectoryMode"], 8) and not mode & 0o007
    wanted = tree / "/etc/systemd/system"
    assert (wanted / "multi-user.target.wants/acmems.service").is_symlink()
    assert not (wanted / "sockets.target.wants/acmems.socket").is_symlink()
    for page in ("man8/acmems.8.gz", "man5/acmems.conf.5.gz", "man8/macen.8.gz"):
        assert (tree / f"usr/share/man/{page}").exists()

    text, port = conf_for(pebble, tls, "/var/lib/acmems")
    put(tree, "/var/lib/acmems/ca.pem", tls.root.read_text())
    put(tree, CONF, text)
    service = start(tree, port)
    c = cert(service.sign(csrs.make("www.example.org")))
    assert c.names == ["www.example.org"] and c.pubkey() == pubkey_of(csrs.key())
    assert tree.owner("/var/lib/acmems/account/account.pem") == "acmems"
    assert service.stop() == 0

    # Removed, it is still there for the next time; purged, nothing is.
    tree.run("apt-get", "-q", "-y", "remove", "acmems")
    assert (tree / "/var/lib/acmems/account/account.pem").exists()
    tree.run("apt-get", "-q", "-y", "purge", "acmems")
    left = {p for p in tree.files() - before if re.search("acmems|macen", p)}
    assert not left
    for name in ("passwd", "group", "shadow", "gshadow"):
        assert "acmems" not in (tree / "etc" / name).read_text()
    assert "acmems" not in tree.run("dpkg", "-l").stdout


def test_purge_keeps_the_user_who_owns_elsewhere(debs, tree):
    tree.install(debs["acmems"])
    put(tree, CONF, "[account]\ndir = /srv/account\n")
    put(tree, "/srv/account/account.pem", "a key")
    tree.run("chown", "-R", "acmems:acmems", "/srv/account")
    p = tree.run("apt-get", "-q", "-y", "purge", "acmems")
    assert "directories elsewhere belong to it" in p.stdout + p.stderr
    assert tree.owner("/srv/account") == "acmems"
    assert not (tree / "/etc/acmems").exists()


@pytest.fixture
def old_package(tmp_path):
    """What acme-mgmtserver was: programs of the same name, a user, directories."""
    top = tmp_path / "acme-mgmtserver"
    for path, text, mode in (
            ("DEBIAN/control", "Package: acme-mgmtserver\nVersion: 0.4.0\nArchitecture: all\n"
             "Maintainer: nobody <nobody@example.org>\nDescription: the Python server\n", 0o644),
            ("DEBIAN/postinst", "#!/bin/sh\nset -e\nadduser --quiet --system --group --no-create-home "
             "--home /var/lib/acmems acmems\nchown acmems:acmems /var/lib/acmems /var/log/acmems\n",
             0o755),
            ("usr/bin/acmems", "#!/usr/bin/python3\n", 0o755),
            ("usr/bin/acme-register", "#!/usr/bin/python3\n", 0o755)):
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
        (top / path).chmod(mode)
    for path in ("etc/acmems", "var/lib/acmems", "var/log/acmems"):
        (top / path).mkdir(parents=True)
    deb = tmp_path / "acme-mgmtserver_0.4.0_all.deb"
    run("dpkg-deb", "--root-owner-group", "--build", top, deb)
    return deb


def entry(tree, storage, digest="ab" * 48):
    """One certificate of a cache, as the Python program wrote it as root."""
    for name in ("csr.pem", "cert.pem"):
        put(tree, f"{storage}/{digest[:2]}/{digest[2:]}/{name}", "text", 0o644, "root:root")
    return f"{storage}/{digest[:2]}/{digest[2:]}/cert.pem"


@one_pebble
def test_takes_over_the_old_package(debs, tree, old_package, pebble, tls, csrs, cert, start):
    tree.run("apt-get", "-q", "update")
    tree.run("apt-get", "-q", "-y", "install", "adduser")
    tree.install(old_package)
    uid = tree.run("id", "-u", "acmems").stdout
    text, port = conf_for(pebble, tls, "/etc/acmems", account={"dir": "account/"})
    put(tree, CONF, text, 0o600, "root:root")
    put(tree, "/etc/acmems/ca.pem", tls.root.read_text(), 0o644, "root:root")
    # Run by hand, as root, in the directory of its upstart job.
    key = run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256").stdout
    put(tree, "/var/lib/acmems/account/account.pem", key, 0o644, "root:root")
    # A storage on another disk, behind a link.
    kept = entry(tree, "/srv/storage")
    (tree / "/etc/acmems/storage").symlink_to("/srv/storage")

    tree.install(debs["acmems"])
    assert "acme-mgmtserver" not in tree.run("sh", "-c", "dpkg -l | grep ^ii").stdout
    assert not (tree / "/usr/bin/acmems").exists()
    assert tree.run("id", "-u", "acmems").stdout == uid
    assert (tree / CONF).read_text() == text
    assert tree.owner(CONF) == "root" and stat.S_IMODE((tree / CONF).stat().st_mode) == 0o640
    assert tree.owner("/var/lib/acmems/account") == "acmems"
    assert tree.owner("/var/lib/acmems/account/account.pem") == "acmems"
    assert tree.owner("/srv/storage") == tree.owner(kept) == "acmems"
    assert tree.owner("/srv") == "root"

    service = start(tree, port)
    cert(service.sign(csrs.make("www.example.org")))
    assert service.stop() == 0
    assert (tree / "/var/lib/acmems/account/account.pem").read_text() == key

    # Operators decide from here on: configured again, nothing changes hands.
    tree.run("chown", "-R", "root:root", "/srv/storage")
    tree.run("dpkg-reconfigure", "acmems")
    assert tree.owner("/srv/storage") == "root"

    # The way back, and a purge after it: all is still there.
    tree.install(old_package)
    tree.run("dpkg", "--purge", "acmems")
    assert (tree / CONF).read_text() == text
    assert tree.owner("/var/lib/acmems/account/account.pem") == "acmems"


def test_never_chowns_what_may_be_something_else(debs, tree):
    """Each of these directories is left to root, and is named with the reason."""
    tree.run("apt-get", "-q", "update")
    tree.run("apt-get", "-q", "-y", "install", "adduser")
    tree.run("adduser", "--quiet", "--system", "--group", "--no-create-home", "acmems")
    for path in ("link", "hard", "writable", "foreign"):
        entry(tree, f"/srv/{path}")
    (tree / "/srv/link/cd").symlink_to("/etc")
    os.link(tree / "/etc/shadow", tree / f"/srv/hard/ab/{'ab' * 47}/meta.json")
    (tree / "/srv/writable/ab").chmod(0o777)
    tree.run("chown", "daemon", "/srv/foreign/ab")
    (tree / "/srv/empty").mkdir()
    wrong = {"/etc": "", "/srv/link": "cd is in it", "/srv/hard": "meta.json is in it",
             "/srv/writable": "ab is in it", "/srv/foreign": "ab is in it", "/srv/empty": "it is empty"}
    put(tree, CONF, "[account]\ndir = /etc\n" + "".join(
        f'[storage "{i}"]\ntype = file\ndirectory = {path}\n' for i, path in enumerate(wrong)
        if path != "/etc"), 0o644, "root:root")
    p = tree.install(debs["acmems"])
    for path, reason in wrong.items():
        assert re.search(re.escape(path) + " belongs to root and is left so, because .*"
                         + re.escape(reason), p.stdout + p.stderr), path
    owned = tree.run("find", "/etc", "/srv", "-user", "acmems").stdout
    assert owned == ""
    assert tree.owner("/etc/shadow") == "root"


@pytest.mark.parametrize("which", ["account", "storage"])
def test_directories_of_root_are_refused_with_the_mend(debs, tree, which):
    """As a container that ran as root left them."""
    tree.install(debs["acmems"])
    put(tree, "/etc/macen/account/account.pem", "a key", 0o644, "root:root")
    entry(tree, "/etc/macen/storage")
    other = {"account": "storage", "storage": "account"}[which]
    tree.run("chown", "-R", "acmems:acmems", f"/etc/macen/{other}")
    put(tree, CONF, f"[account]\ndir = /etc/macen/account\n[mgmt]\nlistener = 127.0.0.1:{free_port()}\n"
        f'[verification "http"]\ntype = http01\nlistener = 127.0.0.1:{free_port()}\n'
        '[storage "file"]\ntype = file\ndirectory = /etc/macen/storage\n'
        '[auth "a"]\nip = 127.0.0.1\ndomain = *.example.org\n')
    u = unit(tree)
    p = tree.run(*shlex.split(u["ExecStart"]), user=u["User"], check=False, timeout=30)
    assert p.returncode == 2, p.stderr
    assert re.search(rf"/etc/macen/{which} is owned by root \(uid 0\) .*: "
                     rf"chown -R acmems /etc/macen/{which}$", p.stderr, re.M), p.stderr
    # And that is the mend.
    tree.run("chown", "-R", "acmems", f"/etc/macen/{which}")
    p = tree.run("acmems", "--check", CONF, user="acmems", check=False)
    assert "is owned by root" not in p.stderr
