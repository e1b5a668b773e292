# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority that speaks RFC 8555 and does what a test tells it to.

Pebble has no knob for errors, rate limits, slow or broken answers, nor does it give one account the
same order twice as Let's Encrypt does. This one does. It believes every signature, but not a wrong
nonce, URL or content type: these end up in `violations`, and the test fails.

    ca.when("new-order", problem(429, "rateLimited", "too many", retry_after=60))
    ca.when("finalize", HANGUP, times=1)
    ca.when("authz", lambda r: None)        # None: as usual

Endpoints: directory, new-nonce, new-account, account, new-order, order, authz, challenge, finalize,
cert.
"""
import base64
import datetime
import hashlib
import http.client
import http.server
import json
import secrets
import socket
import ssl
import subprocess
import threading
import time

from .util import run

HANGUP = object()
ERROR = "urn:ietf:params:acme:error:"


class Reply:
    def __init__(self, status=200, body="", ctype="application/json", **headers):
        self.status, self.ctype = status, ctype
        self.body = body if isinstance(body, bytes) else (
            body if isinstance(body, str) else json.dumps(body)).encode()
        self.headers = {k.replace("_", "-"): str(v) for k, v in headers.items() if v is not None}


def problem(status, kind, detail="the detail of the CA", retry_after=None, **more):
    return Reply(status, {"type": ERROR + kind, "detail": detail, "status": status, **more},
                 "application/problem+json", Retry_After=retry_after)


def slow(seconds, then=None):
    """Answers later."""
    def action(request):
        request.ca.stopping.wait(seconds)
        return then(request) if callable(then) else then
    return action


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(jwk):
    members = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}[jwk["kty"]]
    text = json.dumps({m: jwk[m] for m in members}, separators=(",", ":"), sort_keys=True)
    return b64(hashlib.sha256(text.encode()).digest())


class Request:
    def __init__(self, ca, endpoint, number, method, headers, payload, protected, account):
        self.ca, self.endpoint, self.number, self.method = ca, endpoint, number, method
        self.headers, self.payload, self.protected, self.account = headers, payload, protected, account
        self.time = time.monotonic()

    def __repr__(self):
        return f"{self.method} {self.endpoint}/{self.number or ''} {self.payload}"


class Issuer:
    """Root and intermediate, and leaves from them, through the openssl program."""

    def __init__(self, folder, name):
        self.folder = folder
        folder.mkdir(parents=True)
        ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        run("openssl", "req", "-x509", *ec, "-days", "90", "-subj", "/CN=Fake root", "-keyout",
            folder / "root.key", "-out", folder / "root.pem", "-addext",
            "basicConstraints=critical,CA:TRUE")
        run("openssl", "req", "-new", *ec, "-subj", f"/CN={name}", "-keyout", folder / "int.key",
            "-out", folder / "int.csr", "-addext", "basicConstraints=critical,CA:TRUE")
        run("openssl", "x509", "-req", "-in", folder / "int.csr", "-CA", folder / "root.pem", "-CAkey",
            folder / "root.key", "-CAcreateserial", "-days", "90", "-copy_extensions", "copy", "-out",
            folder / "int.pem")
        self._count = 0
        self._lock = threading.Lock()

    def leaf(self, csr_der, san, start, end):
        with self._lock:
            self._count += 1
            folder = self.folder / str(self._count)
        folder.mkdir()
        (folder / "csr.der").write_bytes(csr_der)
        (folder / "index").write_text("")
        (folder / "conf").write_text(f"""
