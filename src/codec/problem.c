/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codec/problem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/text.h"

/* RFC 8555 6.7; alreadyReplaced is RFC 9773's, invalidProfile the profiles draft's. The text
 * stands in where a CA gives no detail. */
static const struct {
	const char *name;
	const char *text;
} types[] = {
    [PROBLEM_NONE] = {"", "no error"},
    [PROBLEM_OTHER] = {"", "an error without explanation"},
    [PROBLEM_ACCOUNT_DOES_NOT_EXIST] = {"accountDoesNotExist", "the account does not exist"},
    [PROBLEM_ALREADY_REPLACED] = {"alreadyReplaced", "the certificate has been replaced already"},
    [PROBLEM_ALREADY_REVOKED] = {"alreadyRevoked", "the certificate has been revoked already"},
    [PROBLEM_BAD_CSR] = {"badCSR", "the CSR is unacceptable"},
    [PROBLEM_BAD_NONCE] = {"badNonce", "the nonce is unacceptable"},
    [PROBLEM_BAD_PUBLIC_KEY] = {"badPublicKey", "the public key is not supported"},
    [PROBLEM_BAD_REVOCATION_REASON] = {"badRevocationReason", "the reason is not allowed"},
    [PROBLEM_BAD_SIGNATURE_ALGORITHM] = {"badSignatureAlgorithm",
	"the signature algorithm is not supported"},
    [PROBLEM_CAA] = {"caa", "CAA records forbid this CA to issue"},
    [PROBLEM_COMPOUND] = {"compound", "several errors"},
    [PROBLEM_CONNECTION] = {"connection", "the CA could not connect to the validation target"},
    [PROBLEM_DNS] = {"dns", "a DNS query of the CA failed"},
    [PROBLEM_EXTERNAL_ACCOUNT_REQUIRED] = {"externalAccountRequired",
	"the CA wants an external account binding"},
    [PROBLEM_INCORRECT_RESPONSE] = {"incorrectResponse",
	"the answer to the challenge is not right"},
    [PROBLEM_INVALID_CONTACT] = {"invalidContact", "a contact is invalid"},
    [PROBLEM_INVALID_PROFILE] = {"invalidProfile", "the CA does not offer this profile"},
    [PROBLEM_MALFORMED] = {"malformed", "the request was malformed"},
    [PROBLEM_ORDER_NOT_READY] = {"orderNotReady", "the order is not ready to be finalized"},
    [PROBLEM_RATE_LIMITED] = {"rateLimited", "a rate limit of the CA is exceeded"},
    [PROBLEM_REJECTED_IDENTIFIER] = {"rejectedIdentifier", "the CA will not issue for this name"},
    [PROBLEM_SERVER_INTERNAL] = {"serverInternal", "an internal error of the CA"},
    [PROBLEM_TLS] = {"tls", "the CA got a TLS error during validation"},
    [PROBLEM_UNAUTHORIZED] = {"unauthorized", "the CA says this is not authorized"},
    [PROBLEM_UNSUPPORTED_CONTACT] = {"unsupportedContact", "a contact's scheme is not supported"},
    [PROBLEM_UNSUPPORTED_IDENTIFIER] = {"unsupportedIdentifier",
	"the CA does not issue for this type of name"},
    [PROBLEM_USER_ACTION_REQUIRED] = {"userActionRequired", "the CA wants a person to act"},
};
static_assert(sizeof(types) / sizeof(types[0]) == PROBLEM_TYPE_COUNT, "a row for every type");

const char *
problem_type_name(enum problem_type type)
{
	return type < PROBLEM_TYPE_COUNT ? types[type].name : "";
}

static enum problem_type
type_of(const struct json *object)
{
	/* The second is what CAs used before the RFC; some implementations still do. */
	static const char *const prefixes[] = {"urn:ietf:params:acme:error:", "urn:acme:error:"};
	const char *urn = json_string(object, "type");

	for (size_t p = 0; urn != NULL && p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
		size_t n = strlen(prefixes[p]);

		if (strncmp(urn, prefixes[p], n) != 0)
			continue;
		for (int i = PROBLEM_OTHER + 1; i < PROBLEM_TYPE_COUNT; i++)
			if (strcmp(urn + n, types[i].name) == 0)
				return (enum problem_type)i;
	}
	return PROBLEM_OTHER;
}

static const char *
detail_of(const struct json *object, enum problem_type type)
{
	const char *text = json_string(object, "detail");

	if (text == NULL || *text == '\0')
		text = json_string(object, "title");
	return text == NULL || *text == '\0' ? types[type].text : text;
}

static void
parse_subs(const struct json *array, struct problem *ret)
{
	size_t count = json_array_count(array);
	const struct json *object;
	const char *name;
	struct problem_sub *sub;

	if (count > PROBLEM_SUB_MAX)
		count = PROBLEM_SUB_MAX;
	if (count > 0)
		ret->subs = xcalloc(count, sizeof(*ret->subs));
	for (size_t i = 0; i < count; i++) {
		object = json_array_at(array, i);
		if (!json_is_object(object))
			continue;
		sub = &ret->subs[ret->sub_count++];
		sub->type = type_of(object);
		text_copy(sub->detail, sizeof(sub->detail), detail_of(object, sub->type));
		name = json_string(json_member(object, "identifier"), "value");
		text_copy(sub->identifier, sizeof(sub->identifier), name != NULL ? name : "");
	}
}

bool
problem_from_json(const struct json *object, struct problem *ret)
{
	const char *instance;
	int64_t status;

	if (!json_is_object(object))
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->type = type_of(object);
	if (json_integer(object, "status", &status) && status >= 100 && status <= 599)
		ret->status = (int)status;
	text_copy(ret->detail, sizeof(ret->detail), detail_of(object, ret->type));
	/* A URL that is cut short leads nowhere. */
	instance = json_string(object, "instance");
	if (instance != NULL && strlen(instance) < sizeof(ret->instance))
		strcpy(ret->instance, instance);
	parse_subs(json_member(object, "subproblems"), ret);
	return true;
}

bool
problem_parse(const char *body, size_t len, struct problem *ret)
{
	struct json *root = json_parse(body, len, NULL);
	bool done = problem_from_json(root, ret);

	json_free(root);
	return done;
}

void
problem_done(struct problem *p)
{
	free(p->subs);
	p->subs = NULL;
	p->sub_count = 0;
}

struct problem *
problem_new(const struct json *object)
{
	struct problem *p;

	if (!json_is_object(object))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	problem_from_json(object, p);
	return p;
}

void
problem_free(struct problem *p)
{
	if (p == NULL)
		return;
	problem_done(p);
	free(p);
}

char *
problem_text(int status, const char *title, const char *detail)
{
	struct json *object = json_new_object();
	char *text;

	json_set_string(object, "type", "about:blank");
	json_set_string(object, "title", title);
	json_set_integer(object, "status", status);
	json_set_string(object, "detail", detail);
	text = json_text(object, 0);
	json_free(object);
	return text;
}
