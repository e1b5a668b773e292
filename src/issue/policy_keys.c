/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/policy_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

enum { HINTS = 1024 };

struct key {
	enum digest_kind kind;
	uint8_t *bytes;
	size_t len;
};

struct policy_keys {
	struct key *keys;
	size_t count;
	struct map *ids;                            /* kind and bytes -> number + 1 */
	struct digest_mac *macs[DIGEST_KIND_COUNT]; /* made when first needed */
	/* Number + 1, by a hash of the client's address. Two may share one: a wrong hint costs one
	 * HMAC, and nothing else. */
	size_t hints[HINTS];
};

/* ---- making ---- */

struct policy_keys *
policy_keys_new(void)
{
	struct policy_keys *k = xcalloc(1, sizeof(*k));

	k->ids = map_new();
	return k;
}

void
policy_keys_free(struct policy_keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->count; i++)
		free_secret(k->keys[i].bytes, k->keys[i].len);
	for (size_t i = 0; i < DIGEST_KIND_COUNT; i++)
		digest_mac_free(k->macs[i]);
	map_free(k->ids);
	free(k->keys);
	free(k);
}

static size_t
append(struct policy_keys *k, enum digest_kind kind, const uint8_t *bytes, size_t len)
{
	k->keys = xreallocarray(k->keys, k->count + 1, sizeof(*k->keys));
	k->keys[k->count] = (struct key){kind, xmemdup(bytes, len), len};
	return ++k->count;
}

size_t
policy_keys_add(struct policy_keys *k, enum digest_kind kind, const void *bytes, size_t len)
{
	uint8_t text[1 + DIGEST_KEY_MAX];
	size_t n = 1 + digest_mac_key(kind, bytes, len, text + 1);
	size_t id;

	text[0] = (uint8_t)kind;
	id = (size_t)(uintptr_t)map_get(k->ids, text, n);
	if (id == 0) {
		id = append(k, kind, text + 1, n - 1);
		map_put(k->ids, text, n, (void *)(uintptr_t)id);
	}
	explicit_bzero(text, sizeof(text));
	return id - 1;
}

/* ---- one request ---- */

/* FNV-1a. */
static size_t
slot_of(const struct ip_addr *addr)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; addr != NULL && i < addr->len; i++)
		h = (h ^ addr->bytes[i]) * 16777619U;
	return (h ^ h >> 16) % HINTS;
}

void
key_trial_init(struct key_trial *t, struct policy_keys *k, const struct ip_addr *addr,
    const struct authentication *auth, const void *body, size_t len)
{
	*t = (struct key_trial){
	    .keys = k,
	    .auth = auth,
	    .body = body,
	    .len = len,
	    .hint = &k->hints[slot_of(addr)],
	};
}

void
key_trial_done(struct key_trial *t)
{
	free(t->tried);
}

static size_t
mac(struct policy_keys *k, size_t id, const void *data, size_t len, uint8_t out[DIGEST_MAX])
{
	const struct key *key = &k->keys[id];
	struct digest_mac **m = &k->macs[key->kind];

	if (*m == NULL)
		*m = digest_mac_new(key->kind);
	if (*m == NULL)
		return 0;
	return digest_mac(*m, key->bytes, key->len, data, len, out);
}

static void
try(struct key_trial *t, size_t id)
{
	uint8_t sum[DIGEST_MAX];
	size_t n;

	if (t->keys->keys[id].kind != t->auth->kind)
		return;
	n = mac(t->keys, id, t->body, t->len, sum);
	if (n == 0 || !digest_equal(sum, t->auth->hash, n))
		return;
	t->found = true;
	t->right = id;
	*t->hint = id + 1;
}

bool
key_trial_fits(struct key_trial *t, size_t id)
{
	if (t->auth == NULL)
		return false;
	if (!t->begun && *t->hint != 0)
		try(t, *t->hint - 1);
	t->begun = true;
	if (t->found)
		return id == t->right;
	if (t->tried == NULL)
		t->tried = xcalloc(t->keys->count, sizeof(*t->tried));
	if (t->tried[id])
		return false;
	t->tried[id] = true;
	try(t, id);
	return t->found;
}
