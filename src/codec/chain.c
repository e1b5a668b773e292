/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/chain.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/alloc.h"
#include "codec/certificate.h"
#include "codec/openssl.h"
#include "codec/pem.h"
#include "codec/san.h"

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
			good = (*ret_leaf = certificate_decode(&block, e)) != NULL;
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

/* Takes the leaf over. */
static struct chain *
new_chain(X509 *leaf, BIO *text, struct err *e)
{
	struct chain *c = xcalloc(1, sizeof(*c));
	char *data;

	c->cert = leaf;
	if (!certificate_leaf_info(leaf, &c->leaf, e) ||
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
	else
		X509_free(leaf);
	/* What a request may not contain, a certificate of ours may not either; but here the CA is
	 * to blame. */
	if (c == NULL)
		err_set(e, ERR_UPSTREAM, "the certificate chain is unusable: %s", why.detail);
	BIO_free(text);
	return c;
}

void
chain_free(struct chain *c)
{
	if (c == NULL)
		return;
	free(c->pem);
	X509_free(c->cert);
	identifiers_done(&c->names);
	free(c);
}

bool
chain_same_leaf(const struct chain *a, const struct chain *b)
{
	return X509_cmp(a->cert, b->cert) == 0;
}

uint8_t *
chain_leaf_der(const struct chain *c, size_t *ret_len)
{
	int len = i2d_X509(c->cert, NULL);
	uint8_t *der, *end;

	/* It was decoded from DER, which it keeps. */
	if (len <= 0)
		abort();
	der = end = xmalloc((size_t)len);
	i2d_X509(c->cert, &end);
	*ret_len = (size_t)len;
	return der;
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
			cert = certificate_decode(&block, e);
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
	bool good = cert != NULL && certificate_leaf_info(cert, ret, e);

	X509_free(cert);
	return good;
}
