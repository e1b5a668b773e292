/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csrs --count N --out FILE [--names 1] [--prefix n] [--domain example.org] [--key FILE]
 *
 * N requests for distinct names, all with one P-256 key, as PEM behind each other. The key is made,
 * and kept in the file if it names none.
 */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "kit.h"

struct spec {
	const char *prefix, *domain;
	long names;
	EVP_PKEY *key;
};

static EVP_PKEY *
make_key(const char *path)
{
	FILE *f = path == NULL ? NULL : fopen(path, "r");
	EVP_PKEY *key = f == NULL ? EVP_EC_gen("P-256") : PEM_read_PrivateKey(f, NULL, NULL, NULL);

	if (key == NULL)
		kit_die("no key");
	if (f != NULL) {
		fclose(f);
	} else if (path != NULL) {
		f = fopen(path, "w");
		if (f == NULL || !PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL))
			kit_die("%s cannot be written", path);
		fclose(f);
	}
	return key;
}

static GENERAL_NAME *
make_name(const struct spec *s, long number, long name)
{
	char text[256];
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	if (s->names == 1)
		snprintf(text, sizeof(text), "%s%ld.%s", s->prefix, number, s->domain);
	else
		snprintf(text, sizeof(text), "%s%ld-%ld.%s", s->prefix, number, name, s->domain);
	ASN1_STRING_set(value, text, -1);
	GENERAL_NAME_set0_value(general, GEN_DNS, value);
	return general;
}

static void
add_names(X509_REQ *req, const struct spec *s, long number)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();

	for (long i = 0; i < s->names; i++)
		sk_GENERAL_NAME_push(names, make_name(s, number, i));
	sk_X509_EXTENSION_push(extensions, X509V3_EXT_i2d(NID_subject_alt_name, 0, names));
	X509_REQ_add_extensions(req, extensions);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	GENERAL_NAMES_free(names);
}

static void
write_csr(FILE *out, const struct spec *s, long number)
{
	X509_REQ *req = X509_REQ_new();

	X509_REQ_set_version(req, 0);
	X509_REQ_set_pubkey(req, s->key);
	add_names(req, s, number);
	if (X509_REQ_sign(req, s->key, EVP_sha256()) <= 0 || !PEM_write_X509_REQ(out, req))
		kit_die("request %ld cannot be made", number);
	X509_REQ_free(req);
}

int
main(int argc, char **argv)
{
	const char *path = kit_text(argv, "out", NULL);
	struct spec s = {
	    .prefix = kit_text(argv, "prefix", "n"),
	    .domain = kit_text(argv, "domain", "example.org"),
	    .names = kit_number(argv, "names", 1),
	    .key = make_key(kit_text(argv, "key", NULL)),
	};
	long count = kit_number(argv, "count", 1);
	FILE *out = path == NULL ? NULL : fopen(path, "w");

	(void)argc;
	if (out == NULL)
		kit_die("--out is missing or cannot be written");
	for (long i = 0; i < count; i++)
		write_csr(out, &s, i);
	EVP_PKEY_free(s.key);
	return fclose(out) == 0 ? 0 : 1;
}
