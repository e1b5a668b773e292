# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate signing requests by the thousand: the DER by hand, the signature by libcrypto in this
process. One P-256 key; what varies is the names."""
import base64
import ctypes
import subprocess


def _crypto():
    for name in ("libcrypto.so.3", "libcrypto.so"):
        try:
            lib = ctypes.CDLL(name)
            break
        except OSError:
            continue
    else:
        raise RuntimeError("no libcrypto")
    for f in ("EVP_MD_CTX_new", "EVP_sha256", "d2i_AutoPrivateKey"):
        getattr(lib, f).restype = ctypes.c_void_p
    return lib


def _tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        return bytes([tag, n]) + body
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + n.to_bytes(size, "big") + body


_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_EXTENSION_REQUEST = bytes.fromhex("06092a864886f70d01090e")
_ALT_NAME = bytes.fromhex("0603551d11")


class FastCsrs:
    def __init__(self):
        key = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                              "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout
        self._spki = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
                                    input=key, stdout=subprocess.PIPE, check=True).stdout
        self._lib = _crypto()
        at = ctypes.c_char_p(key)
        self._key = ctypes.c_void_p(self._lib.d2i_AutoPrivateKey(None, ctypes.byref(at),
                                                                ctypes.c_long(len(key))))
        assert self._key

    def _sign(self, data):
        lib, out, size = self._lib, ctypes.create_string_buffer(80), ctypes.c_size_t(80)
        ctx = ctypes.c_void_p(lib.EVP_MD_CTX_new())
        try:
            assert lib.EVP_DigestSignInit(ctx, None, ctypes.c_void_p(lib.EVP_sha256()), None, self._key) == 1
            assert lib.EVP_DigestSign(ctx, out, ctypes.byref(size), data, ctypes.c_size_t(len(data))) == 1
        finally:
            lib.EVP_MD_CTX_free(ctx)
        return out.raw[:size.value]

    def make(self, *names):
        """The bytes of a PEM CSR for these DNS names."""
        alt = _tlv(0x30, *(_tlv(0x82, n.encode()) for n in names))
        extensions = _tlv(0x30, _tlv(0x30, _ALT_NAME, _tlv(0x04, alt)))
        attributes = _tlv(0xa0, _tlv(0x30, _EXTENSION_REQUEST, _tlv(0x31, extensions)))
        info = _tlv(0x30, b"\2\1\0", _tlv(0x30), self._spki, attributes)
        der = _tlv(0x30, info, _ECDSA_SHA256, _tlv(0x03, b"\0", self._sign(info)))
        text = base64.b64encode(der).decode()
        lines = [text[i:i + 64] for i in range(0, len(text), 64)]
        return ("-----BEGIN CERTIFICATE REQUEST-----\n" + "\n".join(lines) +
                "\n-----END CERTIFICATE REQUEST-----\n").encode()
