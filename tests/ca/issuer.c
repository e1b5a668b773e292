/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issuer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "csr.h"
#include "x509make.h"

enum { YEAR = 365 * 86400, PART_MAX = 1 << 16, COMMON_NAME_MAX = 64 };

/* DER of what every leaf has. */
static const uint8_t version_3[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
static const uint8_t ecdsa_sha256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t fixed_extensions[] = {
    /* basicConstraints, critical: no CA */
    0x30, 0x0c, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x02, 0x30, 0x00,
    /* keyUsage, critical: digitalSignature, keyEncipherment */
    0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x05, 0xa0,
    /* extKeyUsage: serverAuth */
    0x30, 0x13, 0x06, 0x03, 0x55, 0x1d, 0x25, 0x04, 0x0c, 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01,
    0x05, 0x05, 0x07, 0x03, 0x01,
    /* authorityKeyIdentifier; its 20 bytes follow */
    0x30, 0x1f, 0x06, 0x03, 0x55, 0x1d, 0x23, 0x04, 0x18, 0x30, 0x16, 0x80, 0x14};
static const uint8_t oid_common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};
static const uint8_t oid_san[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
static const uint8_t critical[] = {DER_BOOLEAN, 0x01, 0xff};

struct issuer {
	EVP_PKEY *key; /* of the intermediate */
	EVP_PKEY_CTX *signer;
	struct buf name; /* DER of the intermediate's subject */
	uint8_t key_id[ISSUER_KEY_ID];
	struct buf other_spki;
	char *root, *intermediate, *other_intermediate;
};

/* Root and intermediate; returns the PEM of both and hands out the intermediate with its key. */
static X509 *
make_pair(const char *root_name, const char *name, EVP_PKEY **ret_key, char **ret_root)
{
	EVP_PKEY *root_key = x509_new_key();
	X509 *root = x509_make(&(struct x509_spec){.name = root_name,
	    .authority = true,
	    .start = -3600,
	    .end = 10L * YEAR,
	    .key = root_key});
	X509 *intermediate;

	*ret_key = x509_new_key();
	intermediate = x509_make(&(struct x509_spec){.name = name,
	    .authority = true,
	    .start = -3600,
	    .end = 5L * YEAR,
	    .key = *ret_key,
	    .issuer = root,
	    .issuer_key = root_key});
	if (ret_root != NULL)
		*ret_root = x509_pem(root);
	X509_free(root);
	EVP_PKEY_free(root_key);
	return intermediate;
}

static void
make_other(struct issuer *i)
{
	EVP_PKEY *key;
	X509 *other = make_pair("Testca other root", "Testca other intermediate", &key, NULL);
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	i->other_intermediate = x509_pem(other);
	buf_init(&i->other_spki, PART_MAX);
	buf_add(&i->other_spki, der, (size_t)len);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
	X509_free(other);
}

struct issuer *
issuer_new(void)
{
	struct issuer *i = xcalloc(1, sizeof(*i));
	X509 *cert = make_pair("Testca root", "Testca intermediate", &i->key, &i->root);
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(cert), &der);

	i->intermediate = x509_pem(cert);
	buf_init(&i->name, PART_MAX);
	buf_add(&i->name, der, (size_t)len);
	OPENSSL_free(der);
	memcpy(i->key_id, ASN1_STRING_get0_data(X509_get0_subject_key_id(cert)), ISSUER_KEY_ID);
	X509_free(cert);
	i->signer = EVP_PKEY_CTX_new_from_pkey(NULL, i->key, NULL);
	if (i->signer == NULL || EVP_PKEY_sign_init(i->signer) != 1)
		abort();
	make_other(i);
	return i;
}

void
issuer_free(struct issuer *i)
{
	if (i == NULL)
		return;
	EVP_PKEY_CTX_free(i->signer);
	EVP_PKEY_free(i->key);
	buf_done(&i->name);
	buf_done(&i->other_spki);
	free(i->root);
	free(i->intermediate);
	free(i->other_intermediate);
	free(i);
}

static void
put_time(struct buf *out, int64_t when)
{
	time_t t = (time_t)when;
	char text[20];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
	/* RFC 5280 4.1.2.5: before 2050 without the century. */
	if (tm.tm_year < 150)
		der_put(out, DER_UTC_TIME, text + 2, strlen(text + 2));
	else
		der_put(out, DER_TIME, text, strlen(text));
}

static void
put_validity(struct buf *out, const struct leaf_spec *spec)
{
	struct buf times;

	buf_init(&times, PART_MAX);
	put_time(&times, spec->start);
	put_time(&times, spec->end);
	der_put_buf(out, DER_SEQUENCE, &times);
	buf_done(&times);
}

