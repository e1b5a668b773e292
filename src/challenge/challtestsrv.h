/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names at the challenge test server, for dns01_challtestsrv.c.
 *
 * set-txt adds a value, clear-txt removes all values of a host. So a host is
 * cleared when the last value at it has been withdrawn, and not before: clearing
 * and setting the others again would take them away just when the CA may be
 * looking. A host has one call in flight at most.
 */
#pragma once

#include "acme/solver.h"
#include "base/queue.h"
#include "challenge/challenge.h"
#include "codec/uri.h"
#include "ev/op.h"

struct timer;

/* One presentation; its op is in flight while the CA may not be told yet. Owned by its host. */
struct challtestsrv_value {
	struct op op;
	TAILQ_ENTRY(challtestsrv_value) entry;
	struct challtestsrv_host *host;
	char *token;
	char *value;
	bool waiting; /* the CA may not be told yet */
	acme_presented_fn *done;
	void *arg;
};

/* One name. Lives until nothing is presented at it and the server has been told so. */
struct challtestsrv_host {
	TAILQ_ENTRY(challtestsrv_host) entry;
	struct challtestsrv *server;
	char *name;
	TAILQ_HEAD(, challtestsrv_value) values;
	struct op *call;
	struct challtestsrv_value *setting; /* NULL: the call clears, or that one is withdrawn */
	bool reporting; /* completions run, which may withdraw: the next step after them */
	bool dirty;     /* the server may have values */
	int clear_tries;
	struct timer *pause; /* before clearing is tried again */
};

struct challtestsrv {
	struct challenge base;
	struct http_client *http;
	struct uri set;
	struct uri clear;
	TAILQ_HEAD(, challtestsrv_host) hosts;
};

/* The name, made if it is not there and make is true; else NULL. */
struct challtestsrv_host *challtestsrv_host_find(
    struct challtestsrv *s, const char *name, bool make);
/* Starts what comes next at this name, if nothing is under way; may free it. */
void challtestsrv_host_advance(struct challtestsrv_host *h);
/* Without a word to the server or to anyone who waits. */
void challtestsrv_host_free(struct challtestsrv_host *h);
void challtestsrv_value_free(struct challtestsrv_value *v);
