# SPDX-License-Identifier: GPL-3.0-or-later
"""A primary of one zone, UDP and TCP, that takes updates of TXT records and lies on command.

    server.lie = "wrong-id"         # one of LIES; None: honest
    server.only = "update"          # which requests the lie is for: query, update, SOA, NS, TXT; None: all

With a key updates are signed, and their answers too (RFC 8945, HMAC-SHA256).
"""
import base64
import collections
import hashlib
import hmac
import socket
import socketserver
import struct
import threading
import time

A, NS, SOA, TXT, AAAA, TSIG, ANY = 1, 2, 6, 16, 28, 250, 255
TYPES = {A: "A", NS: "NS", SOA: "SOA", TXT: "TXT", AAAA: "AAAA"}

LIES = ["silence", "wrong-id", "wrong-question", "no-question", "nxdomain", "servfail", "refused", "truncated",
        "garbage", "short", "query", "loop", "two-copies", "other-answer"]
TSIG_LIES = ["unsigned", "wrong-mac", "wrong-time", "other-key"]


def wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


def read_name(data, at):
    labels, end = [], None
    while data[at]:
        if data[at] & 0xc0:
            end = end or at + 2
            at = (data[at] & 0x3f) << 8 | data[at + 1]
            continue
        labels.append(data[at + 1:at + 1 + data[at]].decode().lower())
        at += 1 + data[at]
    return ".".join(labels), end or at + 1


def record(name, kind, data, ttl=0, cls=1):
    return wire(name) + struct.pack("!HHIH", kind, cls, ttl, len(data)) + data


class Message:
    def __init__(self, data):
        self.data = data
        self.id, self.flags, *counts = struct.unpack("!6H", data[:12])
        self.opcode = self.flags >> 11 & 15
        self.name, at = read_name(data, 12)
        self.kind, self.cls = struct.unpack("!HH", data[at:at + 4])
        self.question = data[12:at + 4]
        at += 4
        self.records, self.tsig = [], None
        for _ in range(sum(counts[1:])):
            start = at
            name, at = read_name(data, at)
            kind, cls, ttl, size = struct.unpack("!HHIH", data[at:at + 10])
            value = data[at + 10:at + 10 + size]
            at += 10 + size
            if kind == TSIG:
                self.tsig, self.tsig_name, self.tsig_at = value, name, start
            else:
                self.records.append((name, kind, cls, value))

    @property
    def what(self):
        return "update" if self.opcode == 5 else TYPES.get(self.kind, "other")


