# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP clients: an ordinary one, and raw sockets for what no library would send."""
import base64
import http.client
import json
import re
import socket


class Response:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = status, reason, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def header(self, name, default=None):
        for k, v in self.headers:
            if k.lower() == name.lower():
                return v
        return default

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason!r} {self.headers} {self.text[:600]!r}>"

    def expect(self, status, *fragments):
        """The status, and in an error's body what a person needs. Compared without case."""
        assert self.status == status, repr(self)
        for f in fragments:
            assert re.search(f, self.text, re.I), f"no {f!r} in {self!r}"
        if status >= 400:
            self.check_error()
        return self

    def check_error(self):
        """Every error has a body of one line, text/plain, and a reason that says it too."""
        assert self.body, f"no body: {self!r}"
        kind = (self.header("Content-Type") or "").split(";")[0].strip()
        assert kind in ("text/plain", "application/problem+json"), repr(self)
        if kind == "text/plain":
            assert self.text.count("\n") == 1 and self.text.endswith("\n"), repr(self)
            assert len(self.text.strip()) > 10, repr(self)
        assert 0 < len(self.reason) <= 80, repr(self)
        assert all(32 <= ord(c) < 127 for c in self.reason), repr(self)
        if self.status in (429, 503, 504):
            assert int(self.header("Retry-After", "-1")) >= 0, f"no Retry-After: {self!r}"


    def check_advice(self, csr):
        """What is nobody's refusal names what was asked for, and says what to do."""
        der = base64.b64decode(b"".join(csr.splitlines()[1:-1]))
        names = [w for w in re.findall(r"[\w-]+(?:\.[\w-]+)+", self.text) if w.encode() in der]
        assert names, f"the domain is not named: {self!r}"
        what = "has to mend it" if self.status == 500 else "post the same CSR again"
        assert self.text.count(what) == 1, f"no {what!r}, once: {self!r}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def request(where, method="GET", path="/", body=None, headers=None, timeout=60):
    """where: (host, port), or the path of a unix socket."""
    connection = http.client.HTTPConnection(*where, timeout=timeout) if isinstance(where, tuple) \
        else _UnixConnection(where, timeout)
    try:
        connection.request(method, path, body, headers or {})
        r = connection.getresponse()
        return Response(r.status, r.reason, r.getheaders(), r.read())
    finally:
        connection.close()


class Raw:
    """A socket on which every byte is ours."""

    def __init__(self, where, timeout=20):
        if isinstance(where, tuple):
            self.sock = socket.create_connection(where, timeout=timeout)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(str(where))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def _more(self):
        data = self.sock.recv(65536)
        self.buffer += data
        return data

    def response(self, head=False):
        """The next answer, or None if the connection ends before one."""
        while b"\r\n\r\n" not in self.buffer:
            try:
                if not self._more():
                    assert not self.buffer, f"half an answer: {self.buffer!r}"
                    return None
            except ConnectionResetError:
                return None
        top, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = top.decode("latin-1").split("\r\n")
        _, status, reason = (first + " ").split(" ", 2)
        headers = [tuple(x.strip() for x in line.split(":", 1)) for line in lines]
        r = Response(int(status), reason.strip(), headers, b"")
        if int(status) < 200:
            return r
        length = r.header("Content-Length")
        if head:
            pass
        elif length is not None:
            while len(self.buffer) < int(length):
                if not self._more():
                    break
            r.body, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        else:
            r.body = self.rest()
        return r

    def rest(self):
        """Everything until the other side closes."""
        try:
            while self._more():
                pass
        except ConnectionResetError:
            pass
        data, self.buffer = self.buffer, b""
        return data

    def closed(self):
        """The other side has closed, and sent nothing more."""
        return self.rest() == b""


def raw(where, data, timeout=20):
    """One request as bytes, one answer (None if there is none)."""
    with Raw(where, timeout) as r:
        try:
            r.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return r.response()
