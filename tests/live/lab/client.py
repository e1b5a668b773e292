# SPDX-License-Identifier: GPL-3.0-or-later
"""contrib/client/acmems-sign on a machine of which we say what it has: a shell, some tools, and curl
or a wget. And a server that answers it whatever a test wants."""
import datetime
import hashlib
import hmac
import http.server
import os
import pathlib
import shutil
import ssl
import subprocess
import threading

from .daemon import ROOT
from .fakeca import Issuer
from .util import run

PROGRAM = ROOT / "contrib/client/acmems-sign"

TOOLS = ("awk cat chmod chown cmp cp cut dirname flock head ln mkdir mv od rm sed sh sleep sort sync tail "
         "timeout tr").split()

# Counts its runs; says with which arguments; ends the whole session with the n-th run, or does the
# work first.
WRAPPER = """#!/bin/sh
printf '%s\\n' "$0" "$@" >>{log}
if [ -s {fatal} ]; then
	echo >>{count}
	read -r when how <{fatal}
	if [ "$(/usr/bin/wc -l <{count})" -eq "$when" ]; then
		[ "$how" = before ] || {real} "$@"
		kill -9 0
	fi
fi
exec {real} "$@"
"""


def which(tool):
    return shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin")


class Machine:
    """kind: dash or busybox, whose every tool is then busybox's own; client: curl or wget."""

    def __init__(self, folder, kind="dash", client="curl", without=()):
        self.folder, self.kind = folder, kind
        self.bin, self.dir = folder / "bin", folder / "its certs"
        self.bin.mkdir(parents=True)
        self.log = folder / "arguments.log"
        self.fatal, self.count = folder / "fatal", folder / "count"
        self.fatal.write_text("")
        self.shell = [which("busybox"), "sh"] if kind == "busybox" else [which("dash")]
        applets = run(which("busybox"), "--list").stdout.split() if kind == "busybox" else []
        for tool in TOOLS + [client]:
            if kind == "busybox" and tool != "curl":
                # What it was built without, this machine lacks.
                if tool in applets:
                    self.add(tool, f"{which('busybox')} {tool}")
            elif tool not in without:
                self.add(tool, which(tool))
        self.add("openssl", which("openssl"))

    def add(self, tool, real):
        assert real and "None" not in real, f"{tool} is not installed"
        path = self.bin / tool
        path.write_text(WRAPPER.format(log=self.log, fatal=self.fatal, count=self.count, real=real))
        path.chmod(0o755)

    def die_at(self, number, how="before"):
        """The next run ends with a SIGKILL to all of it at that many-th tool."""
        self.count.write_text("")
        # The program limits the size of files, and this one is written by what it starts.
        self.log.write_text("")
        self.fatal.write_text(f"{number} {how}\n" if number else "")

    def started(self):
        return self.count.read_text().count("\n")

    def start(self, *args):
        env = {"PATH": str(self.bin), "LC_ALL": "C", "HOME": str(self.folder)}
        return subprocess.Popen([*self.shell, str(PROGRAM), *map(str, args)], env=env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, errors="replace", start_new_session=True)

    def run(self, *args, timeout=60):
        """(exit code, stdout, stderr) of the program with --dir and these arguments."""
        p = self.start("--dir", self.dir, *args)
        out, err = p.communicate(timeout=timeout)
        return p.returncode, out, err

    def quiet(self, *args):
        result = self.run(*args)
        assert result == (0, "", ""), result

    def fails(self, code, *args):
        """It ends with that code (None: any) and one line, which is returned."""
        result, out, err = self.run(*args)
        assert (result, out) == (code, "") or code is None, (result, out, err)
        assert err.startswith("acmems-sign: ") and err.count("\n") == 1, err
        return err

    def path(self, name):
        return self.dir / name

    def files(self):
        """What stands in the folder, without what is kept for the program's own use."""
        return {p.name: p.read_bytes() for p in sorted(self.dir.iterdir())
                if not p.name.startswith(".acmems-sign.")}

    def arguments(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Server:
    """answer(body, headers) -> (status, body, headers); or bytes, which go out as they are."""

    def __init__(self, answer, tls=None):
        server = self
        self.answer, self.asked = answer, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.asked.append((body, dict(self.headers)))
                answer = server.answer(body, self.headers)
                try:
                    if isinstance(answer, bytes):
                        self.wfile.write(answer)
                        return
                    status, text, headers = answer
                    self.send_response(status, headers.pop("reason", None))
                    for k, v in {"Content-Length": len(text), **headers}.items():
                        self.send_header(k, str(v))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:
                    pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls.server())
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True,
                                                   do_handshake_on_connect=False)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.http.server_address[1]}/sign"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Signer:
    """Signs what it is sent, as an honest server would; a test changes what it wants otherwise."""

    def __init__(self, folder):
        self.issuer = Issuer(folder, "Signer")
        self.kept = {}

    @property
    def root(self):
        return self.issuer.folder / "root.pem"

    def leaf(self, csr, names=("www.example.org",), days=90):
        csr_path = self.issuer.folder / (hashlib.sha256(csr).hexdigest() + ".pem")
        csr_path.write_bytes(csr)
        der = subprocess.run(["openssl", "req", "-in", csr_path, "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE).stdout
        now = datetime.datetime.now(datetime.timezone.utc)
        start = now - datetime.timedelta(days=30)
        san = ",".join(("IP:" if n.replace(".", "").isdigit() or ":" in n else "DNS:") + n for n in names)
        return self.issuer.leaf(der, san, start, now + datetime.timedelta(days=days)).encode()

    @property
    def intermediate(self):
        return self.issuer.intermediate.encode()

    def chain(self, csr, **kw):
        return self.leaf(csr, **kw) + b"\n" + self.intermediate

    def __call__(self, csr, headers):
        if csr not in self.kept:
            self.kept[csr] = self.chain(csr)
        return 200, self.kept[csr], {"Content-Type": "application/pem-certificate-chain"}


def keyed_hash(key, body, algorithm):
    return hmac.new(key, body, getattr(hashlib, algorithm)).hexdigest()


def chain_of(path):
    """The certificates in a file, whole: anything else in it is an error."""
    parts = pathlib.Path(path).read_bytes().split(b"-----BEGIN CERTIFICATE-----\n")
    assert parts[0] == b"" or b"PRIVATE KEY-----\n" in parts[0], parts[0]
    assert all(p.endswith(b"-----END CERTIFICATE-----\n") for p in parts[1:]), parts
    return parts[1:]


def serial(path):
    return run("openssl", "x509", "-in", path, "-noout", "-serial").stdout


def matches(cert, key):
    return run("openssl", "x509", "-in", cert, "-noout", "-pubkey").stdout == \
        run("openssl", "pkey", "-in", key, "-pubout").stdout


def mode(path):
    return oct(os.stat(path).st_mode & 0o7777)
