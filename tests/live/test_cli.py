# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: --check, --version, --help, what is wrong with a configuration, and old files."""
import os
import re
import stat

import pytest

from lab.daemon import BINARY, ROOT, acmems, render
from lab.util import clean_env, free_port, run

COMPAT = sorted((ROOT / "tests/live/compat").glob("*.ini"))


def check(text, tmp_path, *more, mode=0o600, name="acmems.conf"):
    """(exit code, all that was said)"""
    path = tmp_path / name
    path.write_text(text if isinstance(text, str) else render(text))
    path.chmod(mode)
    code, out, err = acmems("--check", path, *more, cwd=tmp_path)
    return code, out + err


def good(tmp_path, **sections):
    base = {"account": {"dir": tmp_path / "account", "accept-terms-of-service": "yes"},
            "mgmt": {"listener": f"127.0.0.1:{free_port()}"},
            'verification "http"': {"type": "http01", "listener": f"127.0.0.1:{free_port()}"},
            'storage "file"': {"type": "file", "directory": tmp_path / "storage"},
            'auth "a"': {"ip": "127.0.0.1", "domain": "*.example.org"}}
    for k, v in sections.items():
        base.setdefault(k, {}).update(v)
    return base


def test_version():
    code, out, err = acmems("--version")
    assert code == 0 and re.match(r"acmems \d+\.\d+", out) and not err


def test_help():
    code, out, err = acmems("--help")
    assert code == 0 and not err
    for word in ("--check", "--version", "--help", "CONFIG"):
        assert word in out


@pytest.mark.parametrize("args", [[], ["--nosuch", "x"], ["/nonexistent/acmems.conf"], ["--check"]])
def test_wrong_command_line(args):
    code, out, err = acmems(*args)
    assert code == 2 and err.strip()
    if args == ["/nonexistent/acmems.conf"]:
        assert "/nonexistent/acmems.conf" in err and "No such file" in err


@pytest.mark.parametrize("args", [["--list", "--check"], ["--forget", "a.example.org", "--forget", "b.example.org"],
                                  ["--health", "--list"]])
def test_one_action_at_a_time(tmp_path, args):
    path = tmp_path / "acmems.conf"
    path.write_text(render(good(tmp_path)))
    code, out, err = acmems(*args, path)
    assert code == 2 and out == "" and "one of them, and once" in err


def test_check_good(tmp_path):
    code, text = check(good(tmp_path), tmp_path)
    assert code == 0, text
    assert "error" not in text.lower()


def test_check_starts_nothing(tmp_path):
    check(good(tmp_path), tmp_path)
    assert not (tmp_path / "account" / "account.pem").exists()


PROBLEMS = """\
[account]
acme-server = ftp://example.org/
dir = {dir}
colour = blue

[mgmt]
listener = 127.0.0.1:notaport
max-size = lots

[verification "http"]
type = http02

[auth "a"]
ip = 192.0.2.1/24
domian = *.example.org

[auth "b"]
domain = *.example.org
"""


def test_all_problems_at_once(tmp_path):
    code, text = check(PROBLEMS.format(dir=tmp_path), tmp_path)
    assert code == 2
    for line in (2, 7, 8, 11, 14, 15):
        assert re.search(rf"acmems\.conf:{line}: ", text), f"line {line} in\n{text}"
    # The block without a method: its line, and what to add.
    block = next(x for x in text.splitlines() if re.search(r"acmems\.conf:1[78]: ", x))
    for word in ("ip", "hmac", "all = yes"):
        assert word in block
    assert "192.0.2.0/24" in text, "the right spelling"
    assert re.search(r"acmems\.conf:4: warning: .*colour", text)
    assert "domain" in next(x for x in text.splitlines() if ":15: " in x)


def test_the_daemon_says_the_same_and_does_not_start(tmp_path):
    (tmp_path / "acmems.conf").write_text(PROBLEMS.format(dir=tmp_path))
    code, out, err = acmems(tmp_path / "acmems.conf")
    assert code == 2 and "running" not in out
    assert all(f":{line}: " in err for line in (2, 7, 8, 11, 14, 15)), err


