# SPDX-License-Identifier: GPL-3.0-or-later
"""A small CA for the CA's own HTTPS, made with the openssl program."""
from .util import run


class TlsCa:
    def __init__(self, folder, name="Lab root"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root = folder / "root.pem"
        self._key = folder / "root.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.root,
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def server(self, name="server", san="DNS:localhost,IP:127.0.0.1,IP:::1"):
        """(certificate, key) paths of a server certificate."""
        cert, key, csr = (self.folder / f"{name}.{x}" for x in ("pem", "key", "csr"))
        if not cert.exists():
            run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", csr,
                "-addext", f"subjectAltName={san}", "-addext", "extendedKeyUsage=serverAuth")
            run("openssl", "x509", "-req", "-in", csr, "-CA", self.root, "-CAkey", self._key,
                "-CAcreateserial", "-days", "30", "-copy_extensions", "copy", "-out", cert)
        return cert, key
