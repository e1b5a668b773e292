/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What struct ca is made of, for the files of this room only. */
#pragma once

#include "acme/ca.h"
#include "acme/ca_stats.h"
#include "acme/directory.h"
#include "acme/problem_err.h"
#include "codec/uri.h"

struct account;
struct bucket;
struct nonces;
struct request_answer;

enum {
	CA_HOST_TEXT = HOST_MAX + 16,
	/* The longest limits known are a week's; what says more is a broken clock or header, and
	 * must not stop us for good. */
	CA_PAUSE_MAX_S = 7 * 24 * 3600,
};

struct ca {
	struct loop *loop;
	size_t holders; /* beyond the first */
	struct http_client *client;
	struct ca_conf conf; /* a deep copy; its stats are never NULL */
	struct ca_stats own_stats;
	struct uri uri; /* of the directory */
	char host[CA_HOST_TEXT];
	bool loopback;
	struct key *key;
	struct bucket *bucket;
	struct nonces *nonces;
	struct directory directory;
	struct account *account;
	int64_t paused_until; /* clock_mono_ms */
	struct err pause;     /* why, in words that are anybody's business */
};

void ca_event(struct ca *ca, enum ca_event event, const char *text, const struct err *e);
/* What the CA's directory is from now on. On failure what was known stays; ERR_UPSTREAM. */
bool ca_read_directory(struct ca *ca, const struct request_answer *answer, struct err *e);
/* A request failed: what that says about account and CA beyond the request itself. generation: of
 * the account that signed it. Marks e if it was told by an event. */
void ca_failed(struct ca *ca, enum acme_place place, unsigned generation, struct err *e);
/* 429 or 503 with Retry-After, but not on a poll: new orders wait so long. */
void ca_pause(struct ca *ca, int status, const struct err *e);
