/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/chain.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "codec/openssl.h"
#include "codec/pem.h"
#include "codec/san.h"
#include "codec/text.h"

static bool
get_time(const ASN1_TIME *when, int64_t *ret)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(when, &tm) != 1)
		return false;
	*ret = timegm(&tm);
	return true;
}

static bool
get_serial(const X509 *cert, char out[SERIAL_HEX])
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;
	bool fits = hex != NULL && strlen(hex) < SERIAL_HEX;

	if (fits)
		strcpy(out, hex);
	OPENSSL_free(hex);
	BN_free(bn);
	return fits;
}

/* The issuer's common name; without one, or if it cannot be read, "". */
static void
get_issuer(const X509 *cert, char out[ISSUER_MAX])
{
	const X509_NAME *name = X509_get_issuer_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	unsigned char *text = NULL;

	out[0] = '\0';
	if (at < 0 ||
	    ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) < 0)
		return;
	text_copy(out, ISSUER_MAX, (const char *)text);
	OPENSSL_free(text);
}

static bool
get_leaf_info(X509 *cert, struct leaf_info *ret, struct err *e)
{
	struct leaf_info info = {0};
	EVP_PKEY *pkey = X509_get0_pubkey(cert);

	if (!get_time(X509_get0_notBefore(cert), &info.not_before) ||
	    !get_time(X509_get0_notAfter(cert), &info.not_after))
		return openssl_error(e, ERR_UPSTREAM, "the certificate's dates cannot be read");
	if (!get_serial(cert, info.serial))
		return openssl_error(
		    e, ERR_UPSTREAM, "the certificate's serial number cannot be read");
	if (pkey == NULL || !openssl_spki_sha256(pkey, info.spki_sha256))
		return openssl_error(e, ERR_UPSTREAM, "the certificate's key cannot be read");
	get_issuer(cert, info.issuer);
	*ret = info;
	return true;
}

static X509 *
decode(const struct pem_block *block, struct err *e)
{
	const unsigned char *p = block->der, *end = p + block->der_len;
	X509 *cert;

	ERR_clear_error();
	cert = d2i_X509(NULL, &p, end - p);
	if (cert != NULL && p == end)
		return cert;
	openssl_error(e, ERR_UPSTREAM, "a certificate cannot be decoded");
	X509_free(cert);
	return NULL;
}

/* One DER sequence and nothing else: as much as can be told without decoding it. */
static bool
has_form(const struct pem_block *block)
{
	const unsigned char *p = block->der;
	int tag, class;
	long len;

	ERR_clear_error();
	/* 0x21 and the like are indefinite lengths, 0x80 is an error. */
	if (ASN1_get_object(&p, &len, &tag, &class, (long)block->der_len) != V_ASN1_CONSTRUCTED)
		return false;
	return tag == V_ASN1_SEQUENCE && class == V_ASN1_UNIVERSAL &&
	    p + len == block->der + block->der_len;
}

static bool
append(BIO *out, const struct pem_block *block)
{
	if (BIO_pending(out) > 0 && BIO_puts(out, "\n") != 1)
		return false;
	return PEM_write_bio(out, "CERTIFICATE", "", block->der, (long)block->der_len) > 0;
}

/* Reads all blocks, writes them to out, and decodes the first. */
static bool
normalise(const char *pem, size_t len, BIO *out, X509 **ret_leaf, struct err *e)
{
	struct pem_reader reader;
	struct pem_block block;
	enum pem_result result;
	bool good = true;
	int count = 0;

	pem_open(&reader, pem, len);
	while (good && (result = pem_next(&reader, &block)) == PEM_BLOCK) {
		if (strcmp(block.label, "CERTIFICATE") != 0)
			good = err_set(e, ERR_UPSTREAM, "a %.40s stands in the chain", block.label);
		else if (++count > CHAIN_MAX_CERTS)
			good = err_set(
			    e, ERR_UPSTREAM, "it has more than %d certificates", CHAIN_MAX_CERTS);
		else if (!has_form(&block))
			good = err_set(e, ERR_UPSTREAM, "certificate %d is no DER", count);
		else if (count == 1)
			good = (*ret_leaf = decode(&block, e)) != NULL;
		if (good && !append(out, &block))
			abort();
		pem_block_done(&block);
	}
	pem_close(&reader);
	if (good && result == PEM_DAMAGED)
		return openssl_error(e, ERR_UPSTREAM, "its PEM text is damaged");
	if (good && count == 0)
		return err_set(e, ERR_UPSTREAM, "it holds no certificate");
	return good;
}

