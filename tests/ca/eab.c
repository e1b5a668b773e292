/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "eab.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "b64.h"
#include "ca.h"
#include "jwk.h"
#include "jws.h"
#include "options.h"
#include "request.h"

enum { KEY_MAX = 1024 };

/* The HMAC key of a kid, from KID:KEY. */
static bool
find_key(const struct options *o, const char *kid, struct buf *out)
{
	size_t n = strlen(kid);

	for (size_t i = 0; i < o->eab.count; i++) {
		const char *entry = o->eab.values[i];

		if (strncmp(entry, kid, n) == 0 && entry[n] == ':')
			return b64_decode(entry + n + 1, strlen(entry + n + 1), out);
	}
	return false;
}

static bool
is_signed(const struct jws *j, const struct buf *key)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	HMAC(EVP_sha256(), key->data, (int)key->len, (const unsigned char *)j->input.data,
	    j->input.len, mac, &len);
	return len == j->signature.len && CRYPTO_memcmp(mac, j->signature.data, len) == 0;
}

/* The payload is the account's key. */
static bool
is_for(const struct call *c, const struct jws *j)
{
	json_t *object = json_loadb(j->payload.data, j->payload.len, 0, NULL);
	struct jwk *key = object != NULL ? jwk_parse(object, NULL) : NULL;
	bool same = key != NULL && jwk_equal(key, c->key);

	jwk_free(key);
	json_decref(object);
	return same;
}

static bool
check(struct call *c, const struct jws *j)
{
	const char *alg = jws_text(j, "alg"), *kid = jws_text(j, "kid"), *url = jws_text(j, "url");
	struct buf key;
	bool good;

	if (alg == NULL || strcmp(alg, "HS256") != 0)
		return answer_problem(
		    c->answer, 400, "badSignatureAlgorithm", "a binding is signed with HS256");
	if (json_object_get(j->header, "nonce") != NULL || url == NULL ||
	    strncmp(url, c->ca->url, strlen(c->ca->url)) != 0 ||
	    strcmp(url + strlen(c->ca->url), c->http->path) != 0)
		return answer_problem(c->answer, 400, "malformed",
		    "a binding has no nonce and the url of the request around it");
	buf_init(&key, KEY_MAX);
	good = kid != NULL && find_key(c->ca->options, kid, &key) && is_signed(j, &key);
	buf_done(&key);
	if (!good)
		return answer_problem(c->answer, 403, "unauthorized",
		    "the binding's kid is unknown or its HMAC is wrong");
	return is_for(c, j) ||
	    answer_problem(c->answer, 400, "malformed", "the binding is for another key");
}

bool
eab_check(struct call *c)
{
	const json_t *binding = json_object_get(c->payload, "externalAccountBinding");
	struct jws j;
	bool good;

	if (c->ca->options->eab.count == 0)
		return true;
	if (binding == NULL)
		return answer_problem(c->answer, 401, "externalAccountRequired",
		    "accounts of this CA are bound to one elsewhere");
	good = jws_parse(&j, binding, c->answer) && check(c, &j);
	jws_done(&j);
	return good;
}
