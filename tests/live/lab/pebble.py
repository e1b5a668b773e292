# SPDX-License-Identifier: GPL-3.0-or-later
"""Pebble, the test CA of Let's Encrypt, and its DNS test server, as ordinary programs on loopback."""
import json
import os
import re
import ssl
import subprocess
import urllib.request

from .util import Process, clean_env, free_port, port_open


class Challtestsrv:
    """A name server that says 127.0.0.1 for every name, unless told otherwise."""

    def __init__(self, folder, binary):
        self.dns_port, self.port = free_port(), free_port()
        usage = subprocess.run([binary, "-h"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                               text=True).stderr
        flags = ["-dnsserver", f"127.0.0.1:{self.dns_port}", "-doh", ""] if "-dnsserver" in usage \
            else ["-dns01", f"127.0.0.1:{self.dns_port}"]
        self.process = Process(
            "challtestsrv",
            [binary, *flags, "-management", f"127.0.0.1:{self.port}", "-http01", "", "-https01", "",
             "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""], folder)
        # DNS over TCP comes from a second goroutine: wait for both.
        self.process.wait_ready(lambda: port_open(self.port) and port_open(self.dns_port))

    def post(self, path, **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}",
                                         json.dumps(body).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return opener.open(request, timeout=10).read()

    def address(self, host, *addresses):
        self.post("add-a", host=host + ".", addresses=list(addresses))

    def address6(self, host, *addresses):
        self.post("add-aaaa", host=host + ".", addresses=list(addresses))

    def caa(self, host, *issuers):
        self.post("add-caa", host=host + ".", policies=[{"tag": "issue", "value": i} for i in issuers])

    def stop(self):
        self.process.stop()


class NameServer:
    """One that somebody else runs."""

    def __init__(self, dns_port):
        self.dns_port = dns_port

    def stop(self):
        pass


class Pebble:
    """One CA. Its ports stay the same over stop() and start(), its state does not (as with Pebble)."""

    def __init__(self, folder, binaries, tls, challenge_port, new, *, env=None, strict=None,
                 address="127.0.0.1", dns_port=None, **config):
        self.new, self.address = new, address
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.tls = tls
        self.binary = os.path.join(binaries, "pebble")
        self.dns = NameServer(dns_port) if dns_port else \
            Challtestsrv(folder, os.path.join(binaries, "pebble-challtestsrv"))
        self.port, self.management = free_port(), free_port()
        cert, key = tls.server()
        self.config = {
            "listenAddress": f"{address}:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(cert), "privateKey": str(key),
            "httpPort": challenge_port, "tlsPort": 5001,
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": 90 * 86400,
            "retryAfter": {"authz": 1, "order": 1},
            **config}
        if new and "profiles" not in config:
            self.config["profiles"] = {"default": {"description": "The default", "validityPeriod":
                                                   90 * 86400}}
        self.env = clean_env(**{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0",
                                "PEBBLE_AUTHZREUSE": "0", "GOMAXPROCS": "1", **(env or {})})
        self.flags = [] if strict is None else [f"-strict={'true' if strict else 'false'}"]
        self.process = None

    @property
    def directory(self):
        return f"https://{self.address}:{self.port}/dir"

    def start(self):
        path = self.folder / "pebble.json"
        path.write_text(json.dumps({"pebble": self.config}))
        self.process = Process("pebble", [self.binary, "-config", path, "-dnsserver",
                                          f"127.0.0.1:{self.dns.dns_port}", *self.flags],
                               self.folder, env=self.env)
        self.process.wait_ready(lambda: port_open(self.port, self.address) and
                                port_open(self.management))
        return self

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        self.stop()
        self.dns.stop()

    def log(self):
        return (self.folder / "pebble.out").read_text(errors="replace") + \
            (self.folder / "pebble.err").read_text(errors="replace")

    def count(self, what):
        """How often a path was asked for, e.g. 'POST /order-plz'."""
        return len(re.findall(re.escape(what) + r"\b", self.log()))

    def orders(self):
        return self.count("POST /order-plz")

    def accounts(self):
        return len(re.findall(r"There are now (\d+) accounts in memory", self.log()))

    def roots(self):
        context = ssl.create_default_context(cafile=str(self.tls.root))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        return opener.open(f"https://127.0.0.1:{self.management}/roots/0", timeout=10).read()