static struct chain *
new_chain(X509 *leaf, BIO *text, struct err *e)
{
	struct chain *c = xcalloc(1, sizeof(*c));
	char *data;

	if (!get_leaf_info(leaf, &c->leaf, e) ||
	    !san_collect(X509_get0_extensions(leaf), &c->names, e)) {
		chain_free(c);
		return NULL;
	}
	c->pem_len = (size_t)BIO_get_mem_data(text, &data);
	c->pem = xstrndup(data, c->pem_len);
	return c;
}

struct chain *
chain_parse(const char *pem, size_t len, struct err *e)
{
	struct err why = {0};
	struct chain *c = NULL;
	X509 *leaf = NULL;
	BIO *text;

	if (len > CHAIN_MAX_BYTES) {
		err_set(e, ERR_UPSTREAM, "the certificate chain is larger than %d bytes",
		    CHAIN_MAX_BYTES);
		return NULL;
	}
	text = BIO_new(BIO_s_mem());
	if (text == NULL)
		abort();
	if (normalise(pem, len, text, &leaf, &why))
		c = new_chain(leaf, text, &why);
	/* What a request may not contain, a certificate of ours may not either; but here the CA is
	 * to blame. */
	if (c == NULL)
		err_set(e, ERR_UPSTREAM, "the certificate chain is unusable: %s", why.detail);
	X509_free(leaf);
	BIO_free(text);
	return c;
}

void
chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	free(c->pem);
	identifiers_done(&c->names);
	free(c);
}

static bool
check_link(X509 *cert, X509 *issuer, int position, struct err *e)
{
	EVP_PKEY *pkey = X509_get0_pubkey(issuer);
	int reason = X509_check_issued(issuer, cert);

	if (reason != X509_V_OK)
		return err_set(e, ERR_UPSTREAM,
		    "certificate %d of the chain is not issued by the next: %s", position,
		    X509_verify_cert_error_string(reason));
	ERR_clear_error();
	if (pkey == NULL || X509_verify(cert, pkey) != 1)
		return openssl_error(e, ERR_UPSTREAM,
		    "the signature of certificate %d of the chain is not that of the next",
		    position);
	return true;
}

static bool
check_links(const struct chain *c, struct err *e)
{
	struct pem_reader reader;
	struct pem_block block;
	X509 *before = NULL, *cert = NULL;
	bool good = true;

	pem_open(&reader, c->pem, c->pem_len);
	for (int i = 0; good && pem_next(&reader, &block) == PEM_BLOCK; i++) {
		cert = decode(&block, e);
		pem_block_done(&block);
		good = cert != NULL && (before == NULL || check_link(before, cert, i, e));
		X509_free(before);
		before = cert;
	}
	X509_free(before);
	pem_close(&reader);
	return good;
}

bool
chain_check(
    const struct chain *c, const struct csr *csr, int64_t now, bool *ret_early, struct err *e)
{
	char got[256], wanted[256];

	if (memcmp(c->leaf.spki_sha256, csr->spki_sha256, sizeof(csr->spki_sha256)) != 0)
		return err_set(
		    e, ERR_UPSTREAM, "the certificate is for another key than the CSR's");
	if (!identifiers_equal(&c->names, &csr->names))
		return err_set(e, ERR_UPSTREAM, "the certificate is for %s instead of %s",
		    identifiers_text(&c->names, got, sizeof(got)),
		    identifiers_text(&csr->names, wanted, sizeof(wanted)));
	if (c->leaf.not_after <= now)
		return err_set(
		    e, ERR_UPSTREAM, "the certificate has expired already: is the clock right?");
	if (!check_links(c, e))
		return false;
	*ret_early = c->leaf.not_before > now;
	return true;
}

/* The first certificate of the text, or NULL. */
static X509 *
find_leaf(const char *pem, size_t len, struct err *e)
{
	struct pem_reader reader;
	struct pem_block block;
	X509 *cert = NULL;
	bool found = false;

	pem_open(&reader, pem, len);
	while (!found && pem_next(&reader, &block) == PEM_BLOCK) {
		found = strcmp(block.label, "CERTIFICATE") == 0;
		if (found)
			cert = decode(&block, e);
		pem_block_done(&block);
	}
	pem_close(&reader);
	if (!found)
		openssl_error(e, ERR_UPSTREAM, "there is no certificate in it");
	return cert;
}

bool
chain_leaf_info(const char *pem, size_t len, struct leaf_info *ret, struct err *e)
{
	X509 *cert = find_leaf(pem, len, e);
	bool good = cert != NULL && get_leaf_info(cert, ret, e);

	X509_free(cert);
	return good;
}