/* The first DNS name that fits; an empty subject if there is none. */
static bool
put_subject(struct buf *out, const struct leaf_spec *spec)
{
	struct buf pair, sequence, set;
	const char *name = spec->names[0];
	size_t len = strlen(name);

	if (len > COMMON_NAME_MAX || strchr(name, ':') != NULL ||
	    strspn(name, "0123456789.") == len) {
		der_put(out, DER_SEQUENCE, "", 0);
		return false;
	}
	buf_init(&pair, PART_MAX);
	buf_init(&sequence, PART_MAX);
	buf_init(&set, PART_MAX);
	buf_add(&pair, oid_common_name, sizeof(oid_common_name));
	der_put(&pair, DER_UTF8, name, len);
	der_put_buf(&sequence, DER_SEQUENCE, &pair);
	der_put_buf(&set, DER_SET, &sequence);
	der_put_buf(out, DER_SEQUENCE, &set);
	buf_done(&pair);
	buf_done(&sequence);
	buf_done(&set);
	return true;
}

static void
put_name(struct buf *out, const char *name)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, name, address) == 1)
		der_put(out, SAN_IP, address, 4);
	else if (inet_pton(AF_INET6, name, address) == 1)
		der_put(out, SAN_IP, address, 16);
	else
		der_put(out, SAN_DNS, name, strlen(name));
}

/* RFC 5280 4.2.1.6: critical where the subject is empty. */
static void
put_san(struct buf *out, const struct leaf_spec *spec, bool is_critical)
{
	struct buf names, list, extension;

	buf_init(&names, PART_MAX);
	buf_init(&list, PART_MAX);
	buf_init(&extension, PART_MAX);
	for (size_t i = 0; i < spec->count; i++)
		put_name(&names, spec->names[i]);
	der_put_buf(&list, DER_SEQUENCE, &names);
	buf_add(&extension, oid_san, sizeof(oid_san));
	if (is_critical)
		buf_add(&extension, critical, sizeof(critical));
	der_put_buf(&extension, DER_OCTET_STRING, &list);
	der_put_buf(out, DER_SEQUENCE, &extension);
	buf_done(&names);
	buf_done(&list);
	buf_done(&extension);
}

static void
put_extensions(const struct issuer *i, struct buf *out, const struct leaf_spec *spec, bool subject)
{
	struct buf list, sequence;

	buf_init(&list, PART_MAX);
	buf_init(&sequence, PART_MAX);
	buf_add(&list, fixed_extensions, sizeof(fixed_extensions));
	buf_add(&list, i->key_id, sizeof(i->key_id));
	put_san(&list, spec, !subject);
	der_put_buf(&sequence, DER_SEQUENCE, &list);
	der_put_buf(out, DER_CONTEXT_3, &sequence);
	buf_done(&list);
	buf_done(&sequence);
}

static void
put_to_be_signed(const struct issuer *i, struct buf *out, const struct leaf_spec *spec)
{
	struct buf parts;
	bool subject;

	buf_init(&parts, PART_MAX);
	buf_add(&parts, version_3, sizeof(version_3));
	der_put(&parts, DER_INTEGER, spec->serial, ISSUER_SERIAL);
	buf_add(&parts, ecdsa_sha256, sizeof(ecdsa_sha256));
	buf_add(&parts, i->name.data, i->name.len);
	put_validity(&parts, spec);
	subject = put_subject(&parts, spec);
	buf_add(&parts, spec->spki.p, spec->spki.len);
	put_extensions(i, &parts, spec, subject);
	der_put_buf(out, DER_SEQUENCE, &parts);
	buf_done(&parts);
}

void
issuer_leaf(const struct issuer *i, const struct leaf_spec *spec, struct buf *out)
{
	unsigned char digest[SHA256_DIGEST_LENGTH], signature[1 + 80] = {0};
	size_t len = sizeof(signature) - 1;
	struct buf parts;

	buf_init(&parts, PART_MAX);
	put_to_be_signed(i, &parts, spec);
	SHA256((const unsigned char *)parts.data, parts.len, digest);
	if (EVP_PKEY_sign(i->signer, signature + 1, &len, digest, sizeof(digest)) != 1)
		abort();
	buf_add(&parts, ecdsa_sha256, sizeof(ecdsa_sha256));
	/* signature[0]: no unused bits. */
	der_put(&parts, DER_BIT_STRING, signature, len + 1);
	der_put_buf(out, DER_SEQUENCE, &parts);
	buf_done(&parts);
}

const char *
issuer_root(const struct issuer *i)
{
	return i->root;
}

const char *
issuer_intermediate(const struct issuer *i)
{
	return i->intermediate;
}

const char *
issuer_other_intermediate(const struct issuer *i)
{
	return i->other_intermediate;
}

struct der
issuer_other_spki(const struct issuer *i)
{
	return (struct der){(const uint8_t *)i->other_spki.data, i->other_spki.len};
}

const uint8_t *
issuer_key_id(const struct issuer *i)
{
	return i->key_id;
}
