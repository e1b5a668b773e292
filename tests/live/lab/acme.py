# SPDX-License-Identifier: GPL-3.0-or-later
"""A small ACME client, to ask a test CA what the daemon would never ask. Signs with the openssl
program, and gives back every byte of an answer and how the connection ended."""
import base64
import hashlib
import hmac
import json
import re
import socket
import ssl
import subprocess
import time

from .http import Response

# crv or kty, alg, digest, bytes of a coordinate
KINDS = {"p256": ("P-256", "ES256", "sha256", 32), "p384": ("P-384", "ES384", "sha384", 48),
         "rsa2048": ("RSA", "RS256", "sha256", 0)}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _openssl(*args, data=None):
    return subprocess.run(["openssl", *map(str, args)], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True).stdout


class Key:
    def __init__(self, path, kind="p256"):
        self.path, self.kind = path, kind
        name, self.alg, self.digest, self.size = KINDS[kind]
        if self.size:
            point = _openssl("pkey", "-in", path, "-pubout", "-outform", "DER")[-2 * self.size:]
            self.jwk = {"crv": name, "kty": "EC", "x": b64(point[:self.size]), "y": b64(point[self.size:])}
        else:
            modulus = _openssl("rsa", "-in", path, "-noout", "-modulus").decode().split("=")[1].strip()
            self.jwk = {"e": "AQAB", "kty": "RSA", "n": b64(bytes.fromhex(modulus))}
        text = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        self.thumbprint = b64(hashlib.sha256(text.encode()).digest())

    def sign(self, data):
        der = _openssl("dgst", "-" + self.digest, "-sign", self.path, data=data)
        if not self.size:
            return der
        numbers, at = [], 2 if der[1] < 0x80 else 3
        for _ in range(2):
            n = der[at + 1]
            numbers.append(int.from_bytes(der[at + 2:at + 2 + n], "big"))
            at += 2 + n
        return b"".join(n.to_bytes(self.size, "big") for n in numbers)


class Wire:
    """What came over a connection: the bytes, and how it ended: open, closed (with close_notify), eof
    (without), reset. seconds: until the first byte."""

    def __init__(self, raw, end, seconds):
        self.raw, self.end, self.seconds = raw, end, seconds

    def __repr__(self):
        return f"<{self.end} after {self.raw[:600]!r} ({len(self.raw)} bytes)>"

    @property
    def head(self):
        return self.raw.split(b"\r\n\r\n", 1)[0]

    @property
    def body(self):
        parts = self.raw.split(b"\r\n\r\n", 1)
        return parts[1] if len(parts) > 1 else b""

    @property
    def response(self):
        """Head and the rest as the body, whatever the framing."""
        first, *lines = self.head.decode("latin-1").split("\r\n")
        _, status, reason = (first + " ").split(" ", 2)
        return Response(int(status), reason.strip(),
                        [tuple(x.strip() for x in line.split(":", 1)) for line in lines], self.body)


