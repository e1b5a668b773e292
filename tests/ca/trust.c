/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "x509make.h"

enum { DAY = 86400 };

struct trust {
	SSL_CTX *contexts[TRUST_COUNT];
	char *root;
};

#define OWN_NAMES "DNS:localhost,IP:127.0.0.1,IP:::1"

static const struct {
	const char *name;
	const char *san;
	long start, end;
	bool other_root;
} kinds[TRUST_COUNT] = {
    [TRUST_GOOD] = {"good", OWN_NAMES, -DAY, 365L * DAY, false},
    [TRUST_EXPIRED] = {"expired", OWN_NAMES, -30L * DAY, -DAY, false},
    [TRUST_NOT_YET] = {"not-yet", OWN_NAMES, 2L * DAY, 30L * DAY, false},
    [TRUST_WRONG_NAME] = {"wrong-name", "DNS:elsewhere.example", -DAY, 30L * DAY, false},
    [TRUST_WRONG_CA] = {"wrong-ca", OWN_NAMES, -DAY, 30L * DAY, true},
};

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

static struct authority
authority_make(const char *name)
{
	struct authority a = {.key = x509_new_key()};

	a.cert = x509_make(&(struct x509_spec){.name = name,
	    .authority = true,
	    .start = -60L * DAY,
	    .end = 3650L * DAY,
	    .key = a.key});
	return a;
}

static void
authority_done(struct authority *a)
{
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
}

static SSL_CTX *
context_make(enum trust_kind kind, const struct authority *by)
{
	EVP_PKEY *key = x509_new_key();
	X509 *cert = x509_make(&(struct x509_spec){.name = "testca",
	    .san = kinds[kind].san,
	    .start = kinds[kind].start,
	    .end = kinds[kind].end,
	    .key = key,
	    .issuer = by->cert,
	    .issuer_key = by->key});
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL || SSL_CTX_use_certificate(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		abort();
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

struct trust *
trust_new(void)
{
	struct trust *t = xcalloc(1, sizeof(*t));
	/* The same name, so that only the signature tells them apart. */
	struct authority good = authority_make("Testca TLS root");
	struct authority other = authority_make("Testca TLS root");

	for (enum trust_kind k = 0; k < TRUST_COUNT; k++)
		t->contexts[k] = context_make(k, kinds[k].other_root ? &other : &good);
	t->root = x509_pem(good.cert);
	authority_done(&good);
	authority_done(&other);
	return t;
}

void
trust_free(struct trust *t)
{
	if (t == NULL)
		return;
	for (enum trust_kind k = 0; k < TRUST_COUNT; k++)
		SSL_CTX_free(t->contexts[k]);
	free(t->root);
	free(t);
}

SSL_CTX *
trust_context(const struct trust *t, enum trust_kind kind)
{
	return t->contexts[kind];
}

const char *
trust_root(const struct trust *t)
{
	return t->root;
}

enum trust_kind
trust_kind_of(const char *name)
{
	enum trust_kind k = TRUST_GOOD;

	while (k < TRUST_COUNT && strcmp(name, kinds[k].name) != 0)
		k++;
	return k;
}
