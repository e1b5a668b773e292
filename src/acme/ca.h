/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One certificate authority: its directory, our account there, its nonces,
 * connections, request bucket and pauses. Nothing reaches these globally, so
 * that there can be several.
 *
 * The account is brought in order in the background (ca_start, and again after
 * any account error); orders wait for it within their own deadline. A CA that is
 * down is tried again after 1, 2, 4 ... 60 s; meanwhile ca_ready says why not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "codec/key.h"

struct ca;
struct ca_stats;
struct http_client;
struct loop;

struct ca_terms {
	bool accept; /* whatever they are */
	char **urls; /* accepted exactly; owned */
	size_t url_count;
};

enum ca_event {
	CA_EVENT_KEY_MADE,      /* text: path */
	CA_EVENT_KEY_TIGHTENED, /* an older key others could read: mode is 0600 now */
	CA_EVENT_REGISTERED,    /* text: account URL */
	CA_EVENT_FOUND,         /* the account exists; text: URL */
	CA_EVENT_MOVED,         /* the URL on file was another; text: old and new */
	CA_EVENT_DIRECTORY,     /* it has been read; text: its URL */
	CA_EVENT_KEY_CHANGED,   /* the account's key is another now; text: its thumbprint */
	CA_EVENT_KEY_FINISHED,  /* a key change that was broken off: the CA knows the new key */
	CA_EVENT_KEY_DROPPED,   /* it does not; text: where the new key is, or NULL: removed */
	CA_EVENT_FAILED,        /* e says what and what to do */
	CA_EVENT_PAUSED,        /* new orders wait as the CA says; e: that, and for how long */
	CA_EVENT_UP,            /* reachable again */
	CA_EVENT_TROUBLE,       /* e, which keeps nobody from certificates: a file, a contact */
	CA_EVENT_COUNT
};

struct ca_conf {
	const char *directory_url;
	/* account.pem, registration.json. NULL: there is no account, and nothing but a revocation
	 * by the certificate's own key can be asked for; then ca_start is not called. */
	const char *dir;
	struct ca_terms terms;
	char **contacts; /* "mailto:..." */
	size_t contact_count;
	bool only_existing;     /* an account that does not exist is not registered */
	bool contacts_as_is;    /* those of an account that exists are left alone */
	enum key_type key_type; /* for a key made by us */
	const char *eab_kid;    /* or NULL */
	const uint8_t *eab_key;
	size_t eab_key_len;
	const char *profile;        /* default profile, or NULL */
	double requests_per_second; /* 0: no limit; bursts of requests_burst */
	unsigned requests_burst;
	/* Tells whoever logs. text may be NULL, e may be NULL. */
	void (*event)(void *arg, enum ca_event event, const char *text, const struct err *e);
	void *event_arg;
	struct ca_stats *stats; /* borrowed: counts into it; NULL: into its own */
};

/* Loads the key, or makes one (mode 0600 in a directory of 0700); no network. conf is copied
 * deeply. ERR_CONFIG. client is borrowed. */
struct ca *ca_new(
    struct loop *loop, struct http_client *client, const struct ca_conf *conf, struct err *e);
/* A CA is counted: the configuration that has it holds it, and so do those who order there. */
struct ca *ca_hold(struct ca *ca); /* one holder more */
/* One holder less; with the last one every order must be gone. NULL is fine. */
void ca_free(struct ca *ca);
void ca_start(struct ca *ca); /* begins with directory and account */

/* Whether a new order may be tried now. If not: *e as a client should see it at once
 * (ERR_UNREACHABLE, ERR_ACCOUNT, ERR_RATE_LIMITED ...) with retry_after. At start, before the first
 * attempt has ended, it is ready (orders wait for it). */
bool ca_ready(const struct ca *ca, struct err *e);
const struct ca_stats *ca_stats(const struct ca *ca);
/* Forget pauses and back-off (SIGHUP). */
void ca_reset(struct ca *ca);

const char *ca_directory_url(const struct ca *ca);
const char *ca_account_url(const struct ca *ca); /* "" as long as unknown */
const char *ca_profile(const struct ca *ca);     /* configured default, or NULL */
/* URL of its terms of service; NULL: it has none, or its directory has not been read. */
const char *ca_terms_url(const struct ca *ca);
const struct key *ca_key(const struct ca *ca);
