/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca.h"
#include "jwk.h"
#include "jws.h"
#include "nonce.h"
#include "options.h"
#include "request.h"

struct account *
auth_account(const struct ca *ca, const char *url)
{
	size_t n = strlen(ca->url);
	char *end;
	unsigned long long id;

	if (strncmp(url, ca->url, n) != 0 || strncmp(url + n, "/account/", 9) != 0)
		return NULL;
	id = strtoull(url + n + 9, &end, 10);
	return *end == '\0' ? table_get(&ca->state.accounts, id) : NULL;
}

static bool
check_http(const struct call *c)
{
	if (*request_header(c->http, "User-Agent") == '\0')
		return answer_problem(c->answer, 400, "malformed", "User-Agent is missing");
	if (strcmp(request_header(c->http, "Content-Type"), "application/jose+json") != 0)
		return answer_problem(
		    c->answer, 415, "malformed", "Content-Type is not application/jose+json");
	return true;
}

/* RFC 8555 6.4 and 6.5. */
static bool
check_header(const struct call *c, const struct jws *j)
{
	const char *nonce = jws_text(j, "nonce"), *url = jws_text(j, "url");
	const char *path = url != NULL ? url + strlen(c->ca->url) : NULL;

	if (nonce == NULL || !nonces_use(c->ca->nonces, nonce))
		return answer_problem(
		    c->answer, 400, "badNonce", "the nonce was never given, or was used");
	if (url == NULL || strncmp(url, c->ca->url, strlen(c->ca->url)) != 0 ||
	    strcmp(path, c->http->path) != 0)
		return answer_problem(c->answer, 400, "unauthorized",
		    "the JWS is for url %s, not for %s%s", url != NULL ? url : "(none)", c->ca->url,
		    c->http->path);
	if (json_object_get(j->header, "crit") != NULL)
		return answer_problem(c->answer, 400, "malformed", "crit is not understood");
	return true;
}

static bool
find_account(struct call *c, const char *kid)
{
	c->account = auth_account(c->ca, kid);
	if (c->account == NULL)
		return answer_problem(
		    c->answer, 400, "accountDoesNotExist", "there is no account %s", kid);
	if (c->account->status != STATUS_VALID)
		return answer_problem(c->answer, 401, "unauthorized", "the account is deactivated");
	c->key = jwk_ref(c->account->key);
	return true;
}

static bool
find_signer(struct call *c, const struct jws *j, enum signer signer)
{
	const json_t *jwk = json_object_get(j->header, "jwk");
	const char *kid = jws_text(j, "kid");
	struct err e;

	if ((jwk == NULL) == (kid == NULL))
		return answer_problem(c->answer, 400, "malformed", "a JWS has either jwk or kid");
	if (kid != NULL && signer == SIGNER_KEY)
		return answer_problem(c->answer, 400, "malformed", "jwk is wanted here, not kid");
	if (kid == NULL && signer == SIGNER_ACCOUNT)
		return answer_problem(c->answer, 400, "malformed", "kid is wanted here, not jwk");
	if (kid != NULL)
		return find_account(c, kid);
	c->key = jwk_parse(jwk, &e);
	return c->key != NULL || answer_problem(c->answer, 400, "badPublicKey", "%s", e.detail);
}

/* RFC 8555 6.2: the problem says what would do. */
static bool
refuse_algorithm(const struct call *c, const char *alg)
{
	char detail[128];
	json_t *body;

	snprintf(detail, sizeof(detail), "alg is %.32s, and the key is for %s",
	    alg != NULL ? alg : "(none)", jwk_algorithm(c->key));
	answer_problem(c->answer, 400, "badSignatureAlgorithm", "%s", detail);
	body = answer_problem_json("badSignatureAlgorithm", 400, detail);
	json_object_set_new(body, "algorithms", json_pack("[s, s, s]", "ES256", "ES384", "RS256"));
	buf_done(&c->answer->body);
	answer_json(c->answer, 400, body);
	strcpy(c->answer->content_type, "application/problem+json");
	return false;
}

static bool
check_signature(const struct call *c, const struct jws *j)
{
	const char *alg = jws_text(j, "alg");

	if (alg == NULL || strcmp(alg, jwk_algorithm(c->key)) != 0)
		return refuse_algorithm(c, alg);
	if (!c->ca->options->verify ||
	    jwk_verify(c->key, j->input.data, j->input.len, j->signature.data, j->signature.len))
		return true;
	return answer_problem(c->answer, 400, "malformed", "the signature of the JWS is wrong");
}

static bool
take_payload(struct call *c, const struct jws *j)
{
	if (j->payload.len == 0)
		return true;
	c->payload = json_loadb(j->payload.data, j->payload.len, JSON_REJECT_DUPLICATES, NULL);
	return json_is_object(c->payload) ||
	    answer_problem(c->answer, 400, "malformed", "the payload is no JSON object");
}

bool
auth_open(struct call *c, enum signer signer)
{
	json_t *object = json_loadb(c->http->body, c->http->body_len, JSON_REJECT_DUPLICATES, NULL);
	struct jws j = {0};
	bool good = check_http(c) && jws_parse(&j, object, c->answer) && check_header(c, &j) &&
	    find_signer(c, &j, signer) && check_signature(c, &j) && take_payload(c, &j);

	c->header = json_incref(j.header);
	jws_done(&j);
	json_decref(object);
	return good;
}
