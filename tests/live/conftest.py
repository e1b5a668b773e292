# SPDX-License-Identifier: GPL-3.0-or-later
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from lab import daemon as daemon_module  # noqa: E402
from lab.csr import Cert, Csrs  # noqa: E402
from lab.daemon import Daemon  # noqa: E402
from lab.fakeca import FakeCa  # noqa: E402
from lab.pebble import Pebble  # noqa: E402
from lab import testca as testca_module  # noqa: E402
from lab.testca import TestCa  # noqa: E402
from lab.tls import TlsCa  # noqa: E402
from lab.util import free_port  # noqa: E402

OLD = os.environ.get("PEBBLE_OLD", "/usr/bin")
NEW = os.environ.get("PEBBLE_NEW", "")

# The sanitizers' findings must end the program, also when pytest is run by hand.
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=1:handle_abort=0")
os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")


def pytest_sessionstart(session):
    if not os.access(daemon_module.BINARY, os.X_OK):
        pytest.exit(f"no {daemon_module.BINARY}: run contrib/test.sh, or set ACMEMS_BIN", 3)
    if not os.access(testca_module.BINARY, os.X_OK):
        pytest.exit(f"no {testca_module.BINARY}: run contrib/test.sh, or set TESTCA_BIN", 3)


@pytest.fixture(scope="session")
def tls(tmp_path_factory):
    return TlsCa(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def csrs(tmp_path_factory):
    return Csrs(tmp_path_factory.mktemp("csr"))


@pytest.fixture
def cert(tmp_path):
    """cert(response) -> Cert of a 200, its form checked."""
    def make(response):
        assert response.status == 200, repr(response)
        assert response.header("Content-Type") == "application/pem-certificate-chain", repr(response)
        return Cert(response.body, tmp_path).check_format()
    return make


@pytest.fixture(params=["old", "new"])
def make_pebble(request, tls, tmp_path):
    """make_pebble(challenge_port, env=..., strict=..., **config) -> a running Pebble of either kind."""
    new = request.param == "new"
    binaries = NEW if new else OLD
    if not binaries or not os.path.exists(os.path.join(binaries, "pebble")):
        pytest.skip(f"no {request.param} Pebble on this machine")
    made = []

    def make(challenge_port=None, name=None, **kw):
        folder = tmp_path / (name or f"pebble{len(made)}")
        made.append(Pebble(folder, binaries, tls, challenge_port or free_port(), new, **kw))
        made[-1].challenge_port = made[-1].config["httpPort"]
        return made[-1].start()
    yield make
    for p in made:
        p.close()


@pytest.fixture
def pebble(make_pebble):
    """One Pebble without surprises: no rejected nonces, no reused authorizations."""
    return make_pebble()


@pytest.fixture
def make_daemon(tmp_path, tls):
    """make_daemon(ca, conf=..., start=True) -> a daemon for this CA. Each must end cleanly."""
    made = []

    def make(ca, conf=None, start=True, name=None, **kw):
        name = name or f"acmems{len(made) or ''}"
        kw.setdefault("challenge_port", ca.challenge_port)
        kw.setdefault("ca_file", tls.root)
        kw.setdefault("directory", ca.directory)
        d = Daemon(tmp_path / name, conf=conf, name=name, **kw)
        made.append(d)
        return d.start() if start else d
    yield make
    problems = []
    for d in made:
        try:
            d.close()
        except AssertionError as e:
            problems.append(str(e))
    assert not problems, "\n".join(problems)


@pytest.fixture
def daemon(make_daemon, pebble):
    return make_daemon(pebble)


@pytest.fixture
def fakeca(tls, tmp_path):
    """A CA that does what it is told; see lab/fakeca.py."""
    ca = FakeCa(tmp_path / "fakeca", tls, free_port(), free_port())
    yield ca
    ca.close()


@pytest.fixture
def fake_daemon(make_daemon, fakeca):
    return make_daemon(fakeca)


@pytest.fixture
def make_testca(tmp_path):
    """make_testca(*options, name=...) -> a running test CA; see lab/testca.py and tests/ca."""
    made = []

    def make(*args, **kw):
        kw.setdefault("name", f"testca{len(made) or ''}")
        made.append(TestCa(tmp_path / kw["name"], kw.pop("challenge_port", None) or free_port(),
                           *args, **kw))
        return made[-1].start()
    yield make
    for ca in made:
        ca.close()


@pytest.fixture
def testca(make_testca):
    """One that validates."""
    return make_testca("--validate")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed and "tmp_path" in getattr(item, "funcargs", {}):
        # What the programs said, shortened, next to the failure.
        for path in sorted(item.funcargs["tmp_path"].rglob("*.err")):
            text = path.read_text(errors="replace")
            if text and "acmems" in path.name:
                report.sections.append((f"{path.name} (end)", text[-6000:]))


