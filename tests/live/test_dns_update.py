# SPDX-License-Identifier: GPL-3.0-or-later
"""dns-01 by dynamic update of BIND, which the CA asks itself."""
import re
import signal
import socket
import threading
import time

import pytest

from lab.bind import KEYGEN, NAMED, Bind, Key
from lab.util import free_port, wait_until

pytestmark = pytest.mark.skipif(not NAMED or not KEYGEN, reason="no BIND on this machine")

NAMES = ["example.org", "*.example.org"]
BASE = "@ NS ns1\nns1 A 127.0.0.1\n"


class Asking(threading.Thread):
    """A sign request in the background."""

    def __init__(self, daemon, csr, timeout=60):
        super().__init__()
        self.daemon_, self.csr, self.timeout, self.response = daemon, csr, timeout, None
        self.start()

    def run(self):
        try:
            self.response = self.daemon_.sign(self.csr, timeout=self.timeout)
        except OSError as e:
            self.response = e

    def wait(self):
        self.join()
        return self.response


def has_address(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.bind((address, 0))
        return True
    except OSError:
        return False


class Lab:
    """Name servers, one Pebble that asks the first of them (or a resolver), one daemon."""

    def __init__(self, folder, make_pebble, make_daemon):
        self.folder, self.make_pebble, self.make_daemon = folder, make_pebble, make_daemon
        self.binds = []
        self.key = Key(folder)
        self.port = free_port()

    def bind(self, address="127.0.0.1", key=True, port=None, **kw):
        """Another named, on the same port of another address."""
        if not has_address(address):
            pytest.skip(f"no {address} on this machine")
        b = Bind(self.folder / f"named{len(self.binds)}", address, port or self.port,
                 self.key if key else None, **kw)
        self.binds.append(b)
        return b

    def resolver(self, **zones):
        """A recursive server; zones: whom it asks, with _ for the dots of the names. Even a TTL of 0
        lives to the end of the second, so the daemon and the CA need one each, as in life."""
        b = self.bind(key=False, port=free_port(),
                      options="recursion yes; max-ncache-ttl 0; max-cache-ttl 0;")
        for zone, server in zones.items():
            b.forward(zone.replace("_", "."), server)
        return b.start()

    def start(self, resolver=None, ca=None, **options):
        """The daemon; options change its verification block, None takes one away. ca: whom the CA
        asks; False: a name server that knows nothing of this."""
        resolver = resolver or self.binds[0]
        pebble = self.make_pebble()
        if ca is not False:
            pebble.dns.dns_port = (ca or resolver).port
            pebble.restart()
        block = {"type": "dns01-dnsUpdate", "dns-server": self.binds[0].where, "resolver": resolver.where,
                 "tsig-key-file": self.key.path, "timeout": 2, "propagation-timeout": 10, **options}
        self.pebble = pebble
        self.daemon = self.make_daemon(pebble, {
            'verification "http"': None, 'verification "dns"': block,
            'auth "test"': {"domain": ["example.org", "*.example.org"]}})
        return self.daemon

    def clean(self, *zones):
        """No TXT record is left, at the latest when deleting was tried again."""
        for zone in zones or ["example.org"]:
            for b in self.binds:
                if b.process and b.serves(zone):
                    wait_until(lambda: b.txt(zone) == [], 10, f"TXT of {zone} gone: {b.txt(zone)}")


@pytest.fixture
def lab(tmp_path, make_pebble, make_daemon):
    lab = Lab(tmp_path, make_pebble, make_daemon)
    yield lab
    for b in lab.binds:
        b.stop()


@pytest.fixture
def simple(lab):
    lab.bind().primary("example.org", BASE).start()
    return lab


# What works

def test_apex_and_wildcard(simple, csrs, cert):
    d = simple.start()
    assert cert(d.sign(csrs.make(*NAMES))).names == sorted(NAMES)
    simple.clean()
    added = re.findall(r"updating zone 'example.org/IN': adding an RR at '_acme-challenge.example.org' TXT",
                       simple.binds[0].process.err())
    assert len(added) == 2


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha224", "hmac-sha384", "hmac-sha512"])
def test_algorithms(lab, csrs, cert, algorithm):
    lab.key = Key(lab.folder, "other.example", algorithm)
    lab.bind().primary("example.org", BASE).start()
    d = lab.start()
    cert(d.sign(csrs.make("*.example.org")))
    assert ("hmac-sha1: make a new one" in d.log()) == (algorithm == "hmac-sha1")
    lab.clean()


def test_key_from_options_and_foreign_records(lab, csrs, cert):
    """What others put at the name stays."""
    lab.bind().primary("example.org", BASE + '_acme-challenge TXT "foreign"\n').start()
    secret = re.search(r'secret "(.*?)"', lab.key.text).group(1)
    d = lab.start(**{"tsig-key-file": None, "tsig-name": lab.key.name, "tsig-secret": secret})
    cert(d.sign(csrs.make(*NAMES)))
    b = lab.binds[0]
    wait_until(lambda: b.txt("example.org") == [("_acme-challenge.example.org", "foreign")])


def test_subzone_on_another_server(lab, csrs, cert):
    lab.bind().primary("example.org", BASE + "sub NS ns1.sub\nns1.sub AAAA ::1\n").start()
    lab.bind("::1").primary("sub.example.org", "@ NS ns1\nns1 AAAA ::1\n").start()
    zones = {"example_org": lab.binds[0], "sub_example_org": lab.binds[1]}
    d = lab.start(lab.resolver(**zones), lab.resolver(**zones), **{"dns-server": [lab.binds[0].where, lab.binds[1].where]})
    cert(d.sign(csrs.make("*.sub.example.org", "www.example.org")))
    lab.clean("example.org", "sub.example.org")
    assert "adding an RR at '_acme-challenge.sub.example.org' TXT" in lab.binds[1].process.err()
    assert "adding an RR at '_acme-challenge.sub.example.org' TXT" not in lab.binds[0].process.err()


def test_two_steps_into_another_zone(lab, csrs, cert):
    b = lab.bind().primary(
        "example.org", BASE + "_acme-challenge CNAME hop\nhop CNAME example.acme.example.net.\n"
        "_acme-challenge.a CNAME example.acme.example.net.\n", policy=False)
    b.primary("acme.example.net", BASE).start()
    zones = {"example_org": b, "example_net": b}
    d = lab.start(lab.resolver(**zones), lab.resolver(**zones))
    cert(d.sign(csrs.make("*.example.org")))
    time.sleep(1.1)  # what the CA's resolver remembers is over
    cert(d.sign(csrs.make("a.example.org")))
    lab.clean("example.org", "acme.example.net")
    assert len(re.findall(r"adding an RR at 'example.acme.example.net' TXT", b.process.err())) == 2


def test_dname(lab, csrs, cert):
    b = lab.bind().primary("example.org", BASE + "old DNAME new.example.net.\n", policy=False)
    b.primary("new.example.net", BASE).start()
    zones = {"example_org": b, "example_net": b}
    d = lab.start(lab.resolver(**zones), lab.resolver(**zones))
    cert(d.sign(csrs.make("www.old.example.org")))
    lab.clean("example.org", "new.example.net")


def test_many_orders_at_once(simple, csrs, cert):
    d = simple.start()
    bodies = [csrs.make(f"*.n{i}.example.org") for i in range(16)]
    for asking in [Asking(d, b) for b in bodies]:
        cert(asking.wait())
    simple.clean()


def test_many_orders_at_one_name(lab, csrs, cert):
    """All of them delegated to one name: one change after the other, each value at its time."""
    links = "".join(f"_acme-challenge.n{i} CNAME target\n" for i in range(12))
    lab.bind().primary("example.org", BASE + links).start()
    d = lab.start()
    # Pebble 2.4 asks without EDNS and does not come back over TCP for what was truncated (named's
    # query log: "TXT +", no E, no T): it knows what fits into 512 octets.
    bodies = [csrs.make(f"*.n{i}.example.org") for i in range(12 if lab.pebble.new else 6)]
    for asking in [Asking(d, b) for b in bodies]:
        cert(asking.wait())
    lab.clean()


def test_second_server_when_the_first_is_down(simple, csrs, cert):
    d = simple.start(**{"dns-server": [f"127.0.0.1:{free_port()}", simple.binds[0].where]})
    cert(d.sign(csrs.make("*.example.org")))
    simple.clean()


# Secondaries

def with_secondary(lab, refresh, records="", notify=False):
    primary = lab.bind().primary("example.org", BASE + "@ NS ns2\nns2 AAAA ::1\n" + records, refresh,
                                 notify).start()
    secondary = lab.bind("::1").secondary("example.org", primary).start()
    wait_until(lambda: secondary.serves("example.org"), what="the first transfer")
    return {"dns-server": [primary.where, secondary.where]}


def test_secondary_that_lags(lab, csrs, cert):
    options = with_secondary(lab, refresh=2)
    d = lab.start(**options)
    cert(d.sign(csrs.make(*NAMES)))
    lab.clean()


def test_secondary_that_never_follows(lab, csrs):
    options = with_secondary(lab, refresh=3600)
    d = lab.start(**{**options, "propagation-timeout": 2})
    r = d.sign(csrs.make("*.example.org"))
    assert r.status == 503, repr(r)
    assert "ns2.example.org (::1)" in d.log()
    assert re.search(r"after 2 s the TXT record of _acme-challenge.example.org is still missing at "
                     r"ns2\.example\.org \(::1\)", d.log()), d.log()[-3000:]
    wait_until(lambda: lab.binds[0].txt("example.org") == [])
    assert lab.pebble.count("POST /chalZ") == 0


def test_dead_secondary(lab, csrs, cert):
    lab.bind().primary("example.org", BASE + "@ NS ns3\nns3 A 127.0.0.3\n").start()
    d = lab.start()
    cert(d.sign(csrs.make("*.example.org")))
    assert re.search(r"passed over .*ns3\.example\.org \(127\.0\.0\.3\)", d.log())
    lab.clean()


def test_lame_secondary(lab, csrs, cert):
    primary = lab.bind().primary("example.org", BASE + "@ NS ns2\nns2 AAAA ::1\n").start()
    other = lab.bind("::1").primary("example.net", BASE).start()
    d = lab.start(**{"dns-server": [primary.where, other.where]})
    cert(d.sign(csrs.make("*.example.org")))
    assert re.search(r"passed over .*ns2\.example\.org \(::1\): REFUSED", d.log())
    lab.clean()


# What is refused, each with its own error

def refused(lab, csrs, status, pattern, name="*.example.org", **options):
    d = lab.start(**options)
    r = d.sign(csrs.make(name))
    assert r.status == status, repr(r)
    assert re.search(pattern, d.log()), f"{pattern}\n{d.log()[-3000:]}"
    lab.clean()
    return d, r


def test_unknown_key(simple, csrs):
    other = Key(simple.folder, "nobody.example")
    _, r = refused(simple, csrs, 500, r"NOTAUTH, TSIG error BADKEY: the server knows no key of this name",
                   **{"tsig-key-file": other.path})
    assert b"BADKEY" in r.body and b"nobody" not in r.body


def test_wrong_secret(simple, csrs):
    wrong = simple.key.wrong_secret(simple.folder)
    refused(simple, csrs, 500, r"NOTAUTH, TSIG error BADSIG: the secret", **{"tsig-key-file": wrong.path})


def test_no_key(simple, csrs):
    refused(simple, csrs, 500, r"REFUSED: the server wants a key", **{"tsig-key-file": None})


def test_key_without_the_right(lab, csrs):
    """The policy lets it write TXT records of another zone only."""
    lab.bind().primary("example.org", BASE, policy=False).primary("example.net", BASE).start()
    refused(lab, csrs, 500, r"(REFUSED|NOTAUTH): the server")


def test_zone_that_is_no_apex(simple, csrs):
    refused(simple, csrs, 500, r"in zone www\.example\.org: \S+: NOTAUTH", zone="www.example.org",
            name="*.www.example.org")


def test_zone_of_others(simple, csrs):
    refused(simple, csrs, 500, r"is not in the configured zone example\.net", zone="example.net")


def test_server_down(simple, csrs):
    simple.start(**{"dns-server": f"127.0.0.1:{free_port()}"})
    r = simple.daemon.sign(csrs.make("*.example.org"))
    assert r.status == 503, repr(r)
    assert "Connection refused" in simple.daemon.log()
    simple.clean()


def test_server_that_never_answers(simple, csrs):
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        udp.bind(("127.0.0.1", port))
        tcp.bind(("127.0.0.1", port))
        tcp.listen()
        d = simple.start(**{"dns-server": f"127.0.0.1:{port}", "timeout": 1})
        r = d.sign(csrs.make("*.example.org"))
        assert r.status == 503, repr(r)
        assert "no answer in time" in d.log()
        # It may have heard us: deleting is tried until the end.
        d.stop(timeout=60)
    simple.clean()


# Nothing stays behind

def test_failed_validation(simple, csrs):
    """The CA asks another name server, which knows nothing."""
    d = simple.start(ca=False)
    r = d.sign(csrs.make(*NAMES))
    assert r.status == 421, repr(r)
    simple.clean()


def test_client_that_hangs_up(lab, csrs):
    options = with_secondary(lab, refresh=3600)
    d = lab.start(**{**options, "propagation-timeout": 4})
    body = csrs.make("*.example.org")
    with socket.create_connection(d.where) as s:
        s.sendall(b"POST /sign HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        wait_until(lambda: lab.binds[0].txt("example.org"), what="the record")
    wait_until(lambda: lab.binds[0].txt("example.org") == [], 15, "the record is taken away")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal(lab, csrs, number):
    """In the middle of waiting for a secondary."""
    options = with_secondary(lab, refresh=3600)
    d = lab.start(**{**options, "propagation-timeout": 60})
    asking = Asking(d, csrs.make(*NAMES))
    wait_until(lambda: len(lab.binds[0].txt("example.org")) == 2, what="the records")
    d.stop(number)
    assert lab.binds[0].txt("example.org") == []
    asking.wait()