class _Line:
    """TLS by hand over a plain socket: only so can FIN, RST and close_notify be told apart."""

    def __init__(self, where, context, limit):
        self.deadline = time.monotonic() + limit
        self.sock = socket.create_connection(where, timeout=limit)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")

    def _feed(self, wait):
        """Takes what comes. False: FIN."""
        if self.outgoing.pending:
            self.sock.sendall(self.outgoing.read())
        self.sock.settimeout(max(0.01, min(wait, self.deadline - time.monotonic())))
        more = self.sock.recv(1 << 20)
        self.incoming.write(more)
        return bool(more)

    def until(self, step, wait):
        """The value of a step of TLS once it can be done; None if FIN comes first."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                if not self._feed(wait):
                    return None

    def send(self, data):
        self.tls.write(data)
        self.sock.sendall(self.outgoing.read())


def talk(where, context, data, idle=0.3, limit=3.0):
    """One connection: sends data, reads until its end, or until nothing came for a while."""
    started = time.monotonic()
    end, first, parts = "open", None, []
    line = None
    try:
        line = _Line(where, context, limit)
        if line.until(lambda: line.tls.do_handshake() or True, limit):
            line.send(data)
        while time.monotonic() - started < limit:
            more = line.until(lambda: line.tls.read(1 << 20), idle if parts else limit)
            if not more:
                end = "eof" if more is None else "closed"
                break
            first = first or time.monotonic() - started
            parts.append(more)
    except TimeoutError:
        pass
    except ssl.SSLCertVerificationError as e:
        end = f"certificate: {e.verify_message}"
    except (ConnectionResetError, BrokenPipeError):
        end = "reset"
    finally:
        if line:
            line.sock.close()
    return Wire(b"".join(parts), end, first)


class Client:
    def __init__(self, ca, key):
        self.ca, self.key, self.kid = ca, key, None
        self.context = ssl.create_default_context(cafile=str(ca.trust))
        self.urls = None

    # Over the wire

    def send(self, method, url, body=b"", idle=0.05, limit=10.0, close=True, headers=""):
        """A request on a connection of its own. close: ask for the connection to be closed, which
        saves the wait for more."""
        path = url[len(self.ca.base):] if url.startswith(self.ca.base) else url
        kind = "Content-Type: application/jose+json\r\n" if body else ""
        data = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: lab/1\r\n{kind}{headers}"
                f"{'Connection: close' + chr(13) + chr(10) if close else ''}"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        return talk(self.ca.where, self.context, data, idle if not close else limit, limit)

    def get(self, url):
        return self.send("GET", url).response

    def nonce(self):
        return self.get(self.ca.base + "/new-nonce").header("Replay-Nonce")

    # Signing

    def jws(self, url, payload, key=None, jwk=False, header=None, kid=None, nonce=True):
        """payload: None for POST-as-GET. header changes members of the protected header."""
        key = key or self.key
        protected = {"alg": key.alg, "url": url}
        if nonce:
            protected["nonce"] = self.nonce()
        if jwk:
            protected["jwk"] = key.jwk
        else:
            protected["kid"] = kid or self.kid
        protected.update(header or {})
        protected = {k: v for k, v in protected.items() if v is not None}
        head = b64(json.dumps(protected).encode())
        text = "" if payload is None else b64(json.dumps(payload).encode())
        signature = b64(key.sign(f"{head}.{text}".encode()))
        return {"protected": head, "payload": text, "signature": signature}

    def wire(self, url, payload=None, close=False, idle=0.3, limit=3.0, **kw):
        body = json.dumps(self.jws(url, payload, **kw)).encode()
        return self.send("POST", url, body, idle, limit, close)

    def post(self, url, payload=None, **kw):
        body = json.dumps(self.jws(url, payload, **kw)).encode()
        return self.send("POST", url, body).response

    # ACME

    def directory(self):
        if self.urls is None:
            self.urls = self.get(self.ca.directory).json()
        return self.urls

    def binding(self, kid, mac, url=None):
        url = url or self.directory()["newAccount"]
        head = b64(json.dumps({"alg": "HS256", "kid": kid, "url": url}).encode())
        payload = b64(json.dumps(self.key.jwk).encode())
        signature = hmac.new(unb64(mac), f"{head}.{payload}".encode(), "sha256").digest()
        return {"protected": head, "payload": payload, "signature": b64(signature)}

    def register(self, **payload):
        payload.setdefault("termsOfServiceAgreed", True)
        r = self.post(self.directory()["newAccount"], payload, jwk=True)
        if r.status in (200, 201):
            self.kid = r.header("Location")
        return r

    def order(self, *names, **more):
        kind = lambda n: "ip" if re.fullmatch(r"[\d.]+|.*:.*", n) else "dns"
        r = self.post(self.directory()["newOrder"],
                      {"identifiers": [{"type": kind(n), "value": n} for n in names], **more})
        return r

    def challenge(self, authz, kind="http-01"):
        return next(c for c in self.post(authz).json()["challenges"] if c["type"] == kind)

    def authorize(self, order, kind="http-01"):
        """All authorizations of an order (a Response)."""
        for url in order.json()["authorizations"]:
            self.post(self.challenge(url, kind)["url"], {})
        return self.post(order.header("Location"))

    def finalize(self, order, csr_pem):
        der = _openssl("req", "-outform", "DER", data=csr_pem)
        return self.post(order.json()["finalize"], {"csr": b64(der)})

    def issue(self, csr_pem, *names, kind="http-01", **more):
        """(finalized order, certificate answer)"""
        order = self.order(*names, **more)
        assert order.status == 201, order
        self.authorize(order, kind)
        done = self.finalize(order, csr_pem)
        assert done.status == 200, done
        return done, self.post(done.json()["certificate"])


def pem_der(pem):
    """The first certificate of a PEM text, as bytes."""
    return base64.b64decode(re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", pem, re.S)[1])


def certificate_id(pem):
    """RFC 9773 4.1."""
    text = _openssl("x509", "-noout", "-serial", "-ext", "authorityKeyIdentifier", data=pem.encode()).decode()
    serial = bytes.fromhex(re.search(r"serial=(\w+)", text)[1])
    if serial[0] & 0x80:
        serial = b"\0" + serial
    aki = bytes.fromhex(re.search(r"^\s+(?:keyid:)?((?:\w\w:)+\w\w)$", text, re.M)[1].replace(":", ""))
    return f"{b64(aki)}.{b64(serial)}"
