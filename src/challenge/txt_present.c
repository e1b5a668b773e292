/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a TXT record into its zone. */
#include <string.h>

#include "base/log.h"
#include "challenge/txt_private.h"
#include "dns/chase.h"
#include "dns/propagation.h"
#include "dns/update.h"
#include "dns/zone.h"

/* ---- chase ---- */

static void
chased(void *arg, const char *target, const struct err *e)
{
	struct txt_record *r = arg;

	if (target == NULL) {
		txt_fail(r, e);
		return;
	}
	if (strcmp(target, r->name) != 0)
		log_debug(NULL, "dns-01: %s leads to %s", r->owner, target);
	strcpy(r->name, target);
	txt_move(r, TXT_ZONE);
}

static void
choose_resolvers(struct txt_record *r)
{
	dns_servers_done(&r->resolvers);
	if (r->a->resolvers.count > 0)
		dns_servers_join(&r->resolvers, &r->a->resolvers);
	else
		dns_servers_system(&r->resolvers, r->a->resolv_conf);
}

enum txt_state
txt_enter_chase(struct txt_record *r)
{
	choose_resolvers(r);
	if (!dns_name_parse(r->owner, r->name)) {
		struct err e;

		err_set(&e, ERR_VALIDATION, "%.255s is too long for a domain name", r->owner);
		r->a->settled(r->a->arg, r, &e);
		r->wanted = false;
		return TXT_GONE;
	}
	if (!r->a->follow_cname)
		return TXT_ZONE;
	dns_chase_start(
	    &(struct dns_chase){
		.client = r->a->client,
		.resolvers = &r->resolvers,
		.servers = &r->a->servers,
		.zone = r->a->zone,
		.timeout_ms = r->a->timeout_ms,
		.name = r->name,
		.done = chased,
		.arg = r,
	    },
	    &r->step);
	return TXT_CHASE;
}

/* ---- zone ---- */

static void
zone_found(void *arg, const struct dns_zone *zone, const struct err *e)
{
	struct txt_record *r = arg;

	if (zone == NULL) {
		txt_fail(r, e);
		return;
	}
	if (zone->warning != NULL)
		txt_warn(r, zone->warning);
	strcpy(r->zone, zone->name);
	r->server = zone->server;
	txt_move(r, TXT_TURN);
}

static void
outside_zone(void *arg)
{
	struct txt_record *r = arg;
	struct err e;

	err_set(&e, ERR_CONFIG,
	    "%.255s is not in the configured zone %.255s: leave zone out, or make it the zone of "
	    "the name",
	    r->name, r->a->zone);
	txt_fail(r, &e);
}

enum txt_state
txt_enter_zone(struct txt_record *r)
{
	r->server = 0;
	if (r->a->zone != NULL && dns_name_within(r->name, r->a->zone)) {
		strcpy(r->zone, r->a->zone);
		return TXT_TURN;
	}
	if (r->a->zone != NULL) {
		task_post(r->a->loop, &r->advance, outside_zone, r);
		return TXT_ZONE;
	}
	dns_zone_find_start(
	    &(struct dns_zone_find){
		.client = r->a->client,
		.servers = &r->a->servers,
		.timeout_ms = r->a->timeout_ms,
		.name = r->name,
		.done = zone_found,
		.arg = r,
	    },
	    &r->step);
	return TXT_ZONE;
}

/* ---- turn ---- */

void
txt_late_turn(struct txt_record *r)
{
	struct err e;

	err_set(&e, ERR_BUSY, "other changes of %.255s are still going on", r->name);
	txt_fail(r, &e);
}

/* ---- update ---- */

enum txt_state
txt_enter_turn(struct txt_record *r)
{
	return txt_take_turn(r) ? TXT_UPDATE : TXT_TURN;
}

static void
updated(void *arg, uint64_t touched, const struct err *e)
{
	struct txt_record *r = arg;

	txt_updated(r, e);
	r->touched |= touched;
	if (e != NULL)
		txt_fail(r, e);
	else if (!r->wanted)
		txt_move(r, TXT_CLEAN_TURN);
	else
		txt_move(r, r->a->propagation_check ? TXT_PROPAGATE : TXT_PRESENT);
}

enum txt_state
txt_enter_update(struct txt_record *r)
{
	dns_update_start(
	    &(struct dns_update){
		.client = r->a->client,
		.servers = &r->a->servers,
		.first = r->server,
		.key = r->a->key,
		.timeout_ms = r->a->timeout_ms,
		.zone = r->zone,
		.name = r->name,
		.value = r->value,
		.add = true,
		.ttl = r->a->ttl,
		.done = updated,
		.arg = r,
	    },
	    &r->step);
	return TXT_UPDATE;
}

/* ---- propagate ---- */

static void
propagated(void *arg, const struct err *e)
{
	struct txt_record *r = arg;

	if (e != NULL)
		txt_fail(r, e);
	else
		txt_move(r, TXT_PRESENT);
}

static void
propagation_warns(void *arg, const char *text)
{
	txt_warn(arg, text);
}

enum txt_state
txt_enter_propagate(struct txt_record *r)
{
	dns_propagation_start(
	    &(struct dns_propagation){
		.client = r->a->client,
		.resolvers = &r->resolvers,
		.servers = &r->a->servers,
		.server = txt_first_touched(r),
		.zone = r->zone,
		.name = r->name,
		.value = r->value,
		.timeout_ms = r->a->timeout_ms,
		.total_ms = r->a->propagation_ms,
		.warn = propagation_warns,
		.done = propagated,
		.arg = r,
	    },
	    &r->step);
	return TXT_PROPAGATE;
}

/* ---- present ---- */

enum txt_state
txt_enter_present(struct txt_record *r)
{
	r->a->settled(r->a->arg, r, NULL);
	return TXT_PRESENT;
}
