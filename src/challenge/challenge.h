/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The challenge kinds of the configuration ([verification] type =), each a
 * solver for acme/. Adding a kind: one file, one row in the table of
 * challenge.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "acme/solver.h"
#include "base/err.h"
#include "challenge/dns01_conf.h"
#include "ev/loop.h"

struct challenge;
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
	/* For warnings that belong to no request (Host that is not the expected one, skipped
	 * listener); may be NULL. */
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
};

/* What each kind provides: one const table row in challenge.c. */
struct challenge_kind {
	const char *config_name; /* "http01" */
	bool wildcards;          /* can prove a wildcard */
	bool ip;                 /* can prove an IP address */
	/* Opens listeners. ERR_CONFIG. */
	struct challenge *(*new)(
	    struct loop *loop, const struct challenge_conf *conf, struct err *e);
	void (*free)(struct challenge *c);
};

/* Common head of each kind's own struct. */
struct challenge {
	struct acme_solver solver;
	const struct challenge_kind *kind;
	char *name;
	struct loop *loop;
	size_t active; /* presented and not yet withdrawn to the end */
	void (*idle)(void *arg);
	void *idle_arg;
	struct task idle_task; /* posted when active fell to 0 and someone waits for it */
};

/* "http01", "dns01-dnsUpdate", ... */
const char *challenge_type_name(enum challenge_type type);
/* ERR_CONFIG. conf is copied. */
struct challenge *challenge_new(
    struct loop *loop, const struct challenge_conf *conf, struct err *e);
void challenge_free(struct challenge *c); /* NULL is fine */
struct acme_solver *challenge_solver(struct challenge *c);
/* idle runs once, as soon as active is 0 (after this turn if it is so already): shutdown waits for
 * it. */
void challenge_on_idle(struct challenge *c, struct loop *loop, void (*idle)(void *arg), void *arg);

/* For the kinds: the head's members, and one presentation more or less. */
void challenge_head_init(struct challenge *c, struct loop *loop, const struct challenge_kind *kind,
    const struct challenge_conf *conf);
void challenge_head_done(struct challenge *c);
void challenge_begin(struct challenge *c);
void challenge_end(struct challenge *c);