@pytest.mark.parametrize("section,option,suggestion", [
    ("account", "acme-sever", "acme-server"), ("mgmt", "max-sise", "max-size"),
    ('storage "file"', "renew_within", "renew-within"), ("logging", "levle", "level")])
def test_did_you_mean(tmp_path, section, option, suggestion):
    code, text = check(good(tmp_path, **{section: {option: "1"}}), tmp_path)
    assert code == 0, text
    line = next(x for x in text.splitlines() if option in x)
    assert "warning" in line and suggestion in line


def test_did_you_mean_section(tmp_path):
    code, text = check(good(tmp_path, loging={"level": "info"}), tmp_path)
    assert code == 0
    assert re.search(r"warning.*loging.*logging", text)


@pytest.mark.parametrize("options,fragment", [
    ({"ipp": "127.0.0.1"}, "ip"), ({"ip": ""}, "no value"), ({"hmac_key": "x"}, "hmac_type"),
    ({"ip": None, "hmac_type": "sha256"}, "hmac_key"), ({"all": "yes"}, "all"), ({"ip": None}, "all = yes"),
    ({"ip": None, "hmac_type": "sha257", "hmac_key": "x"}, "sha257"), ({"ip": "127.0.0.1/8"}, "127.0.0.0/8"),
    ({"ip": "127.1"}, "127"), ({"ip": "192.0.2.9-192.0.2.1"}, "192.0.2"), ({"ip": "localhost"}, "localhost"),
    ({"verification": "nosuch"}, "nosuch"), ({"storage": "nosuch"}, "nosuch"), ({"domain": ""}, "no value")])
def test_auth_errors(tmp_path, options, fragment):
    code, text = check(good(tmp_path, **{'auth "a"': options}), tmp_path)
    assert code == 2, text
    assert fragment in text


@pytest.mark.parametrize("sections,fragment", [
    ({"account": {"dir": None}}, "dir"), ({"account": {"acme-server": "http://ca.example.org/dir"}}, "https"),
    ({"account": {"key-type": "rsa1024"}}, "rsa2048"), ({"mgmt": {"default-storage": "nosuch"}}, "nosuch"),
    ({"mgmt": {"default-verification": "nosuch"}}, "nosuch"), ({"mgmt": {"timeout": "soon"}}, "soon"),
    ({"account": {"eab-kid": "x"}}, "eab-hmac-key"), ({"mgmt": {"trusted-proxy": "192.0.2.1/24"}}, "192.0.2.0/24"),
    ({'storage "file"': {"directory": None}}, "directory"), ({'storage "x"': {"type": "cloud"}}, "cloud"),
    ({"mgmt": {"proxy-header": "X-Whatever", "trusted-proxy": "127.0.0.1"}}, "X-Forwarded-For"),
    ({"account": {"contact": "root@example.org"}}, "mailto:")])
def test_other_errors(tmp_path, sections, fragment):
    code, text = check(good(tmp_path, **sections), tmp_path)
    assert code == 2, text
    assert fragment in text


def test_option_given_twice(tmp_path):
    text = render(good(tmp_path)).replace("[mgmt]", "[mgmt]\ntimeout = 5\ntimeout = 7")
    code, said = check(text, tmp_path)
    lines = [i + 1 for i, x in enumerate(text.splitlines()) if x.startswith("timeout")]
    assert code == 0
    line = next(x for x in said.splitlines() if "timeout" in x)
    assert "warning" in line and all(str(n) in line for n in lines), "both lines are named"


def test_dialect(tmp_path):
    text = render(good(tmp_path)).replace("[auth \"a\"]", "  ; comment\n\t# comment\n\n[ auth   a ]"
                                          .replace("[ auth   a ]", "[auth a]"))
    text = text.replace("ip = ", "   ip=")
    code, said = check(text, tmp_path)
    assert code == 0, said


