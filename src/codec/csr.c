/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/csr.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "codec/csr_names.h"
#include "codec/openssl.h"
#include "codec/pem.h"
#include "codec/text.h"

/* What clients send who did not mean to send this. */
static bool
explain_no_request(const char *body, size_t len, struct err *e)
{
	if (len == 0)
		return err_set(e, ERR_BAD_CSR, "the request has no body: send a CSR in PEM form");
	if (len > 1 && body[0] == 0x30 && (body[1] & 0x80) != 0)
		return err_set(e, ERR_BAD_CSR,
		    "the body looks like a CSR in DER form: send PEM (openssl req -inform der)");
	if (len > 1 && (memcmp(body, "\xff\xfe", 2) == 0 || memcmp(body, "\xfe\xff", 2) == 0))
		return err_set(
		    e, ERR_BAD_CSR, "the CSR is written in UTF-16: send it as plain ASCII text");
	if (text_contains(body, len, "-----BEGIN") && !text_contains(body, len, "\n"))
		return err_set(e, ERR_BAD_CSR,
		    "the CSR has lost its line breaks: send it with curl --data-binary, not "
		    "--data");
	if (text_contains(body, len, "BEGIN CERTIFICATE-----"))
		return err_set(e, ERR_BAD_CSR,
		    "the body holds a certificate, not a certificate signing request");
	return err_set(e, ERR_BAD_CSR, "the body holds no CERTIFICATE REQUEST block in PEM form");
}

static bool
is_request(const struct pem_block *block)
{
	return strcmp(block->label, "CERTIFICATE REQUEST") == 0 ||
	    strcmp(block->label, "NEW CERTIFICATE REQUEST") == 0;
}

/* The one request among the blocks of the body, into an empty *ret. */
static bool
find_request(const char *body, size_t len, struct pem_block *ret, struct err *e)
{
	struct pem_reader reader;
	struct pem_block block;
	enum pem_result result;
	bool twice = false;

	pem_open(&reader, body, len);
	while (!twice && (result = pem_next(&reader, &block)) == PEM_BLOCK) {
		twice = is_request(&block) && ret->der != NULL;
		if (is_request(&block) && !twice)
			*ret = block;
		else
			pem_block_done(&block);
	}
	pem_close(&reader);
	if (twice)
		return err_set(
		    e, ERR_BAD_CSR, "the body holds more than one CSR: send them one by one");
	if (result == PEM_DAMAGED)
		return openssl_error(e, ERR_BAD_CSR,
		    "the body is no whole certificate signing request in PEM: its text is damaged");
	return ret->der != NULL || explain_no_request(body, len, e);
}

static X509_REQ *
decode(const struct pem_block *block, struct err *e)
{
	const unsigned char *p = block->der, *end = p + block->der_len;
	X509_REQ *req;

	ERR_clear_error();
	req = d2i_X509_REQ(NULL, &p, end - p);
	if (req == NULL) {
		openssl_error(e, ERR_BAD_CSR, "the CSR cannot be decoded");
	} else if (p != end) {
		err_set(e, ERR_BAD_CSR, "there are %zu bytes behind the CSR", (size_t)(end - p));
		X509_REQ_free(req);
		req = NULL;
	}
	return req;
}

static bool
check_key(EVP_PKEY *pkey, struct err *e)
{
	int id = EVP_PKEY_get_base_id(pkey), bits = EVP_PKEY_get_bits(pkey);
	char group[64] = "";

	if (id == EVP_PKEY_RSA) {
		if (bits == 2048 || bits == 3072 || bits == 4096)
			return true;
		return err_set(e, ERR_BAD_CSR,
		    "its RSA key has %d bits: only 2048, 3072 and 4096 are possible", bits);
	}
	if (id != EVP_PKEY_EC)
		return err_set(e, ERR_BAD_CSR,
		    "its key is of type %s: only RSA (2048, 3072, 4096) and EC (P-256, P-384) are "
		    "possible",
		    EVP_PKEY_get0_type_name(pkey));
	EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL);
	if (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0)
		return true;
	return err_set(e, ERR_BAD_CSR,
	    "its key is on the curve %s: only P-256 and P-384 are possible",
	    group[0] != '\0' ? group : "of its own parameters");
}

static bool
check_signature(X509_REQ *req, EVP_PKEY *pkey, struct err *e)
{
	static const int allowed[] = {NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption,
	    NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA256, NID_ecdsa_with_SHA384,
	    NID_ecdsa_with_SHA512};
	int nid = X509_REQ_get_signature_nid(req);
	size_t i = 0;

	while (i < sizeof(allowed) / sizeof(allowed[0]) && allowed[i] != nid)
		i++;
	if (i == sizeof(allowed) / sizeof(allowed[0]))
		return err_set(e, ERR_BAD_CSR,
		    "it is signed with %s: only SHA-256, SHA-384 or SHA-512 with RSA (PKCS #1 "
		    "v1.5) or "
		    "ECDSA are possible (openssl req -sha256)",
		    nid != NID_undef ? OBJ_nid2ln(nid) : "an unknown algorithm");
	ERR_clear_error();
	if (X509_REQ_verify(req, pkey) == 1)
		return true;
	return openssl_error(e, ERR_BAD_CSR, "its signature is not that of its own key");
}

/* The cheap checks before the one that computes. */
static bool
check(X509_REQ *req, struct csr *csr, struct err *e)
{
	EVP_PKEY *pkey;

	if (!csr_names(req, &csr->names, &csr->names_only_in_cn, e))
		return false;
	ERR_clear_error();
	pkey = X509_REQ_get0_pubkey(req);
	if (pkey == NULL)
		return openssl_error(e, ERR_BAD_CSR, "its public key cannot be read");
	if (!check_key(pkey, e) || !check_signature(req, pkey, e))
		return false;
	if (!openssl_pubkey_sha256(X509_REQ_get_X509_PUBKEY(req), pkey, csr->spki_sha256))
		return openssl_error(e, ERR_BAD_CSR, "its public key cannot be written");
	return true;
}

struct csr *
csr_parse(const char *body, size_t len, struct err *e)
{
	struct pem_block block = {0};
	struct csr *csr = NULL;
	X509_REQ *req = NULL;

	/* Whatever else the body may be, this the sender has to know. */
	if (text_contains(body, len, "PRIVATE KEY-----")) {
		err_set(e, ERR_BAD_CSR,
		    "the body holds a private key: a key never leaves its machine, so consider "
		    "this one "
		    "exposed, make a new one, and send the CSR alone");
		return NULL;
	}
	/* Some editors put a byte order mark in front; to PEM it would be part of the first line.
	 */
	if (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0) {
		body += 3;
		len -= 3;
	}
	if (!find_request(body, len, &block, e))
		goto out;
	req = decode(&block, e);
	if (req == NULL)
		goto out;
	csr = xcalloc(1, sizeof(*csr));
	if (!check(req, csr, e)) {
		err_prefix(e, "the CSR is refused");
		csr_free(csr);
		csr = NULL;
		goto out;
	}
	csr->der = xmemdup(block.der, block.der_len);
	csr->der_len = block.der_len;
out:
	X509_REQ_free(req);
	pem_block_done(&block);
	return csr;
}

void
csr_free(struct csr *c)
{
	if (c == NULL)
		return;
	identifiers_done(&c->names);
	free(c->der);
	free(c);
}
