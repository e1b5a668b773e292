/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/map.h"
#include "codec/digest.h"
#include "issue/pattern.h"

enum { NAMES_SHOWN = 200, FROM_SHOWN = IP_ADDR_TEXT + 32 };

struct block {
	struct auth_block conf; /* deep copy */
	struct pattern *patterns;
	size_t *key_ids; /* for each key: equal for equal (kind, bytes) in all of the policy */
};

struct policy {
	struct block *blocks;
	size_t count;
	size_t key_count; /* different HMAC keys */
};

/* ---- making ---- */

/* Blocks often share a key; each key is tried at most once a request. */
static size_t
key_id(struct policy *p, struct map *ids, enum digest_kind kind, const struct auth_key *key)
{
	size_t len = key->len + 1;
	char *text = xmalloc(len);

	text[0] = (char)kind;
	if (key->len > 0)
		memcpy(text + 1, key->bytes, key->len);
	size_t id = (size_t)(uintptr_t)map_get(ids, text, len);
	if (id == 0) {
		id = ++p->key_count;
		map_put(ids, text, len, (void *)(uintptr_t)id);
	}
	free_secret(text, len);
	return id - 1;
}

static void
copy_keys(struct policy *p, struct block *to, const struct auth_block *from, struct map *ids)
{
	to->conf.keys = xcalloc(from->key_count + 1, sizeof(*to->conf.keys));
	to->key_ids = xcalloc(from->key_count + 1, sizeof(*to->key_ids));
	for (size_t i = 0; i < from->key_count; i++) {
		const struct auth_key *key = &from->keys[i];

		to->conf.keys[i].bytes = xmemdup(key->bytes, key->len);
		to->conf.keys[i].len = key->len;
		to->key_ids[i] = key_id(p, ids, from->hmac, key);
	}
}

static void
copy_block(struct policy *p, struct block *to, const struct auth_block *from, struct map *ids)
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
	copy_keys(p, to, from, ids);
}

struct policy *
policy_new(const struct auth_block *blocks, size_t count)
{
	struct policy *p = xcalloc(1, sizeof(*p));
	struct map *ids = map_new();

	p->count = count;
	p->blocks = xcalloc(count + 1, sizeof(*p->blocks));
	for (size_t i = 0; i < count; i++)
		copy_block(p, &p->blocks[i], &blocks[i], ids);
	map_free(ids);
	return p;
}

static void
block_done(struct block *b)
{
	for (size_t i = 0; i < b->conf.domain_count; i++) {
		free(b->conf.domains[i]);
		pattern_done(&b->patterns[i]);
	}
	for (size_t i = 0; i < b->conf.key_count; i++)
		free_secret(b->conf.keys[i].bytes, b->conf.keys[i].len);
	free(b->conf.domains);
	free(b->patterns);
	free(b->conf.keys);
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

/* What the HMACs of one body came to, by key id. */
struct hmacs {
	const struct authentication *auth;
	const void *body;
	size_t len;
	enum { HMAC_NOT_TRIED = 0, HMAC_WRONG, HMAC_RIGHT } * verdicts;
};

static bool
key_fits(struct hmacs *h, const struct auth_key *key, size_t id)
{
	uint8_t sum[DIGEST_MAX];

	if (h->verdicts[id] == HMAC_NOT_TRIED) {
		size_t n = digest_hmac(h->auth->kind, key->bytes, key->len, h->body, h->len, sum);
		bool right = n > 0 && digest_equal(sum, h->auth->hash, n);
		h->verdicts[id] = right ? HMAC_RIGHT : HMAC_WRONG;
	}
	return h->verdicts[id] == HMAC_RIGHT;
}

/* *ret_key: which of the block's keys, from 1. */
static bool
fits_hmac(const struct policy *p, const struct block *b, struct hmacs *h, size_t *ret_key)
{
	*ret_key = 0;
	if (b->conf.hmac == DIGEST_NONE)
		return true;
	if (h->verdicts == NULL)
		h->verdicts = xcalloc(p->key_count + 1, sizeof(*h->verdicts));
	for (size_t i = 0; i < b->conf.key_count; i++) {
		if (key_fits(h, &b->conf.keys[i], b->key_ids[i])) {
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
admits(const struct policy *p, const struct block *b, enum policy_use use,
    const struct client_identity *who, const struct identifiers *names, struct hmacs *h,
    size_t *ret_key, struct tally *missed)
{
	if (!fits_cheaply(&b->conf, use, who, h->auth)) {
		missed->cheap++;
		return false;
	}
	if (!fits_names(b, names)) {
		missed->names++;
		return false;
	}
	if (!fits_hmac(p, b, h, ret_key)) {
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
	struct hmacs h = {.auth = auth, .body = body, .len = len};
	struct tally missed = {0};
	const struct block *found = NULL;
	size_t key = 0;

	for (size_t i = 0; found == NULL && i < p->count; i++)
		if (admits(p, &p->blocks[i], use, who, names, &h, &key, &missed))
			found = &p->blocks[i];
	free(h.verdicts);
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
