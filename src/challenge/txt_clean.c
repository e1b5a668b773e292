/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way of a TXT record out of its zone: deleted on each server that may have it, again and again
 * until the time for that is over. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err_slot.h"
#include "challenge/txt_private.h"
#include "dns/update.h"
#include "ev/timer.h"

enum {
	CLEAN_WAIT_MS = 1000, /* between tries; doubled up to the next */
	CLEAN_WAIT_MAX_MS = 16 * 1000,
};

void
txt_give_up(struct txt_record *r)
{
	char *text = xasprintf("a TXT record is left behind at %s in zone %s: %s", r->name, r->zone,
	    r->clean_error != NULL ? r->clean_error->detail : "no time left to delete it");

	txt_warn(r, text);
	free(text);
	r->touched = 0;
	txt_move(r, TXT_GONE);
}

enum txt_state
txt_enter_clean_turn(struct txt_record *r)
{
	if (r->touched == 0)
		return TXT_GONE;
	if (r->clean_until == 0) {
		r->clean_until = clock_mono_ms() + r->a->clean_ms;
		r->clean_wait = CLEAN_WAIT_MS;
	}
	return txt_take_turn(r) ? TXT_CLEAN : TXT_CLEAN_TURN;
}

static void
cleaned(void *arg, uint64_t touched, const struct err *e)
{
	struct txt_record *r = arg;

	txt_updated(r, e);
	if (e == NULL) {
		r->touched &= r->touched - 1;
		txt_move(r, TXT_CLEAN_TURN);
		return;
	}
	err_slot_set(&r->clean_error, e);
	txt_move(r, TXT_CLEAN_WAIT);
}

/* One server that may have it after the other. */
enum txt_state
txt_enter_clean(struct txt_record *r)
{
	dns_servers_done(&r->cleaned);
	dns_servers_append(&r->cleaned, &r->a->servers.items[txt_first_touched(r)]);
	dns_update_start(
	    &(struct dns_update){
		.client = r->a->client,
		.servers = &r->cleaned,
		.key = r->a->key,
		.timeout_ms = r->a->timeout_ms,
		.zone = r->zone,
		.name = r->name,
		.value = r->value,
		.add = false,
		.done = cleaned,
		.arg = r,
	    },
	    &r->step);
	return TXT_CLEAN;
}

enum txt_state
txt_enter_clean_wait(struct txt_record *r)
{
	int64_t left = r->clean_until - clock_mono_ms();

	timer_start(r->timer, r->clean_wait < left ? r->clean_wait : left);
	r->clean_wait *= 2;
	if (r->clean_wait > CLEAN_WAIT_MAX_MS)
		r->clean_wait = CLEAN_WAIT_MAX_MS;
	return TXT_CLEAN_WAIT;
}

void
txt_late_clean_wait(struct txt_record *r)
{
	if (clock_mono_ms() >= r->clean_until)
		txt_give_up(r);
	else
		txt_move(r, TXT_CLEAN_TURN);
}
