/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keyChange (RFC 8555 7.3.5): a JWS of the new key within one of the old. */
#include <string.h>

#include "auth.h"
#include "base/map.h"
#include "ca.h"
#include "handlers.h"
#include "jwk.h"
#include "jws.h"
#include "options.h"

static bool
check_inner_header(struct call *c, const struct jws *j, const struct jwk *key)
{
	const char *url = jws_text(j, "url"), *alg = jws_text(j, "alg");
	const char *outer = json_string_value(json_object_get(c->header, "url"));

	if (json_object_get(j->header, "nonce") != NULL || url == NULL || strcmp(url, outer) != 0)
		return answer_problem(c->answer, 400, "malformed",
		    "the inner JWS has no nonce and the url of the outer");
	if (alg == NULL || strcmp(alg, jwk_algorithm(key)) != 0)
		return answer_problem(c->answer, 400, "badSignatureAlgorithm",
		    "the inner alg does not go with its key");
	return !c->ca->options->verify ||
	    jwk_verify(key, j->input.data, j->input.len, j->signature.data, j->signature.len) ||
	    answer_problem(c->answer, 400, "malformed", "the signature of the new key is wrong");
}

static bool
check_inner_payload(struct call *c, const struct jws *j)
{
	json_t *object = json_loadb(j->payload.data, j->payload.len, 0, NULL);
	const char *url = json_string_value(json_object_get(object, "account"));
	json_t *old_object = json_object_get(object, "oldKey");
	struct jwk *old = old_object != NULL ? jwk_parse(old_object, NULL) : NULL;
	bool good = url != NULL && auth_account(c->ca, url) == c->account && old != NULL &&
	    jwk_equal(old, c->account->key);

	jwk_free(old);
	json_decref(object);
	return good ||
	    answer_problem(
		c->answer, 400, "malformed", "account or oldKey is not that of the outer JWS");
}

static void
change(struct call *c, struct jwk *key)
{
	struct map *map = c->ca->state.by_thumbprint;
	const char *old = jwk_thumbprint(c->account->key), *new = jwk_thumbprint(key);
	struct account *other = map_get(map, new, strlen(new));

	if (other != NULL) {
		answer_problem(c->answer, 409, "malformed", "the new key has an account already");
		answer_header(c->answer, "Location", "%s/account/%llu", c->ca->url,
		    (unsigned long long)other->id);
		return;
	}
	map_remove(map, old, strlen(old));
	map_put(map, new, strlen(new), c->account);
	jwk_free(c->account->key);
	c->account->key = jwk_ref(key);
	c->number = c->account->id;
	json_decref(c->payload);
	c->payload = NULL;
	handle_account(c);
}

void
handle_key_change(struct call *c)
{
	struct jws j = {0};
	struct jwk *key = NULL;
	struct err e;

	if (jws_parse(&j, c->payload, c->answer)) {
		key = jwk_parse(json_object_get(j.header, "jwk"), &e);
		if (key == NULL)
			answer_problem(c->answer, 400, "badPublicKey", "%s", e.detail);
		else if (check_inner_header(c, &j, key) && check_inner_payload(c, &j))
			change(c, key);
	}
	jwk_free(key);
	jws_done(&j);
}