def test_several_files(tmp_path):
    one = good(tmp_path)
    auth = one.pop('auth "a"')
    (tmp_path / "two.conf").write_text(render({'auth "a"': auth, "mgmt": {"timeout": "7"}}))
    code, said = check(one, tmp_path, tmp_path / "two.conf")
    assert code == 0, said


def test_secret_in_a_readable_file(tmp_path):
    conf = good(tmp_path, **{'auth "a"': {"hmac_type": "sha256", "hmac_key": "verysecretvalue"}})
    code, said = check(conf, tmp_path, mode=0o644)
    assert code == 0 and re.search(r"warning: .*(chmod|read)", said), said
    assert "verysecretvalue" not in said
    code, said = check(conf, tmp_path, mode=0o600)
    assert code == 0 and "chmod" not in said


@pytest.mark.parametrize("text", ["", "\0\0\0", "[", "[]\n", "[account\ndir=/x\n", "= 3\n", "key only\n",
                                  "\xef\xbb\xbf[account]\n", "[account]\n" + "a" * 100000 + "\n",
                                  "[auth]\n", '[auth "a" "b"]\n', '[auth "\n'])
def test_broken_files(tmp_path, text):
    code, said = check(text, tmp_path)
    assert code == 2 and said.strip()


def test_kinds_that_come_later_are_refused_clearly(tmp_path):
    for kind, options in (("dns01-dnsUpdate", {"dns-server": "192.0.2.53"}), ("dns01-server", {}),
                          ("dns01-challtestsrv", {})):
        code, said = check(good(tmp_path, **{'verification "dns"': {"type": kind, **options},
                                             "mgmt": {"default-verification": "http"}}), tmp_path)
        assert code in (0, 2), said
        if code == 2:
            assert kind in said


# Directories

