/* SPDX-License-Identifier: GPL-3.0-or-later */
/* directory, newNonce, and the pages behind them (RFC 8555 7.1.1, 7.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca.h"
#include "handlers.h"
#include "options.h"
#include "profile.h"

static void
add_url(json_t *object, const struct ca *ca, const char *name, const char *path)
{
	json_object_set_new(object, name, json_sprintf("%s/%s", ca->url, path));
}

static json_t *
meta(const struct ca *ca)
{
	json_t *object = json_object();

	if (ca->options->terms)
		add_url(object, ca, "termsOfService", "terms");
	json_object_set_new(object, "website", json_string("https://testca.example/"));
	json_object_set_new(object, "caaIdentities", json_pack("[s]", "testca.example"));
	if (ca->options->eab.count > 0)
		json_object_set_new(object, "externalAccountRequired", json_true());
	json_object_set_new(object, "profiles", profiles_json(ca->options));
	return object;
}

void
handle_directory(struct call *c)
{
	json_t *object = json_object();

	add_url(object, c->ca, "newNonce", "new-nonce");
	add_url(object, c->ca, "newAccount", "new-account");
	add_url(object, c->ca, "newOrder", "new-order");
	add_url(object, c->ca, "revokeCert", "revoke");
	add_url(object, c->ca, "keyChange", "key-change");
	add_url(object, c->ca, "renewalInfo", "renewal-info");
	json_object_set_new(object, "meta", meta(c->ca));
	answer_json(c->answer, 200, object);
}

void
handle_new_nonce(struct call *c)
{
	c->answer->status = 204;
	answer_header(c->answer, "Cache-Control", "no-store");
}

void
handle_terms(struct call *c)
{
	answer_text(c->answer, 200, "text/plain", "Trust none of these certificates.\n");
}

void
handle_unknown(struct call *c)
{
	answer_problem(c->answer, 404, "malformed", "there is no such resource");
}
