# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind nginx, Apache httpd, HAProxy and Caddy: the files of examples/ in front of challenge and
management listeners, and two instances behind one name."""
import http.client
import socket
import ssl

import pytest

from lab.front import KINDS, Front, snippet
from lab.http import Raw, request
from lab.util import free_port, wait_until

OLD_PEBBLE = pytest.mark.parametrize("make_pebble", ["old"], indirect=True)


@pytest.fixture
def make_front(tmp_path):
    """make_front(kind, text, port) -> runs until the test ends."""
    running = []

    def make(kind, text, port):
        running.append(Front(kind, tmp_path / f"{kind}{len(running)}", text, port))
        return running[-1]
    yield make
    for front in running:
        front.stop()


@pytest.fixture
def nginx(make_front):
    """nginx(http, port) -> with this in its http context."""
    return lambda text, port: make_front("nginx", text, port)


def complaints(daemon):
    """Of the daemon about the front end; that the tests may run as root is not one."""
    return [x for x in daemon.log().splitlines() if " warning " in x and "runs as root" not in x]


@OLD_PEBBLE
@pytest.mark.parametrize("kind", KINDS)
def test_example(make_pebble, make_daemon, make_front, csrs, cert, kind):
    """The file as it is: challenges go to the daemon, everything else to https."""
    public = free_port()
    pebble = make_pebble(public)
    d = make_daemon(pebble, challenge_port=free_port())
    front = make_front(kind, snippet(kind, port=public, challenge=d.challenge_port), public)
    assert "[WARNING]" not in front.process.err(), front.process.err()
    c = cert(d.sign(csrs.make("www.example.org", "mail.example.org")))
    assert c.names == ["mail.example.org", "www.example.org"]
    # The front end passes Host: nothing to complain about.
    assert not complaints(d)
    host = {"Host": "www.example.org"}
    assert request(("127.0.0.1", public), "GET", "/.well-known/acme-challenge/none", headers=host).status == 404
    r = request(("127.0.0.1", public), "GET", "/page?q=1", headers=host)
    assert r.status in (301, 308) and r.header("Location").rstrip("/").startswith("https://www.example.org"), r
    assert r.header("Location").endswith("/page?q=1"), r


def post_from(address, port, tls, csr, headers):
    """Through the front end's TLS, from one of loopback's addresses."""
    context = ssl.create_default_context(cafile=str(tls.root))
    # Newer Pythons want extensions that the lab's small CA leaves out.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    c = http.client.HTTPSConnection("localhost", port, timeout=60, context=context, source_address=(address, 0))
    try:
        c.request("POST", "/sign", csr, headers)
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


@OLD_PEBBLE
@pytest.mark.parametrize("kind", KINDS)
def test_example_with_everything(make_pebble, make_daemon, make_front, csrs, cert, tls, tmp_path, kind):
    """The same file with all that is commented out in it: two instances, each asked for what the other
    does not know, and clients through the front end, who are whom the front end saw."""
    public, management = free_port(), free_port()
    pebble = make_pebble(public)
    one, two = (make_daemon(pebble, {"mgmt": {"trusted-proxy": "127.0.0.1"}}, challenge_port=free_port(),
                            name=name) for name in ("one", "two"))
    one.restart({'auth "test"': {"ip": "127.0.0.5"}})
    make_front(kind, snippet(kind, port=public, challenge=one.challenge_port, second=two.challenge_port,
                             management=one.port, public=management, tls=tls, folder=tmp_path), public)
    names = "www.example.org", "mail.example.org"
    csr = csrs.make(*names)
    forged = {"X-Forwarded-For": "127.0.0.5", "X-Real-IP": "127.0.0.5", "Forwarded": "for=127.0.0.5"}
    assert post_from("127.0.0.6", management, tls, csr, forged)[0] == 403
    status, body = post_from("127.0.0.5", management, tls, csr, {"X-Forwarded-For": "127.0.0.9"})
    assert status == 200, body
    # The second one alone knows these, and the first is asked first, or as often.
    for label in "xy":
        cert(two.sign(csrs.make(*names, label=label), {"X-Forwarded-For": "127.0.0.1"}))
    assert not complaints(two)
    r = request(("127.0.0.1", public), "GET", "/.well-known/acme-challenge/none", headers={"Host": names[0]})
    assert r.status == 404, r


@OLD_PEBBLE
@pytest.mark.parametrize("kind", ["nginx", "apache", "caddy"])  # HAProxy tries for some seconds
def test_front_without_the_daemon(make_pebble, make_daemon, make_front, csrs, kind):
    """The front end points at the wrong port: 421 that quotes what the CA saw."""
    public = free_port()
    pebble = make_pebble(public)
    d = make_daemon(pebble, challenge_port=free_port())
    make_front(kind, snippet(kind, port=public, challenge=free_port()), public)
    d.sign(csrs.make("www.example.org")).expect(421, r"www\.example\.org", "50[23]")


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
        r.sock = socket.create_connection(("127.0.0.1", public), source_address=("127.0.0.5", 0))
        r.send(f"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: {len(csr)}\r\n\r\n".encode() + csr)
        wait_until(lambda: fakeca.count("challenge"), what="the order")
    wait_until(lambda: (d.entry(csr) / "cert.pem").exists(), what="the entry")
