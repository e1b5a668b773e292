/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A small authoritative server on top of a peer: records that are given, and
 * TXT records that UPDATE adds and deletes.
 */
#pragma once

#include "peer.h"

enum { MODEL_RECORDS = 32, MODEL_DYNAMIC = 64 };

struct model;

/* True: the test has answered (or not) itself. */
typedef bool model_hook(void *arg, struct model *m, const struct peer_query *q);

struct model {
	struct peer *peer;
	const char *zones[4];               /* apexes; others are refused */
	const char *records[MODEL_RECORDS]; /* "OWNER TYPE DATA", names with a final dot */
	struct {
		char name[256];
		char value[64];
	} dynamic[MODEL_DYNAMIC];
	size_t dynamic_count;
	unsigned adds, deletes;
	const struct tsig_key *key; /* signs answers; unsigned updates are refused */
	model_hook *hook;
	void *arg;
};

/* False: this machine lacks the address, or the port is taken. */
bool model_start(struct model *m, struct loop *loop, const char *address, uint16_t port);
void model_stop(struct model *m);
bool model_has(const struct model *m, const char *name, const char *value);
size_t model_count(const struct model *m, const char *name);
/* What the server does without a hook. */
void model_serve(struct model *m, const struct peer_query *q);
