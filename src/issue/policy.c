/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/digest.h"
#include "issue/pattern.h"
#include "issue/policy_keys.h"

enum { NAMES_SHOWN = 200, FROM_SHOWN = IP_ADDR_TEXT + 32 };

struct block {
	struct auth_block conf; /* deep copy */
	struct pattern *patterns;
	size_t *key_ids; /* their numbers in policy_keys, which has the keys themselves */
};

struct policy {
	struct block *blocks;
	size_t count;
	struct policy_keys *keys;
};

/* ---- making ---- */

static void
copy_keys(struct policy *p, struct block *to, const struct auth_block *from)
{
	to->conf.keys = NULL;
	to->key_ids = xcalloc(from->key_count + 1, sizeof(*to->key_ids));
	for (size_t i = 0; i < from->key_count; i++)
		to->key_ids[i] =
		    policy_keys_add(p->keys, from->hmac, from->keys[i].bytes, from->keys[i].len);
}

static void
copy_block(struct policy *p, struct block *to, const struct auth_block *from)
{
	to->conf = *from;
	to->conf.name = xstrdup(from->name);
	to->conf.profile = from->profile == NULL ? NULL : xstrdup(from->profile);
	to->conf.ranges = xcalloc(from->range_count + 1, sizeof(*from->ranges));
	for (size_t i = 0; i < from->range_count; i++)
		to->conf.ranges[i] = from->ranges[i];
	to->conf.domains = xcalloc(from->domain_count + 1, sizeof(*from->domains));
	to->patterns = xcalloc(from->domain_count + 1, sizeof(*to->patterns));
	for (size_t i = 0; i < from->domain_count; i++) {
		to->conf.domains[i] = xstrdup(from->domains[i]);
		pattern_init(&to->patterns[i], from->domains[i]);
	}
	copy_keys(p, to, from);
}

struct policy *
policy_new(const struct auth_block *blocks, size_t count)
{
	struct policy *p = xcalloc(1, sizeof(*p));

	p->keys = policy_keys_new();
	p->count = count;
	p->blocks = xcalloc(count + 1, sizeof(*p->blocks));
	for (size_t i = 0; i < count; i++)
		copy_block(p, &p->blocks[i], &blocks[i]);
	return p;
}

static void
block_done(struct block *b)
{
	for (size_t i = 0; i < b->conf.domain_count; i++) {
		free(b->conf.domains[i]);
		pattern_done(&b->patterns[i]);
	}
	free(b->conf.domains);
	free(b->patterns);
	free(b->key_ids);
	free(b->conf.ranges);
	free(b->conf.profile);
	free(b->conf.name);
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		block_done(&p->blocks[i]);
	policy_keys_free(p->keys);
	free(p->blocks);
	free(p);
}

/* ---- the tests, cheap ones first ---- */

static bool
fits_address(const struct auth_block *b, const struct client_identity *who)
{
	if (b->range_count == 0)
		return true;
	if (!who->has_addr)
		return false;
	for (size_t i = 0; i < b->range_count; i++)
		if (ip_range_contains(&b->ranges[i], &who->addr))
			return true;
	return false;
}

static bool
fits_header(const struct auth_block *b, const struct authentication *auth)
{
	return b->hmac == DIGEST_NONE || (auth != NULL && auth->kind == b->hmac);
}

/* An address alone may not take away what somebody else has. */
static bool
fits_use(const struct auth_block *b, enum policy_use use)
{
	return use == POLICY_SIGN || (b->revoke && b->hmac != DIGEST_NONE);
}

/* A block without a method is refused by the configuration; it admits nobody here either. */
static bool
fits_cheaply(const struct auth_block *b, enum policy_use use, const struct client_identity *who,
    const struct authentication *auth)
{
	if (!fits_use(b, use))
		return false;
	if (!b->all && b->range_count == 0 && b->hmac == DIGEST_NONE)
		return false;
	return fits_address(b, who) && fits_header(b, auth);
}

static bool
fits_name(const struct block *b, const struct identifier *id)
{
	for (size_t i = 0; i < b->conf.domain_count; i++)
		if (pattern_matches(&b->patterns[i], id))
			return true;
	return false;
}

