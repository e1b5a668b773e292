/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name with TXT values. A record is one presentation: equal values are served
 * once, and for as long as one of them is there. A name owns its records.
 */
#pragma once

#include <ldns/ldns.h>
#include <stddef.h>

#include "base/err.h"
#include "base/queue.h"
#include "ev/loop.h"

typedef void responder_fetched_fn(void *arg);

struct responder_record {
	TAILQ_ENTRY(responder_record) entry; /* equal values stand side by side */
	struct responder_name *name;
	ldns_rdf *value; /* one character-string */
	responder_fetched_fn *fetched;
	void *arg;
	struct task task; /* posted: fetched is due */
};

struct responder_name {
	ldns_rdf *owner;
	TAILQ_HEAD(, responder_record) records;
	size_t count;
};

struct responder_name *responder_name_new(ldns_rdf *owner); /* takes owner over */
void responder_name_free(struct responder_name *name);
/* NULL: ERR_INTERNAL for a value that is too long, ERR_BUSY when there are too many already. */
struct responder_record *responder_name_add(struct responder_name *name, const char *value,
    responder_fetched_fn *fetched, void *arg, struct err *e);
void responder_name_remove(struct responder_record *record);
/* Posts the callbacks of all its records: its values were just served. */
void responder_name_fetched(struct loop *loop, struct responder_name *name);
