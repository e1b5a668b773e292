# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind nginx: the snippet of examples/nginx.conf in front of the challenge listener, a proxy in
front of the management listener, and two instances behind one name."""
import os
import re
import shutil

import pytest

from lab.daemon import ROOT
from lab.http import Raw, request
from lab.util import Process, free_port, port_open, wait_until

SNIPPET = ROOT / "examples/nginx.conf"

FRAME = """
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
    uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
{http}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    """nginx(http, port) -> runs until the test ends."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    assert os.path.exists(program), "nginx is not installed"
    running = []

    def make(http, port):
        folder = tmp_path / f"nginx{len(running)}"
        folder.mkdir()
        conf = folder / "nginx.conf"
        conf.write_text(FRAME.format(dir=folder, http=http, user="user root;" if os.getuid() == 0 else ""))
        p = Process("nginx", [program, "-p", folder, "-c", conf, "-e", "stderr"], folder)
        running.append(p)
        p.wait_ready(lambda: port_open(port))
        return p
    yield make
    for p in running:
        p.stop()


def front(port, challenge_port):
    """The documented snippet with our ports: what the CA asks comes to port."""
    text = SNIPPET.read_text()
    assert "127.0.0.1:1380" in text, "the snippet passes on to the default challenge listener"
    text = text.replace("127.0.0.1:1380", f"127.0.0.1:{challenge_port}")
    text = re.sub(r"^\s*listen\s+\[::\]:80;\n", "", text, flags=re.M)
    text, listens = re.subn(r"listen\s+80;", f"listen 127.0.0.1:{port};", text)
    assert listens == 1
    return text


def test_challenge_behind_nginx(make_pebble, make_daemon, nginx, csrs, cert):
    public = free_port()
    pebble = make_pebble(public)
    d = make_daemon(pebble, challenge_port=free_port())
    nginx(front(public, d.challenge_port), public)
    c = cert(d.sign(csrs.make("a.example.org", "b.example.org")))
    assert c.names == ["a.example.org", "b.example.org"]
    # The front end passes Host: nothing to complain about.
    assert "Host" not in "".join(x for x in d.log().splitlines() if "warning" in x.lower())


def test_nginx_without_the_daemon(make_pebble, make_daemon, nginx, csrs):
    """The front end points at the wrong port: 421 that quotes what the CA saw."""
    public = free_port()
    pebble = make_pebble(public)
    d = make_daemon(pebble, challenge_port=free_port())
    nginx(front(public, free_port()), public)
    d.sign(csrs.make("a.example.org")).expect(421, r"a\.example\.org", "502")


def test_two_instances_behind_one_name(make_pebble, make_daemon, nginx, csrs, cert):
    """404 of the instance that does not know a token lets nginx ask the next."""
    public = free_port()
    pebble = make_pebble(public)
    one = make_daemon(pebble, challenge_port=free_port(), name="one")
    two = make_daemon(pebble, challenge_port=free_port(), name="two")
    nginx(f"""
    upstream both {{ server 127.0.0.1:{one.challenge_port}; server 127.0.0.1:{two.challenge_port}; }}
    server {{
        listen 127.0.0.1:{public};
        location /.well-known/acme-challenge/ {{
            proxy_pass http://both;
            proxy_next_upstream error timeout http_404;
            proxy_set_header Host $host;
        }}
    }}""", public)
    for i, d in enumerate((one, two)):
        cert(d.sign(csrs.make(f"a{i}.example.org", f"b{i}.example.org")))


def test_management_behind_nginx(fakeca, make_daemon, nginx, csrs, cert):
    """trusted-proxy: the client is whom the proxy names, and what clients forge is of no use."""
    public = free_port()
    d = make_daemon(fakeca, {"mgmt": {"trusted-proxy": "127.0.0.1"}, 'auth "test"': {"ip": "127.0.0.5"}})
    nginx(f"""
    server {{
        listen 127.0.0.1:{public};
        location / {{
            proxy_pass http://127.0.0.1:{d.port};
            proxy_read_timeout 300;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}""", public)
    csr = csrs.make("www.example.org")
    request(("127.0.0.1", public), "POST", "/sign", csr).expect(403)
    request(("127.0.0.1", public), "POST", "/sign", csr, {"X-Forwarded-For": "127.0.0.5"}).expect(
        200)  # the trusted proxy itself asked on behalf of 127.0.0.5: it is 127.0.0.1 in the list
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", public, source_address=("127.0.0.5", 0))
    c.request("POST", "/sign", csr)
    assert c.getresponse().status == 200
    c = http.client.HTTPConnection("127.0.0.1", public, source_address=("127.0.0.6", 0))
    c.request("POST", "/sign", csr, {"X-Forwarded-For": "127.0.0.5"})
    assert c.getresponse().status == 403


def test_management_behind_nginx_on_a_unix_socket(fakeca, make_daemon, nginx, csrs, tmp_path):
    public = free_port()
    sock = tmp_path / "s"
    make_daemon(fakeca, {"mgmt": {"listener": f"unix:{sock}", "trusted-proxy": "unix",
                                  "proxy-header": "X-Real-IP"}})
    nginx(f"""
    server {{
        listen 127.0.0.1:{public};
        location / {{ proxy_pass http://unix:{sock}:; proxy_set_header X-Real-IP $remote_addr; }}
    }}""", public)
    assert request(("127.0.0.1", public), "POST", "/sign", csrs.make("a.example.org")).status == 200


def test_client_of_nginx_hangs_up(fakeca, make_daemon, nginx, csrs):
    """nginx closes its connection to us as well; the order goes on."""
    public = free_port()
    d = make_daemon(fakeca, {"mgmt": {"trusted-proxy": "127.0.0.1"}})
    nginx(f"""
    server {{
        listen 127.0.0.1:{public};
        location / {{
            proxy_pass http://127.0.0.1:{d.port};
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}""", public)
    # Both are 127.0.0.1 here: a client with an address of its own.
    d.restart({'auth "test"': {"ip": "127.0.0.5"}})
    fakeca.validation_delay = 1
    csr = csrs.make("www.example.org")
    with Raw(("127.0.0.1", public)) as r:
        r.sock.close()
        import socket
        r.sock = socket.create_connection(("127.0.0.1", public), source_address=("127.0.0.5", 0))
        r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: {len(csr)}\r\n\r\n".encode() + csr)
        wait_until(lambda: fakeca.count("challenge"), what="the order")
    wait_until(lambda: (d.entry(csr) / "cert.pem").exists(), what="the entry")
