/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TXT value at one name, brought into its zone by dynamic UPDATE and taken
 * out again: chase -> zone -> turn -> update -> propagate -> present, then
 * clean -> gone, which success and failure both pass through.
 *
 * Whoever made a record sets whether it is wanted; the record frees itself
 * after it told that it is gone. An UPDATE in flight is never abandoned: only
 * its outcome tells whether there is something to take away.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/queue.h"
#include "dns/server.h"

struct dns_client;
struct loop;
struct tsig_key;
struct txt_record;

/* What all records of a verification block share; owned by the block, outlives the records. */
struct txt_zone_access {
	struct loop *loop;
	struct dns_client *client;
	struct dns_servers servers;   /* dns-server */
	struct dns_servers resolvers; /* resolver; none: those of resolv_conf */
	const char *resolv_conf;      /* path */
	const struct tsig_key *key;   /* NULL: unsigned */
	const char *zone;             /* NULL: found by SOA */
	uint32_t ttl;
	int64_t timeout_ms; /* of a step, for each server */
	bool follow_cname;
	bool propagation_check;
	int64_t propagation_ms;
	int64_t clean_ms; /* how long deleting is tried */

	void (*warn)(void *arg, const char *text);
	/* e is NULL when the record is served; otherwise it failed and is not wanted any more. Not
	 * called for a record that is not wanted. */
	void (*settled)(void *arg, struct txt_record *r, const struct err *e);
	/* Nothing is left of it; the pointer is void after the call. */
	void (*gone)(void *arg, struct txt_record *r);
	/* An update was answered, or not: e says why not. May be NULL. */
	void (*updated)(void *arg, const struct err *e);
	void *arg;

	/* Those that change something or wait for it, in order of arrival: of each name the first
	 * one has its turn. */
	TAILQ_HEAD(txt_turns, txt_record) turns;
};

void txt_zone_access_init(struct txt_zone_access *a);

/* Starts it, wanted, after this turn. owner and value are copied; user is the caller's. */
struct txt_record *txt_record_new(
    struct txt_zone_access *a, const char *owner, const char *value, void *user);
/* No longer wanted: is taken away. Wanted again while that goes on: comes back afterwards. */
void txt_record_want(struct txt_record *r, bool wanted);
bool txt_record_presented(const struct txt_record *r);
/* That value at that owner. */
bool txt_record_is(const struct txt_record *r, const char *owner, const char *value);
void *txt_record_user(const struct txt_record *r);
/* At once, leaving behind what is there. */
void txt_record_abandon(struct txt_record *r);
