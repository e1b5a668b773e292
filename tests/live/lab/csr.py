# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and certificate signing requests, made with the openssl program as clients make them."""
import re

from .util import run

KEYS = {
    "rsa1024": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    "rsa2048": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "rsa3072": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"],
    "rsa4096": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"],
    "p256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "p521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
    "secp256k1": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    "ed25519": ["-algorithm", "ED25519"],
}


class Csrs:
    """Makes CSRs in a folder. Keys are made once per (kind, label)."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = 0

    def key(self, kind="p256", label="a"):
        path = self.folder / f"key-{kind}-{label}.pem"
        if not path.exists():
            tmp = path.with_suffix(".tmp")
            run("openssl", "genpkey", *KEYS[kind], "-out", tmp)
            tmp.rename(path)
        return path

    def make(self, *names, key="p256", label="a", key_file=None, cn=None, ips=(), emails=(), uris=(),
             san=True, md="sha256", subject="", options=()):
        """The bytes of a PEM CSR. Without cn the subject is empty; san=False leaves the names out."""
        self._count += 1
        path = self.folder / f"csr-{self._count}.pem"
        conf = self.folder / f"csr-{self._count}.conf"
        lines = ["[req]", "prompt=no", "distinguished_name=dn", "string_mask=utf8only"]
        alt = [f"DNS:{n}" for n in names] + [f"IP:{i}" for i in ips]
        alt += [f"email:{e}" for e in emails] + [f"URI:{u}" for u in uris]
        if san and alt:
            lines += ["req_extensions=ext", "[ext]", "subjectAltName=" + ",".join(alt)]
        lines += ["[dn]"]
        conf.write_text("\n".join(lines) + "\n")
        subj = subject + (f"/CN={cn}" if cn else "")
        run("openssl", "req", "-new", "-config", conf, "-key", key_file or self.key(key, label),
            f"-{md}", "-subj", subj or "/", "-out", path, *options)
        return path.read_bytes()


class Cert:
    """What a person would look at in a chain, through the openssl program."""

    def __init__(self, pem, folder):
        self.text = pem.decode() if isinstance(pem, bytes) else pem
        self.pems = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", self.text,
                               re.S)
        assert self.pems, f"no certificate in {self.text[:300]!r}"
        self._path = folder / "cert-under-test.pem"
        self._path.write_text(self.pems[0])
        out = run("openssl", "x509", "-in", self._path, "-noout", "-serial", "-subject", "-issuer",
                  "-ext", "subjectAltName", "-nameopt", "RFC2253").stdout
        self.serial = re.search(r"^serial=(\w+)", out, re.M).group(1)
        self.issuer = re.search(r"^issuer=(.*)", out, re.M).group(1)
        self.subject = re.search(r"^subject=(.*)", out, re.M).group(1)
        self.names = sorted(re.findall(r"DNS:([^,\s]+)", out))
        self.ips = sorted(re.findall(r"IP Address:([^,\s]+)", out))

    def pubkey(self):
        return run("openssl", "x509", "-in", self._path, "-noout", "-pubkey").stdout

    def check_format(self):
        """Leaf first, one blank line between certificates, one newline at the end."""
        assert self.text == "\n".join(self.pems), repr(self.text[-120:])
        return self


def pubkey_of(key):
    return run("openssl", "pkey", "-in", key, "-pubout").stdout