static bool
fits_names(const struct block *b, const struct identifiers *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!fits_name(b, &names->items[i]))
			return false;
	return names->count > 0;
}

/* *ret_key: which of the block's keys, from 1. */
static bool
fits_hmac(const struct block *b, struct key_trial *trial, size_t *ret_key)
{
	*ret_key = 0;
	if (b->conf.hmac == DIGEST_NONE)
		return true;
	for (size_t i = 0; i < b->conf.key_count; i++) {
		if (key_trial_fits(trial, b->key_ids[i])) {
			*ret_key = i + 1;
			return true;
		}
	}
	return false;
}

/* ---- verdicts ---- */

/* The address as the client knows it; which proxies stand before us is none of his business. */
static const char *
from_text(const struct client_identity *who, char out[FROM_SHOWN])
{
	if (who->has_addr)
		return ip_addr_format(&who->addr, out);
	return who->text != NULL && strcmp(who->text, "unix") == 0 ? "a unix socket"
								   : "an unknown address";
}

/* Says what the request brought, never what a block would have wanted. */
static bool
refuse(struct err *e, enum policy_use use, const struct client_identity *who,
    const struct authentication *auth, const struct identifiers *names)
{
	char from[FROM_SHOWN];
	char text[NAMES_SHOWN];

	return err_set(e, ERR_FORBIDDEN, "no auth block admits this %s%s%s from %s%s%s%s",
	    use == POLICY_SIGN ? "request" : "revocation", names == NULL ? "" : " for ",
	    names == NULL ? "" : identifiers_text(names, text, sizeof(text)), from_text(who, from),
	    auth == NULL ? " without an HMAC" : " with this ",
	    auth == NULL ? "" : digest_kind_name(auth->kind),
	    auth == NULL ? ": ask the operator of this server"
			 : " HMAC over exactly this body: ask the operator of this server");
}

bool
policy_possible(const struct policy *p, enum policy_use use, const struct client_identity *who,
    const struct authentication *auth, struct err *e)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->blocks[i].conf.domain_count > 0 &&
		    fits_cheaply(&p->blocks[i].conf, use, who, auth))
			return true;
	return refuse(e, use, who, auth, NULL);
}

/* How far the blocks went, for the operator who wonders why. */
struct tally {
	size_t cheap;
	size_t names;
	size_t hmac;
};

static bool
admits(const struct block *b, enum policy_use use, const struct client_identity *who,
    const struct identifiers *names, struct key_trial *trial, size_t *ret_key, struct tally *missed)
{
	if (!fits_cheaply(&b->conf, use, who, trial->auth)) {
		missed->cheap++;
		return false;
	}
	if (!fits_names(b, names)) {
		missed->names++;
		return false;
	}
	if (!fits_hmac(b, trial, ret_key)) {
		missed->hmac++;
		return false;
	}
	return true;
}

bool
policy_admit(const struct policy *p, enum policy_use use, const struct client_identity *who,
    const struct authentication *auth, const void *body, size_t len,
    const struct identifiers *names, const struct auth_block **ret_block, size_t *ret_key,
    struct err *e)
{
	struct key_trial trial;
	struct tally missed = {0};
	const struct block *found = NULL;
	size_t key = 0;

	key_trial_init(&trial, p->keys, who->has_addr ? &who->addr : NULL, auth, body, len);
	for (size_t i = 0; found == NULL && i < p->count; i++)
		if (admits(&p->blocks[i], use, who, names, &trial, &key, &missed))
			found = &p->blocks[i];
	key_trial_done(&trial);
	if (found == NULL) {
		log_debug(NULL,
		    "of %zu auth blocks %zu want another address or header, %zu other names, "
		    "%zu another HMAC",
		    p->count, missed.cheap, missed.names, missed.hmac);
		return refuse(e, use, who, auth, names);
	}
	*ret_block = &found->conf;
	*ret_key = key;
	return true;
}

bool
policy_revokes(const struct policy *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (fits_use(&p->blocks[i].conf, POLICY_REVOKE))
			return true;
	return false;
}