[ca]
default_ca = x
[x]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = p
x509_extensions = e
email_in_dn = no
[p]
commonName = optional
[e]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = {san}
""")
        form = "%Y%m%d%H%M%SZ"
        run("openssl", "req", "-inform", "DER", "-in", folder / "csr.der", "-out", folder / "csr.pem")
        run("openssl", "ca", "-batch", "-notext", "-config", folder / "conf", "-in", folder / "csr.pem",
            "-cert", self.folder / "int.pem", "-keyfile", self.folder / "int.key", "-subj",
            "/CN=fake leaf", "-startdate", start.strftime(form), "-enddate", end.strftime(form), "-out",
            folder / "leaf.pem")
        return (folder / "leaf.pem").read_text()

    @property
    def intermediate(self):
        return (self.folder / "int.pem").read_text()


class FakeCa:
    def __init__(self, folder, tls, port, challenge_port, issuer="Fake intermediate"):
        self.folder, self.tls, self.port, self.challenge_port = folder, tls, port, challenge_port
        self.issuer = Issuer(folder, issuer)
        self.base = f"https://127.0.0.1:{port}"
        self.directory = f"{self.base}/dir"
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.requests, self.violations, self.rules = [], [], {}
        self.nonces = set()
        self.accounts, self.orders, self.authzs, self.certs = {}, {}, {}, {}
        self._number = 100
        # What a test may set:
        self.meta = {"termsOfService": f"{self.base}/terms"}
        self.validation = "real"       # real, valid, invalid, never, challenge-only, inline
        self.validation_delay = 0
        self.validation_error = {"type": ERROR + "unauthorized", "detail": "wrong answer at the name"}
        self.reuse_orders = False      # as Let's Encrypt: same account, same identifiers, same order
        self.authz_valid = False       # authorizations are valid at once
        self.no_nonce = False          # no Replay-Nonce with answers other than newNonce
        self.async_finalize = 0        # polls until an order leaves processing
        self.retry_after_order = None
        self.lifetime = datetime.timedelta(days=90)
        self.start_offset = datetime.timedelta(hours=-1)
        self.san = None                # for the leaf, instead of the order's names
        self.swap_key = False          # a leaf for another key
        self.chain = lambda leaf, intermediate: leaf + intermediate
        self.extra_challenges = [{"type": "dns-persist-01", "issuer-domain-names": ["x"]},
                                 {"type": "sky-writing-01", "token": "abc"}]
        self._server = None
        self.start()

    # Being told what to do

    def when(self, endpoint, action, times=None):
        """Instead of the usual answer: a Reply, HANGUP, or a function of the request that returns one
        of these or None for the usual. After that many times, the next rule."""
        with self.lock:
            self.rules.setdefault(endpoint, []).append([times, action])
        return self

    def usual(self, endpoint=None):
        with self.lock:
            for e in [endpoint] if endpoint else list(self.rules):
                self.rules.pop(e, None)
        return self

    # Looking

    def count(self, endpoint):
        with self.lock:
            return sum(1 for r in self.requests if r.endpoint == endpoint)

    def times(self, endpoint):
        with self.lock:
            return [r.time for r in self.requests if r.endpoint == endpoint]

    # Life

    def start(self):
        ca = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def log_message(self, *_):
                pass

            def handle_any(self):
                ca.handle(self)
            do_GET = do_HEAD = do_POST = handle_any

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def __init__(self, *args):
                self.open = set()
                super().__init__(*args)

            def process_request(self, sock, address):
                self.open.add(sock)
                super().process_request(sock, address)

            def finish_request(self, sock, address):
                try:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(*ca.tls.server())
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    wrapped = context.wrap_socket(sock, server_side=True)
                    self.open.discard(sock)
                    self.open.add(wrapped)
                    try:
                        super().finish_request(wrapped, address)
                    finally:
                        self.open.discard(wrapped)
                        wrapped.close()
                except (OSError, ssl.SSLError, ValueError):
                    pass

            def shutdown_request(self, sock):
                self.open.discard(sock)
                try:
                    sock.close()
                except OSError:
                    pass

            def handle_error(self, *_):
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        """Nobody answers any more; state is kept for start()."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            for s in list(self._server.open):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self._server = None

    def close(self):
        self.stopping.set()
        self.stop()
        assert not self.violations, self.violations

    # The protocol

    def new_number(self):
        with self.lock:
            self._number += 1
            return self._number

    def nonce(self):
        nonce = b64(secrets.token_bytes(16))
        with self.lock:
            self.nonces.add(nonce)
        return nonce

    def handle(self, h):
        parts = h.path.strip("/").split("/")
        endpoint = {"dir": "directory", "nonce": "new-nonce", "new-account": "new-account",
                    "account": "account", "new-order": "new-order", "order": "order",
                    "authz": "authz", "challenge": "challenge", "finalize": "finalize",
                    "cert": "cert"}.get(parts[0], "unknown")
        number = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
        length = int(h.headers.get("Content-Length") or 0)
        body = h.rfile.read(length)
        if len(body) < length:  # killed in the middle of a request
            h.close_connection = True
            return
        payload = protected = account = None
        reply = None
        if not h.headers.get("User-Agent", "").startswith("acmems/"):
            self.violations.append(f"User-Agent {h.headers.get('User-Agent')!r}")
        if h.command == "POST":
            payload, protected, account, reply = self.open_jws(h, body)
        request = Request(self, endpoint, number, h.command, h.headers, payload, protected, account)
        with self.lock:
            self.requests.append(request)
            action = None
            rules = self.rules.get(endpoint)
            if rules and reply is None:
                times, action = rules[0]
                if times is not None:
                    rules[0][0] -= 1
                    if rules[0][0] <= 0:
                        rules.pop(0)
        if reply is None:
            reply = action(request) if callable(action) else action
        if reply is HANGUP:
            h.close_connection = True
            return
        if reply is None:
            try:
                reply = getattr(self, "do_" + endpoint.replace("-", "_"))(request)
            except Exception as e:  # a mistake of the test CA must not look like one of the daemon
                self.violations.append(f"{request}: {type(e).__name__}: {e}")
                reply = problem(500, "serverInternal", repr(e))
        h.send_response(reply.status)
        h.send_header("Content-Type", reply.ctype)
        h.send_header("Content-Length", str(len(reply.body)))
        for k, v in reply.headers.items():
            h.send_header(k, v)
        if endpoint != "directory" and "Replay-Nonce" not in reply.headers and \
                (endpoint == "new-nonce" or not self.no_nonce):
            h.send_header("Replay-Nonce", self.nonce())
        h.end_headers()
        if h.command != "HEAD":
            h.wfile.write(reply.body)

    def open_jws(self, h, body):
        """(payload, protected header, account or None, problem or None)"""
        try:
            jws = json.loads(body)
            protected = json.loads(unb64(jws["protected"]))
            payload = json.loads(unb64(jws["payload"])) if jws["payload"] else ""
            unb64(jws["signature"])
        except (ValueError, KeyError, TypeError) as e:
            self.violations.append(f"{h.path}: no JWS: {e}: {body[:200]!r}")
            return None, None, None, problem(400, "malformed", "no JWS")
        if h.headers.get("Content-Type") != "application/jose+json":
            self.violations.append(f"{h.path}: Content-Type {h.headers.get('Content-Type')}")
        if protected.get("url") != self.base + h.path:
            self.violations.append(f"{h.path}: url {protected.get('url')}")
        if ("jwk" in protected) == ("kid" in protected):
            self.violations.append(f"{h.path}: jwk and kid: {protected}")
        with self.lock:
            if protected.get("nonce") not in self.nonces:
                return payload, protected, None, problem(400, "badNonce", "this nonce was never good")
            self.nonces.discard(protected["nonce"])
            account = next((a for a in self.accounts.values() if a["url"] == protected.get("kid")), None)
        if "kid" in protected:
            if account is None:
                return payload, protected, None, problem(400, "accountDoesNotExist", "no such account")
            if account["status"] != "valid":
                return payload, protected, None, problem(401, "unauthorized", "account is deactivated")
        return payload, protected, account, None

    def do_directory(self, _):
        return Reply(200, {"newNonce": f"{self.base}/nonce", "newAccount": f"{self.base}/new-account",
                           "newOrder": f"{self.base}/new-order", "revokeCert": f"{self.base}/revoke",
                           "keyChange": f"{self.base}/key-change", "meta": self.meta})

    def do_new_nonce(self, _):
        return Reply(204)

    def do_unknown(self, _):
        return problem(404, "malformed", "no such resource")

    def do_new_account(self, r):
        jwk = r.protected["jwk"]
        thumb = thumbprint(jwk)
        with self.lock:
            account = self.accounts.get(thumb)
            if account is None:
                if r.payload.get("onlyReturnExisting"):
                    return problem(400, "accountDoesNotExist", "no account with this key")
                if (self.meta or {}).get("externalAccountRequired") and "externalAccountBinding" not in r.payload:
                    return problem(401, "externalAccountRequired", "bind your account first")
                if (self.meta or {}).get("termsOfService") and \
                        not r.payload.get("termsOfServiceAgreed"):
                    return problem(403, "userActionRequired", "agree to the terms")
                account = {"url": f"{self.base}/account/{self.new_number()}", "jwk": jwk,
                           "status": "valid", "contact": r.payload.get("contact", [])}
                self.accounts[thumb] = account
                status = 201
            else:
                status = 200
                if account["status"] != "valid":
                    return problem(401, "unauthorized", "account is deactivated")
        return Reply(status, {"status": account["status"], "contact": account["contact"],
                              "orders": account["url"] + "/orders"}, Location=account["url"])

    do_account = do_unknown

    def order_body(self, order):
        body = {"status": order["status"], "identifiers": order["identifiers"],
                "expires": order["expires"],
                "authorizations": [f"{self.base}/authz/{n}" for n in order["authzs"]],
                "finalize": f"{self.base}/finalize/{order['number']}"}
        if order["cert"]:
            body["certificate"] = f"{self.base}/cert/{order['cert']}"
        if order["error"]:
            body["error"] = order["error"]
        return body

    def order_reply(self, order, status=200, retry_after=None):
        return Reply(status, self.order_body(order), Location=f"{self.base}/order/{order['number']}",
                     Retry_After=retry_after)

    def do_new_order(self, r):
        identifiers = r.payload["identifiers"]
        wanted = sorted((i["type"], i["value"]) for i in identifiers)
        with self.lock:
            if self.reuse_orders:
                for order in self.orders.values():
                    if order["account"] is r.account and order["wanted"] == wanted and \
                            order["status"] in ("pending", "ready"):
                        return self.order_reply(order, 201)
            number = self.new_number()
            order = {"number": number, "account": r.account, "identifiers": identifiers,
                     "wanted": wanted, "status": "pending", "authzs": [], "cert": None, "error": None,
                     "polls": 0, "expires": "2099-01-01T00:00:00Z"}
            for i in identifiers:
                wildcard = i["value"].startswith("*.")
                n = self.new_number()
                self.authzs[n] = {
                    "number": n, "order": order, "status": "valid" if self.authz_valid else "pending",
                    "identifier": {"type": i["type"], "value": i["value"][2 if wildcard else 0:]},
                    "wildcard": wildcard, "token": b64(secrets.token_bytes(32)),
                    "challenge": "valid" if self.authz_valid else "pending", "error": None}
                order["authzs"].append(n)
            self.orders[number] = order
            self.update_order(order)
            return self.order_reply(order, 201)

    def update_order(self, order):
        states = [self.authzs[n]["status"] for n in order["authzs"]]
        if order["status"] == "pending":
            if "invalid" in states:
                order["status"] = "invalid"
            elif all(s == "valid" for s in states):
                order["status"] = "ready"

    def do_order(self, r):
        with self.lock:
            order = self.orders[r.number]
            if order["status"] == "processing":
                order["polls"] += 1
                if order["polls"] >= self.async_finalize:
                    order["status"] = "valid"
                    order["cert"] = order["cert_later"]
            return self.order_reply(order, retry_after=self.retry_after_order
                                    if order["status"] == "processing" else None)

    def authz_body(self, authz):
        http01 = self.challenge_body(authz)
        others = [{"url": f"{self.base}/challenge/0", "status": "pending", **c}
                  for c in self.extra_challenges]
        others += [{"type": t, "url": f"{self.base}/challenge/0", "status": "pending",
                    "token": authz["token"]} for t in ("dns-01", "tls-alpn-01")]
        body = {"identifier": authz["identifier"], "status": authz["status"],
                "expires": "2099-01-01T00:00:00Z", "challenges": others[:1] + [http01] + others[1:]}
        if authz["wildcard"]:
            body["wildcard"] = True
        return body

    def challenge_body(self, authz):
        body = {"type": "http-01", "url": f"{self.base}/challenge/{authz['number']}",
                "token": authz["token"], "status": authz["challenge"]}
        if authz["error"]:
            body["error"] = authz["error"]
        return body

    def do_authz(self, r):
        with self.lock:
            return Reply(200, self.authz_body(self.authzs[r.number]))

    def do_challenge(self, r):
        with self.lock:
            authz = self.authzs[r.number]
            if authz["challenge"] != "pending":
                # Let's Encrypt answers so when a challenge is posted twice.
                return problem(409, "malformed", "challenge is not pending")
            authz["challenge"] = "processing"
        if self.validation == "inline":
            self.validate(authz, r.account)
        elif self.validation != "never":
            threading.Thread(target=self.validate, args=(authz, r.account), daemon=True).start()
        with self.lock:
            return Reply(200, self.challenge_body(authz),
                         Link=f'<{self.base}/authz/{authz["number"]}>;rel="up"')

    def fetch(self, authz):
        """What stands at the name, as a CA asks for it: the name in Host, the address ours."""
        c = http.client.HTTPConnection("127.0.0.1", self.challenge_port, timeout=10)
        try:
            c.request("GET", "/.well-known/acme-challenge/" + authz["token"],
                      headers={"Host": authz["identifier"]["value"]})
            answer = c.getresponse()
            return answer.read().decode("latin-1").strip() if answer.status == 200 else None
        except OSError:
            return None
        finally:
            c.close()

    def validate(self, authz, account):
        self.stopping.wait(self.validation_delay)
        good = self.validation == "valid"
        if self.validation in ("real", "inline"):
            good = self.fetch(authz) == f"{authz['token']}.{thumbprint(account['jwk'])}"
        with self.lock:
            authz["challenge"] = "valid" if good else "invalid"
            if not good:
                authz["error"] = self.validation_error
            if good or self.validation != "challenge-only":
                authz["status"] = "valid" if good else "invalid"
            for order in self.orders.values():
                if authz["number"] in order["authzs"]:
                    self.update_order(order)

    def do_finalize(self, r):
        with self.lock:
            order = self.orders[r.number]
            if order["status"] != "ready":
                return problem(403, "orderNotReady", f"order is {order['status']}")
            order["status"] = "processing"
        csr = unb64(r.payload["csr"])
        if self.swap_key:
            csr = self.other_csr()
        san = self.san or ",".join(("DNS:" if i["type"] == "dns" else "IP:") + i["value"]
                                   for i in order["identifiers"])
        start = datetime.datetime.now(datetime.timezone.utc) + self.start_offset
        end = datetime.datetime.now(datetime.timezone.utc) + self.lifetime
        try:
            leaf = self.issuer.leaf(csr, san, start, end)
        except AssertionError as e:
            self.violations.append(str(e))
            return problem(500, "serverInternal", "openssl failed")
        with self.lock:
            number = self.new_number()
            self.certs[number] = self.chain(leaf, self.issuer.intermediate)
            order["cert_later"] = number
            if not self.async_finalize:
                order["status"], order["cert"] = "valid", number
            return self.order_reply(order, retry_after=self.retry_after_order
                                    if self.async_finalize else None)

    def other_csr(self):
        key = self.folder / "other.key"
        if not key.exists():
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out",
                key)
        return subprocess.run(["openssl", "req", "-new", "-key", str(key), "-subj", "/CN=other",
                               "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout

    def do_cert(self, r):
        return Reply(200, self.certs[r.number], "application/pem-certificate-chain")
