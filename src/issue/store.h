/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where certificates are kept until they are due: a vtable, one file per kind.
 * Answers through completions, also where it could answer at once, so that a
 * store on the network fits. Keys are SHA-384 of the request body, as hex.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/chain.h"
#include "codec/digest.h"
#include "codec/identifier.h"

struct loop;
struct map;
struct op;
struct store;

/* What is known about an entry beside its PEM; meta.json in the file store. Strings NULL or "" if
 * unknown (an entry of the original has no meta). */
struct store_meta {
	const char *directory_url;
	const char *account_url;
	const char *profile;
	const char *auth_block;
	const char *verification;
	const char *certificate_url;
	const struct identifiers *names; /* NULL if unknown */
	struct leaf_info leaf;
	int64_t issued; /* seconds since 1970 */
	int64_t fetched;
	const char *peer; /* last one that fetched it */
};

struct store_entry {
	const char *key; /* SHA-384 hex */
	const char *pem; /* the chain; valid during the completion */
	size_t pem_len;
	/* get fills in what serving needs (directory_url, profile, leaf, issued, fetched), next
	 * all. */
	struct store_meta meta;
	bool has_meta; /* false: written by the original */
};

/* entry NULL: absent (e NULL) or not readable (e). */
typedef void store_get_fn(void *arg, const struct store_entry *entry, const struct err *e);
typedef void store_put_fn(void *arg, const struct err *e); /* e NULL: durable */

struct store_put {
	const char *key; /* SHA-384 hex of body */
	const void *body;
	size_t body_len;
	const char *pem;
	size_t pem_len;
	const struct store_meta *meta;
};

/* What a store holds; of entries with the same names only the newest counts. */
struct store_figures {
	bool known; /* false: it has not been counted yet */
	uint64_t held;
	uint64_t expired;       /* of those held */
	uint64_t due;           /* of those held: to be renewed, and nobody has come for it */
	int64_t nearest_expiry; /* if there are any; seconds since 1970 */
	int64_t due_since;      /* of the one that is due for longest; 0: none is */
};

struct store_kind {
	const char *config_name; /* "file" */
	/* What was put can be had again. If false only flush and free are there to be called. */
	bool keeps;
	void (*get)(
	    struct store *s, const char *key, store_get_fn *done, void *arg, struct op **slot);
	/* What put points to is copied. Goes on when cancelled; only the completion is dropped. */
	void (*put)(struct store *s, const struct store_put *put, store_put_fn *done, void *arg,
	    struct op **slot);
	void (*remove)(
	    struct store *s, const char *key, store_put_fn *done, void *arg, struct op **slot);
	/* Calls back for the first readable entry after cursor ("" = start), an earlier entry's
	 * key; at the end entry is NULL. */
	void (*next)(
	    struct store *s, const char *cursor, store_get_fn *done, void *arg, struct op **slot);
	/* Durable what store_bar_key did; not lost to a crash once done is told. */
	void (*bar)(struct store *s, const uint8_t spki_sha256[32], store_put_fn *done, void *arg,
	    struct op **slot);
	/* Someone got the entry: written lazily. */
	void (*touch)(struct store *s, const char *key, int64_t when, const char *peer);
	/* NULL: it holds nothing. Reads nothing. */
	void (*figures)(const struct store *s, int64_t now, struct store_figures *ret);
	/* Writes what touch remembered; on the way down. */
	void (*flush)(struct store *s);
	/* Expired entries are kept for so many seconds; NULL where that means nothing. */
	void (*keep)(struct store *s, int64_t keep);
	void (*free)(struct store *s);
};

/* Common head of each kind's own struct. */
struct store {
	const struct store_kind *kind;
	char *name;
	int64_t renew_within; /* seconds */
	const char
	    *place; /* of equal kind and place: the same certificates; "" where nothing is kept */
	size_t holders;     /* beyond the first */
	bool clamp_told;    /* that renew_within is too long for its certificates */
	struct map *barred; /* SHA-256 of keys that get no certificate any more; NULL: none */
};

struct store_file_conf {
	const char *directory;
	int64_t keep;     /* seconds an expired entry is kept */
	size_t index_max; /* entries remembered in memory; 0: STORE_INDEX_MAX */
	bool blocking;    /* syncs stop the loop, also where there is io_uring */
	bool as_is;       /* makes no directory and clears nothing up: for a look at it */
	/* Damaged entries, failed clean-up; may be NULL. */
	void (*warn)(void *arg, const char *store, const char *text);
	void *warn_arg;
};

enum { STORE_INDEX_MAX = 10000 };

struct store *store_none_new(const char *name);
/* Makes the directory if it is missing, but for as_is. ERR_CONFIG. */
struct store *store_file_new(struct loop *loop, const char *name,
    const struct store_file_conf *conf, int64_t renew_within, struct err *e);
/* A store is counted: the configuration that has it holds it, and so does every request and job
 * that began with it. */
struct store *store_hold(struct store *s); /* one holder more */
/* One holder less; with the last one writes what is not written yet. NULL is fine. */
void store_free(struct store *s);
/* What may change while it is in use. keep: as in store_file_conf. */
void store_adjust(struct store *s, const char *name, int64_t renew_within, int64_t keep);

/* A compromised key gets no certificate any more: at once, and as long as the store is there. What
 * survives it is store_kind.bar's; a store that starts knows those. */
void store_bar_key(struct store *s, const uint8_t spki_sha256[32]);
bool store_bars_key(const struct store *s, const uint8_t spki_sha256[32]);
void store_each_barred(const struct store *s,
    void (*fn)(const void *key, size_t key_len, void *value, void *arg), void *arg);

/* When an entry is due: less than renew_within left; where that is more than two thirds
 * of the lifetime, a third of the lifetime (half under 10 days) counts instead and *ret_clamped is
 * set. */
bool store_due(const struct leaf_info *leaf, int64_t renew_within, int64_t now, bool *ret_clamped);
/* When it became due, or will: seconds since 1970. */
int64_t store_due_since(const struct leaf_info *leaf, int64_t renew_within);
/* The names of an entry; of one without meta those of its certificate. False: they are not known.
 * The caller ends ret with identifiers_done. */
bool store_entry_names(const struct store_entry *entry, struct identifiers *ret);
/* An entry from another directory or profile counts as absent; one without meta whose
 * issuer begins with "(STAGING)" is absent unless the CA is the staging one. */
bool store_entry_fits(
    const struct store_entry *entry, const char *directory_url, const char *profile);