@pytest.fixture
def as_nobody(tmp_path):
    """Runs the check as an unprivileged user, who is stopped by modes as root is not."""
    import pwd
    import subprocess
    if os.getuid() != 0:
        def plain(path):
            return subprocess.run([BINARY, "--check", str(path)], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, env=clean_env(), timeout=30)
        return plain
    nobody = pwd.getpwnam("nobody")
    for folder in [tmp_path, *tmp_path.parents]:
        if str(folder).count("/") > 1:
            folder.chmod(folder.stat().st_mode | 0o711)
    # The build folder may lie where nobody may not look.
    binary = tmp_path / "acmems"
    run("cp", BINARY, binary)
    binary.chmod(0o755)

    def unprivileged(path):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
        return subprocess.run([str(binary), "--check", str(path)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env=clean_env(), timeout=30,
                              user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd="/")
    return unprivileged


@pytest.mark.parametrize("which", ["account", "storage"])
def test_check_wants_directories_it_can_write(tmp_path, as_nobody, which):
    conf = good(tmp_path)
    for d in ("account", "storage"):
        (tmp_path / d).mkdir()
        if os.getuid() == 0 and d != which:
            import pwd
            os.chown(tmp_path / d, pwd.getpwnam("nobody").pw_uid, 0)
        (tmp_path / d).chmod(0o555 if d == which else 0o755)
    path = tmp_path / "acmems.conf"
    path.write_text(render(conf))
    p = as_nobody(path)
    assert p.returncode == 2, p.stdout
    assert str(tmp_path / which) in p.stdout
    if os.getuid() == 0:
        assert "chown" in p.stdout and "root" in p.stdout


def test_check_names_every_directory_and_gives_no_parent_away(tmp_path, as_nobody):
    """What to do is said of the directory that is missing, not of the one above it."""
    (tmp_path / "empty.pem").touch()
    conf = good(tmp_path, account={"ca-file": tmp_path / "empty.pem"})
    path = tmp_path / "acmems.conf"
    path.write_text(render(conf))
    tmp_path.chmod(0o555)
    p = as_nobody(path)
    tmp_path.chmod(0o755)
    assert p.returncode == 2, p.stdout
    for what in (tmp_path / "account", tmp_path / "storage", "empty.pem"):
        assert str(what) in p.stdout
    assert "chown -R" not in p.stdout and not re.search(f"chown \\S+ {tmp_path}\\b(?!/)", p.stdout)
    if os.getuid() == 0:
        assert f"mkdir -p {tmp_path}/account && chown nobody {tmp_path}/account" in p.stdout


def test_check_directory_that_is_a_file(tmp_path):
    (tmp_path / "account").write_text("x")
    code, said = check(good(tmp_path), tmp_path)
    assert code == 2 and str(tmp_path / "account") in said


def line_of(text, option):
    return next(i + 1 for i, x in enumerate(text.splitlines()) if x.startswith(option))


def both(text, tmp_path):
    """--check and a start say the same and end with 2; returns the errors."""
    code, said = check(text, tmp_path)
    start, out, err = acmems(tmp_path / "acmems.conf")
    assert (code, start) == (2, 2) and "running" not in out, said + err
    errors = [x for x in said.splitlines() if ": error: " in x]
    assert errors == [x for x in err.splitlines() if ": error: " in x]
    return errors


def test_check_two_listeners_on_one_address(tmp_path):
    port = free_port()
    text = render(good(tmp_path, mgmt={"listener": f"0.0.0.0:{port}"},
                       **{'verification "http"': {"type": "http01", "listener": f"127.0.0.1:{port}"}}))
    line = next(i + 1 for i, x in enumerate(text.splitlines()) if f"127.0.0.1:{port}" in x)
    errors = both(text, tmp_path)
    assert len(errors) == 1 and f"acmems.conf:{line}: " in errors[0] and "[mgmt]" in errors[0], errors


def test_check_log_file(tmp_path):
    text = render(good(tmp_path, logging={"destination": tmp_path / "nosuch" / "a.log"}))
    errors = both(text, tmp_path)
    assert len(errors) == 1 and f"acmems.conf:{line_of(text, 'destination')}: " in errors[0], errors
    assert str(tmp_path / "nosuch" / "a.log") in errors[0]


def test_check_makes_no_log_file(tmp_path):
    code, said = check(good(tmp_path, logging={"destination": tmp_path / "a.log"}), tmp_path)
    assert code == 0 and not (tmp_path / "a.log").exists(), said
    (tmp_path / "a.log").write_text("before\n")
    check(good(tmp_path, logging={"destination": tmp_path / "a.log"}), tmp_path)
    assert (tmp_path / "a.log").read_text() == "before\n"


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n"],
                         ids=["empty", "text", "cut"])
def test_check_damaged_key(tmp_path, pem):
    (tmp_path / "account").mkdir()
    (tmp_path / "account" / "account.pem").write_text(pem)
    (tmp_path / "account" / "account.pem").chmod(0o644)
    text = render(good(tmp_path))
    errors = both(text, tmp_path)
    assert len(errors) == 1 and f"acmems.conf:{line_of(text, 'dir ')}: " in errors[0], errors
    assert str(tmp_path / "account" / "account.pem") in errors[0]
    assert (tmp_path / "account" / "account.pem").read_text() == pem


def test_check_leaves_nothing_in_the_directories(tmp_path):
    (tmp_path / "storage").mkdir()
    check(good(tmp_path), tmp_path)
    assert list((tmp_path / "storage").iterdir()) == []


# Old files, unchanged but for addresses and paths of another machine

def localised(path, tmp_path):
    text = path.read_text()
    ports = iter(lambda: free_port(), None)
    text = re.sub(r"^(listener\s*=\s*)\S+$", lambda m: f"{m[1]}127.0.0.1:{next(ports)}", text, flags=re.M)
    text = re.sub(r"^(mgmt\s*=\s*)\S+$", lambda m: f"{m[1]}127.0.0.1:{next(ports)}", text, flags=re.M)
    text = re.sub(r"^((?:dir|directory)\s*=\s*)(\S+)$",
                  lambda m: f"{m[1]}{tmp_path}/{m[2].strip('/').replace('/', '-')}", text, flags=re.M)
    return text


