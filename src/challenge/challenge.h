/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The challenge kinds of the configuration ([verification] type =), each a
 * solver for acme/. Adding a kind: one file, one row in the table of
 * challenge.c.
 *
 * A challenge is counted: the configuration that has it holds it, and so does
 * every job that began with it. Without a holder it ends as soon as nothing is
 * presented any more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "acme/solver.h"
#include "base/err.h"
#include "base/queue.h"
#include "challenge/dns01_conf.h"
#include "ev/loop.h"

struct challenge;
struct challenges;
struct http_client;

enum challenge_type {
	CHALLENGE_HTTP01,
	CHALLENGE_DNS01_UPDATE,
	CHALLENGE_DNS01_SERVER,
	CHALLENGE_DNS01_CHALLTESTSRV,
	CHALLENGE_TYPE_COUNT
};

struct challenge_http01_conf {
	char **listeners; /* as written */
	size_t listener_count;
	bool default_listeners; /* nothing was configured: a family the machine lacks is skipped */
	const char *greeting;   /* a constant: what GET / is answered with; NULL: 404 */
};

/* What the challenges of a type have counted; see challenges_stats. */
struct challenge_stats {
	uint64_t presented;
	uint64_t answered; /* fetched from us by somebody, mostly a CA */
	uint64_t updates_done;
	uint64_t updates_failed; /* DNS updates */
};

struct challenge_conf {
	const char *name; /* of the verification block */
	enum challenge_type type;
	union {
		struct challenge_http01_conf http01;
		struct challenge_dns01_update_conf dns01_update;
		struct challenge_dns01_server_conf dns01_server;
		struct challenge_challtestsrv_conf challtestsrv;
	};
	struct http_client *http; /* borrowed; for kinds that speak HTTP to someone */
};

/* What each kind provides: one const table row in challenge.c. */
struct challenge_kind {
	const char *config_name; /* "http01" */
	bool wildcards;          /* can prove a wildcard */
	bool ip;                 /* can prove an IP address */
	/* Opens listeners. ERR_CONFIG. */
	struct challenge *(*new)(
	    struct challenges *all, const struct challenge_conf *conf, struct err *e);
	/* NULL where there are no listeners; see challenge_serve. */
	bool (*serve)(struct challenge *c, bool take, struct err *e);
	void (*free)(struct challenge *c);
};

/* Common head of each kind's own struct. */
struct challenge {
	struct acme_solver solver;
	const struct challenge_kind *kind;
	char *name;
	struct loop *loop;
	struct challenges *all;
	TAILQ_ENTRY(challenge) entry;
	size_t holders; /* beyond the first */
	size_t active;  /* presented and not yet withdrawn to the end */
	bool unheld;    /* ends once nothing is presented */
	struct task end_task;
	struct challenge_stats *stats; /* of its type */
};

/* "http01", "dns01-dnsUpdate", ... */
const char *challenge_type_name(enum challenge_type type);
/* Opens listeners; nothing is accepted yet. ERR_CONFIG. conf is copied. The caller holds it. */
struct challenge *challenge_new(
    struct challenges *all, const struct challenge_conf *conf, struct err *e);
struct challenge *challenge_hold(struct challenge *c); /* one holder more */
void challenge_free(struct challenge *c);              /* one holder less; NULL is fine */
/* Serves on its listeners. take: also on those that serve another challenge, or something else, by
 * now; otherwise only where nobody serves. */
bool challenge_serve(struct challenge *c, bool take, struct err *e);
void challenge_rename(struct challenge *c, const char *name);
struct acme_solver *challenge_solver(struct challenge *c);

/* For the kinds: the head's members, one presentation more or less, and what belongs to no request
 * but should be told (Host that is not the expected one, skipped listener). */
void challenge_head_init(struct challenge *c, struct challenges *all,
    const struct challenge_kind *kind, const struct challenge_conf *conf);
void challenge_head_done(struct challenge *c);
void challenge_warn(const struct challenge *c, const char *text);
void challenge_begin(struct challenge *c);
void challenge_end(struct challenge *c);
