# SPDX-License-Identifier: GPL-3.0-or-later
"""Root trees and images, in memory and in a mount namespace of their own: nobody else sees what is
mounted there, and it is gone with its keeper, however a test ends."""
import os
import pathlib
import re
import subprocess

import pytest

from . import http
from .daemon import REPORTS, ROOT, render
from .util import Process, clean_env, free_port, run

# What contrib/tree.sh made.
TREE = pathlib.Path(os.environ.get("ACMEMS_TREE", ROOT / "build-test/tree"))

# Ends when its standard input does, with whoever holds the other end.
KEEPER = """
set -e
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/repo" "$1/root"
mount --bind "$2/repo" "$1/repo"
echo mounted
exec cat
"""


def need_tree():
    """Skips where contrib/tree.sh made none; in CI, that is a failure it counted."""
    if not (TREE / "base.tar").exists():
        pytest.skip(f"no root tree: contrib/tree.sh {TREE}")


class Namespace:
    """A folder in memory, with the packages of contrib/tree.sh in repo."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", KEEPER, "keeper",
             str(folder), str(TREE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.keeper.stdout.readline() == "mounted\n"
        # The same folder, as seen from outside.
        self.path = pathlib.Path(f"/proc/{self.keeper.pid}/root{folder}")

    def argv(self, *argv):
        # Its root is another than the namespace's where the tests run in a chroot.
        return ["nsenter", "--target", str(self.keeper.pid), "--mount", "--root", "--wd", *map(str, argv)]

    def run(self, *argv, **kw):
        return run(*self.argv(*argv), **kw)

    def close(self):
        self.keeper.stdin.close()
        self.keeper.wait(10)


class Tree(Namespace):
    """A fresh system: what apt needs and nothing else."""

    def __init__(self, folder):
        super().__init__(folder)
        root = folder / "root"
        unpack = 'tar -xf "$1/base.tar" -C "$2" && mount -t proc proc "$2/proc" && ' \
            'mkdir "$2/repo" && mount --bind "$3" "$2/repo"'
        run(*super().argv("sh", "-ec", unpack, "sh", TREE, root, folder / "repo"))
        self.root = self.path / "root"
        self.env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "HOME": "/root", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}

    def argv(self, *argv, user=None):
        who = ["--userspec", f"{user}:{user}"] if user else []
        return super().argv("chroot", *who, self.folder / "root", *argv)

    def run(self, *argv, user=None, **kw):
        return run(*self.argv(*argv, user=user), env=self.env, **kw)

    def __truediv__(self, path):
        """A file of the tree, as we can open it."""
        return self.root / str(path).lstrip("/")

    def install(self, *debs):
        """As an operator does, with what they depend on."""
        names = []
        for deb in debs:
            (self / "tmp" / deb.name).write_bytes(deb.read_bytes())
            names.append(f"/tmp/{deb.name}")
        self.run("apt-get", "-q", "update")
        return self.run("apt-get", "-q", "-y", "--no-install-recommends", "install", *names)

    def owner(self, path):
        """Name of the owner, without following a link."""
        uid = (self / path).lstat().st_uid
        for line in (self / "etc/passwd").read_text().splitlines():
            if line.split(":")[2] == str(uid):
                return line.split(":")[0]
        return uid

    def files(self):
        """All paths but those of /proc, /repo and the like."""
        out = self.run("find", "/", "-xdev", "(", "-path", "/tmp/*", "-o", "-path", "/repo", ")",
                       "-prune", "-o", "-print").stdout
        return set(out.splitlines())


def conf_for(pebble, tls, folder, **more):
    """A configuration whose directories are below folder; (its text, port of the management side).
    The CA's own root is expected beside them."""
    port = free_port()
    sections = {
        "account": {"acme-server": pebble.directory, "ca-file": f"{folder}/ca.pem",
                    "dir": f"{folder}/account", "accept-terms-of-service": "yes"},
        "logging": {"level": "info"},
        "mgmt": {"listener": f"127.0.0.1:{port}"},
        'verification "http"': {"type": "http01", "listener": f"127.0.0.1:{pebble.challenge_port}"},
        'storage "file"': {"type": "file", "directory": f"{folder}/storage"},
        'auth "test"': {"ip": "127.0.0.1", "domain": "*.example.org"},
    }
    for header, options in more.items():
        sections.setdefault(header, {}).update(options)
    return render(sections), port


class Service:
    """The daemon as something else starts it: argv, in the folder where its output goes."""

    def __init__(self, argv, folder, port, env=None):
        self.port = port
        self.process = Process("acmems", argv, folder, env=env or clean_env())
        self.process.wait_ready(lambda: re.search(r"^running$", self.process.out(), re.M))

    def sign(self, csr):
        return http.request(("127.0.0.1", self.port), "POST", "/sign", csr, None, 60)

    def stop(self):
        code = self.process.stop()
        assert not REPORTS.search(self.process.err()), self.process.err()[-3000:]
        return code