@pytest.mark.parametrize("path", COMPAT, ids=lambda p: p.stem)
def test_old_configurations_load(tmp_path, path):
    code, said = check(localised(path, tmp_path), tmp_path)
    if code == 2:
        # A kind of verification that this version does not build yet is refused with a clear
        # sentence, and nothing else is wrong.
        errors = [x for x in said.splitlines() if re.search(r":\d+: (error: )?", x)
                  and "warning" not in x and "note" not in x]
        assert errors and all("dns01" in x for x in errors), said
    else:
        assert code == 0, said


@pytest.mark.parametrize("path", [p for p in COMPAT if "readme" in p.stem], ids=lambda p: p.stem)
def test_old_configurations_notes(tmp_path, path):
    _, said = check(localised(path, tmp_path), tmp_path)
    notes = [x for x in said.splitlines() if "note" in x]
    mgmt_line = next(i + 1 for i, x in enumerate(path.read_text().splitlines()) if x.startswith("mgmt="))
    assert any(f":{mgmt_line}: " in x and "mgmt" in x for x in notes), "mgmt was ignored\n" + said
    assert any("default-storage" in x for x in notes), "default-storage was forgotten\n" + said


def test_old_configuration_with_a_semicolon(tmp_path):
    path = next(p for p in COMPAT if "pebble" in p.stem)
    text = re.sub(r"\[verification \"challtestsrv\"\][^\[]*", "", localised(path, tmp_path))
    text = text.replace("verification=challtestsrv\n", "")
    code, said = check(text, tmp_path)
    assert code == 0, said


def test_old_configuration_runs(make_daemon, fakeca, csrs, cert, tmp_path):
    """The original's own test configuration, with a daemon behind it."""
    path = next(p for p in COMPAT if "pebble" in p.stem)
    d = make_daemon(fakeca, start=False)
    text = localised(path, tmp_path)
    text = re.sub(r"\[verification \"challtestsrv\"\][^\[]*", "", text)
    text = text.replace("verification=challtestsrv\n", "")
    text = text.replace("acme-server = https://127.0.0.1:14000/dir",
                        f"acme-server = {fakeca.directory}\nca-file = {fakeca.tls.root}")
    mgmt = re.search(r"\[mgmt\]\nlistener=127.0.0.1:(\d+)", text)
    d.where = ("127.0.0.1", int(mgmt[1]))
    text = re.sub(r"(type=http01\nlistener=).*", rf"\g<1>127.0.0.1:{fakeca.challenge_port}", text)
    d.write_conf = lambda: d.conf_path.write_text(text) and d.conf_path.chmod(0o600)
    d.start()
    body = csrs.make("integration-1.org", "www.integration-1.org")
    cert(d.sign(body, d.hmac("n048aX0G2Gc8zAvUfcbz8fFIpRwi1D", body)))
    d.sign(body, d.hmac("imR32v5KFTVJ03jKhvggJygRvz8Ev2", body)).expect(403)


# examples/

# Those of front ends are tried with the front ends (test_front.py).
@pytest.mark.parametrize("name", ["acmems.conf", "demo.conf", "minimal.conf"])
def test_examples_load(tmp_path, name):
    path = ROOT / "examples" / name
    text = re.sub(r"^(\s*(?:dir|directory)\s*=\s*)(\S+)$",
                  lambda m: f"{m[1]}{tmp_path}/{m[2].strip('/').replace('/', '-')}", path.read_text(),
                  flags=re.M)
    # Its own HTTPS certificate is made by demo.sh.
    text = re.sub(r"^ca-file = build-demo.*$", "", text, flags=re.M)
    code, said = check(text, tmp_path)
    assert code == 0, said
    assert "warning" not in said, said


def test_examples_mode():
    for path in (ROOT / "examples").iterdir():
        assert not path.stat().st_mode & stat.S_IXUSR, path
