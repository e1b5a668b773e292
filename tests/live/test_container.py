# SPDX-License-Identifier: GPL-3.0-or-later
"""The container image: built from contrib/container, without a registry, and run with a mounted
configuration."""
import json
import os
import pathlib
import re
import resource
import signal

import pytest

from lab.csr import pubkey_of
from lab.daemon import ROOT
from lab.tree import TREE, Namespace, Service, conf_for, need_tree
from lab.util import clean_env

# One worker builds it, for all tests here.
pytestmark = pytest.mark.xdist_group("container")

one_pebble = pytest.mark.parametrize("make_pebble", ["old"], indirect=True)

FILE = ROOT / "contrib/container/Containerfile"
USER = 1313
MB = 1000 * 1000


def limits():
    """Low ones: some buildahs would raise them, which a sandbox may forbid."""
    out = []
    for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(number)[1]
        value = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
        out += ["--ulimit", f"{name}={value}:{value}"]
    return out


class Image:
    """A store of images in memory, and in it the one of this tree."""

    def __init__(self, folder):
        self.space = Namespace(folder)
        store = folder / "store"
        self.buildah = ["buildah", "--root", store / "images", "--runroot", store / "run",
                        "--storage-driver", "vfs"]
        base = re.search(r"^ARG BASE=(.*)", FILE.read_text(), re.M).group(1)
        empty = self.run("from", "scratch")
        self.run("add", "-q", empty, TREE / "base.tar", "/")
        self.run("commit", "-q", "--rm", empty, base)
        self.run("bud", "-q", *limits(), "--pull-never", "--isolation", "chroot", "--network", "host",
                 "--format", "docker", "-v", f"{folder}/repo:/repo:ro", "-f", FILE, "-t", "acmems", ROOT,
                 timeout=400)
        about = json.loads(self.run("inspect", "--type", "image", "acmems"))
        self.about, self.config = about, about["Docker"]["config"]

    def run(self, *args, timeout=120):
        return self.space.run(*self.buildah, *args, timeout=timeout, env=clean_env()).stdout.strip()

    def folder(self, name):
        """A folder to mount, and how it looks from outside the namespace."""
        (self.space.path / name).mkdir()
        return self.space.folder / name, self.space.path / name

    def argv(self, config, *args):
        """What docker run -v CONFIG:/config IMAGE ARGS... would start."""
        container = self.run("from", *limits(), "--pull-never", "acmems")
        return self.space.argv(*self.buildah, "run", "--isolation", "chroot", "-v", f"{config}:/config",
                               container, "--", *self.config["Entrypoint"],
                               *(args or self.config["Cmd"]))

    def health(self, config):
        """The exit code of the health check; as everything here, it shares our network."""
        test = self.config["Healthcheck"]["Test"]
        assert test[:2] == ["CMD", *self.config["Entrypoint"]]
        return self.space.run(*self.argv(config, *test[2:]), env=clean_env(), check=False).returncode


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    need_tree()
    made = None
    try:
        made = Image(tmp_path_factory.mktemp("image"))
        yield made
    finally:
        if made:
            made.space.close()


@pytest.fixture
def start(image, tmp_path):
    """start(folder, port) -> the daemon in a container."""
    made = []

    def make(folder, port):
        made.append(Service(image.argv(folder, "/config/main.ini"), tmp_path, port))
        return made[-1]
    yield make
    for s in made:
        s.process.stop()


def give(path, uid):
    for p in (path, *path.rglob("*")):
        os.chown(p, uid, uid)


def program(pid):
    """The process of the daemon, among those below buildah's."""
    process = pathlib.Path(f"/proc/{pid}")
    if (process / "comm").read_text() == "acmems\n":
        return pid
    # Each thread has children of its own.
    below = " ".join(p.read_text() for p in process.glob("task/*/children")).split()
    return next(filter(None, map(program, map(int, below))), None)


def test_described(image):
    c = image.config
    assert c["Entrypoint"] == ["acmems"] and c["Cmd"] == ["/config/main.ini"]
    assert c["User"] == f"{USER}:{USER}"
    assert "1313/tcp" in c["ExposedPorts"] and c["StopSignal"] == "SIGTERM"
    # There is no shell to find another one.
    assert c["Healthcheck"]["Test"] == ["CMD", *c["Entrypoint"], "--health", *c["Cmd"]]


def test_small(image):
    size = sum(layer["size"] for layer in json.loads(image.about["Manifest"])["layers"])
    assert size < 20 * MB


@one_pebble
def test_signs_with_a_mounted_configuration(image, pebble, tls, csrs, cert, start):
    mounted, config = image.folder("signs")
    text, port = conf_for(pebble, tls, "/config")
    (config / "main.ini").write_text(text)
    (config / "main.ini").chmod(0o600)
    (config / "ca.pem").write_bytes(tls.root.read_bytes())
    give(config, USER)
    service = start(mounted, port)
    c = cert(service.sign(csrs.make("www.example.org")))
    assert c.names == ["www.example.org"] and c.pubkey() == pubkey_of(csrs.key())
    # The log is the container's, and what is kept is where it was mounted.
    assert "www.example.org" in service.process.err()
    assert (config / "account/account.pem").stat().st_uid == USER
    assert list((config / "storage").glob("*/*/cert.pem"))
    assert image.health(mounted) == 0
    # buildah would kill; docker stop sends what the image says to the program itself.
    os.kill(program(service.process.pid), signal.Signals[image.config["StopSignal"]])
    assert service.process.wait() == 0
    assert image.health(mounted) != 0


def test_trusts_the_public_cas(image):
    mounted, config = image.folder("trust")
    (config / "main.ini").write_text("[account]\ndir = /config/account\n[auth \"a\"]\nip = 127.0.0.1\n"
                                     "domain = *.example.org\n")
    give(config, USER)
    out = image.space.run(*image.argv(mounted, "--check", "/config/main.ini"), env=clean_env())
    assert "the configuration is good" in out.stdout
    assert (config / "account").exists() is False


def refusal(image, mounted):
    """Buildah loses what a program said that ended at once, now and then: then once more."""
    for _ in range(5):
        p = image.space.run(*image.argv(mounted, "/config/main.ini"), env=clean_env(), check=False)
        assert p.returncode == 2, p.stderr
        if "/config/" in p.stderr:
            break
    return p.stderr


@pytest.mark.parametrize("which", ["account", "storage"])
def test_directories_of_root_are_refused_with_the_mend(image, which):
    """As the original's container left them, which ran as root."""
    mounted, config = image.folder(f"root-{which}")
    for name in ("account", "storage"):
        (config / name).mkdir(0o755)
    (config / "main.ini").write_text(
        "[account]\ndir = /config/account\n[storage \"file\"]\ntype = file\ndirectory = /config/storage\n"
        "[auth \"a\"]\nip = 127.0.0.1\ndomain = *.example.org\n")
    give(config, USER)
    give(config / which, 0)
    said = refusal(image, mounted)
    # The number, because outside nobody of that name exists.
    assert re.search(rf"/config/{which} is owned by (root|0) \(uid 0\) and cannot be written by uid "
                     rf"{USER}: chown -R {USER} /config/{which}$", said, re.M), said
