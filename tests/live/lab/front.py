# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx, Apache httpd, HAProxy and Caddy with the very files of examples/, our ports put in, as
ordinary programs on loopback."""
import os
import pathlib
import re
import shutil

from .daemon import ROOT
from .util import Process, clean_env, port_open

KINDS = ["nginx", "apache", "haproxy", "caddy"]

NGINX = """
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr;
{root}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
{text}
}}
"""

APACHE_MODULES = "mpm_event authz_core proxy proxy_http rewrite socache_shmcb ssl"

APACHE = """
ServerRoot {dir}
DefaultRuntimeDir {dir}
PidFile {dir}/apache.pid
ErrorLog {dir}/apache.log
ServerName localhost
{root}
Listen 127.0.0.1:{port}
{text}
"""

HAPROXY = """
global
    maxconn 256
{text}
"""

CADDY = """
{{
    admin off
    auto_https off
    http_port {port}
    default_bind 127.0.0.1
}}
{text}
"""


def frame(kind, folder, text, port):
    """A whole configuration around a snippet."""
    root = os.getuid() == 0
    if kind == "nginx":
        return NGINX.format(dir=folder, text=text, root="user root;" if root else "")
    if kind == "apache":
        modules = pathlib.Path("/usr/lib/apache2/modules")
        load = "".join(f"LoadModule {m}_module {modules}/mod_{m}.so\n" for m in APACHE_MODULES.split())
        return load + APACHE.format(dir=folder, text=text, port=port,
                                    root="User www-data\nGroup www-data" if root else "")
    if kind == "haproxy":
        return HAPROXY.format(text=text)
    return CADDY.format(text=text, port=port)


def command(kind, folder, conf):
    program = {"apache": "apache2"}.get(kind, kind)
    path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert path, f"{program} is not installed"
    return {"nginx": [path, "-p", folder, "-c", conf, "-e", "stderr"],
            "apache": [path, "-f", conf, "-DFOREGROUND"],
            "haproxy": [path, "-db", "-f", conf],
            "caddy": [path, "run", "--config", conf, "--adapter", "caddyfile"]}[kind]


class Front:
    """One running front end with a configuration given as text."""

    def __init__(self, kind, folder, text, port):
        folder.mkdir(parents=True)
        conf = folder / f"{kind}.conf"
        conf.write_text(frame(kind, folder, text, port))
        env = clean_env(HOME=str(folder), XDG_DATA_HOME=str(folder), XDG_CONFIG_HOME=str(folder))
        self.process = Process(kind, command(kind, folder, conf), folder, env=env)
        self.process.wait_ready(lambda: port_open(port))

    def stop(self):
        self.process.stop()


SNIPPETS = {"nginx": "nginx.conf", "apache": "apache.conf", "haproxy": "haproxy.cfg", "caddy": "Caddyfile"}

# What a snippet calls port 80, where the frame does not say it.
PORT_80 = {"nginx": ("listen 80;", "listen 127.0.0.1:{};"), "apache": ("<VirtualHost *:80>", "<VirtualHost *:{}>"),
           "haproxy": ("bind :80\n", "bind 127.0.0.1:{}\n")}
PORT_8443 = {"nginx": [("listen 8443 ssl;", "listen 127.0.0.1:{} ssl;")],
             "apache": [("Listen 8443", "Listen 127.0.0.1:{}"), ("<VirtualHost *:8443>", "<VirtualHost *:{}>")],
             "haproxy": [("bind :8443 ssl", "bind 127.0.0.1:{} ssl")],
             "caddy": [("https://acmems.example.org:8443", "https://localhost:{}")]}


def snippet(kind, *, port, challenge, second=None, management=None, public=None, tls=None, folder=None):
    """The file of examples/ as it is there, or with all that is commented out in it. Ports: port is the
    front end's for challenges, challenge and second those of the instances, management the daemon's
    and public the front end's for it, with the TLS of tls."""
    text = (ROOT / "examples" / SNIPPETS[kind]).read_text()
    changes = [("127.0.0.1:1380", f"127.0.0.1:{challenge}")]
    if kind in PORT_80:
        changes.append((PORT_80[kind][0], PORT_80[kind][1].format(port)))
    if kind == "nginx":
        changes.append(("    listen [::]:80;\n", ""))
    if second:
        text = re.sub(r"^([ \t]*)#(?! |$)", r"\1", text, flags=re.M)
        cert, key = tls.server()
        both = folder / f"{kind}-both.pem"
        both.write_text(key.read_text() + cert.read_text())
        place = {"apache": "apache2"}.get(kind, kind)
        changes += [("192.0.2.11:1380", f"127.0.0.1:{second}"),
                    ("127.0.0.1:1313", f"127.0.0.1:{management}"),
                    (f"/etc/{place}/acmems.pem", str(both))]
        changes += [(old, new.format(public)) for old, new in PORT_8443[kind]]
        if kind != "haproxy":
            changes.append((f"/etc/{place}/acmems.key", str(key)))
    for old, new in changes:
        assert old in text, f"{SNIPPETS[kind]} has no {old!r} any more"
        text = text.replace(old, new)
    return text