class FakeDns:
    def __init__(self, port, zone="example.org", key=None):
        """key: (name, base64 of the secret)"""
        self.port, self.zone, self.key = port, zone, key
        self.lie = self.only = None
        self.txt = collections.defaultdict(list)  # of all that was ever added and not deleted
        self.asked = []
        self._lock = threading.Lock()
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._servers = [socketserver.ThreadingUDPServer(("127.0.0.1", port), self._udp()),
                         socketserver.ThreadingTCPServer(("127.0.0.1", port), self._tcp())]
        for s in self._servers:
            s.daemon_threads = True
            threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def where(self):
        return f"127.0.0.1:{self.port}"

    def close(self):
        for s in self._servers:
            s.shutdown()
            s.server_close()

    def _udp(server):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                for answer in server.answers(data, "udp"):
                    sock.sendto(answer, self.client_address)
        return Handler

    def _tcp(server):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.connection.settimeout(30)
                try:
                    while len(head := self.rfile.read(2)) == 2:
                        data = self.rfile.read(struct.unpack("!H", head)[0])
                        for answer in server.answers(data, "tcp"):
                            self.wfile.write(struct.pack("!H", len(answer)) + answer)
                except (OSError, socket.timeout):
                    pass
        return Handler

    # What is said

    def answers(self, data, transport):
        try:
            m = Message(data)
        except (IndexError, struct.error, UnicodeDecodeError):
            return []
        with self._lock:
            self.asked.append((m.what, m.name, transport))
            wanted = self.only is None or self.only in (m.what, "query" if m.what != "update" else "")
            lie = self.lie if wanted else None
            if lie is None or lie in ("two-copies", *TSIG_LIES):
                rcode, body = self._honest(m)
            else:
                rcode, body = 0, []
        return self._lying(m, lie, rcode, body)

    def _honest(self, m):
        """(rcode, answers)"""
        inside = m.name == self.zone or m.name.endswith("." + self.zone)
        if m.what == "update":
            for name, kind, cls, value in m.records:
                if kind != TXT:
                    continue
                if cls == 254 and value in self.txt[name]:
                    self.txt[name].remove(value)
                elif cls == 1 and value not in self.txt[name]:
                    self.txt[name].append(value)
            return 0, []
        if not inside:
            return 5, []
        apex = m.name == self.zone
        if m.kind == SOA and apex:
            return 0, [record(m.name, SOA, wire("ns1." + self.zone) + wire("hostmaster." + self.zone) +
                              struct.pack("!5I", 1, 3600, 60, 86400, 0))]
        if m.kind == NS and apex:
            return 0, [record(m.name, NS, wire("ns1." + self.zone))]
        if m.kind == A and m.name == "ns1." + self.zone:
            return 0, [record(m.name, A, bytes([127, 0, 0, 1]))]
        if m.kind == TXT:
            return 0, [record(m.name, TXT, v) for v in self.txt[m.name]]
        return 0, []

    def _lying(self, m, lie, rcode, body):
        if lie == "silence":
            return []
        if lie == "garbage":
            return [bytes(range(7, 207))]
        if lie == "short":
            return [m.data[:2] + b"\x84\0\0\1"]
        number, question, flags = m.id, m.question, 0x8400 | m.opcode << 11
        flags = {"truncated": flags | 0x200, "query": m.opcode << 11}.get(lie, flags)
        rcode = {"nxdomain": 3, "servfail": 2, "refused": 5}.get(lie, rcode)
        if lie == "wrong-id":
            number ^= 0x5555
        if lie == "wrong-question":
            question = wire("elsewhere.example.net") + struct.pack("!HH", m.kind, m.cls)
        if lie == "loop":
            body = [b"\xc0\x0c" + struct.pack("!HHIH", 5, 1, 0, 2) + b"\xc0\x0c"]
        if lie == "other-answer":
            body = [record("elsewhere.example.net", m.kind, b"\0")]
        asked = lie != "no-question"
        answer = struct.pack("!6H", number, flags | rcode, int(asked), len(body), 0, 0)
        answer += (question if asked else b"") + b"".join(body)
        if m.tsig is not None and self.key and lie != "unsigned":
            answer = self._signed(m, answer, lie)
        return [answer] * (2 if lie == "two-copies" else 1)

    def _signed(self, m, answer, lie):
        _, at = read_name(m.tsig, 0)
        size = struct.unpack("!H", m.tsig[at + 8:at + 10])[0]
        mac = m.tsig[at + 10:at + 10 + size]
        name = "other.example" if lie == "other-key" else self.key[0]
        now = int(time.time()) - (86400 if lie == "wrong-time" else 0)
        algorithm, when = wire("hmac-sha256"), struct.pack("!HIH", now >> 32, now & 0xffffffff, 300)
        variables = wire(name) + struct.pack("!HI", ANY, 0) + algorithm + when + struct.pack("!HH", 0, 0)
        digest = hmac.new(base64.b64decode(self.key[1]), struct.pack("!H", size) + mac + answer + variables,
                          hashlib.sha256).digest()
        if lie == "wrong-mac":
            digest = bytes(x ^ 1 for x in digest)
        value = algorithm + when + struct.pack("!H", len(digest)) + digest + struct.pack("!HHH", m.id, 0, 0)
        additional = struct.unpack("!H", answer[10:12])[0] + 1
        return answer[:10] + struct.pack("!H", additional) + answer[12:] + record(name, TSIG, value, 0, ANY)
