/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The propagation check from the inside: how it begins and ends is in propagation.c, asking the
 * servers in propagation_poll.c. */
#pragma once

#include "dns/propagation.h"
#include "ev/op.h"

struct timer;
struct watch;

enum { WATCH_TARGETS_MAX = 32 };

enum target_state {
	TARGET_UNKNOWN, /* not answered yet */
	TARGET_SERVES,
	TARGET_LAGS, /* authoritative, without our value */
	TARGET_LAME, /* lame or not reached */
};

/* One address of one name server. */
struct target {
	struct watch *w;
	size_t authority; /* addresses with the same number are one server */
	struct dns_servers server;
	enum target_state state;
	struct err error; /* of TARGET_LAME */
	int64_t delay_ms;
	struct op *question;
	struct timer *timer;
};

struct watch {
	struct op op;
	struct dns_propagation p;
	char *zone, *name, *value;
	struct target targets[WATCH_TARGETS_MAX];
	size_t target_count;
	size_t authority_count;
	char *without_address; /* a line about name servers that have none */
	bool fallback;         /* the update server itself is among the targets */
	struct op *authorities;
	struct timer *deadline, *patience;
};

/* One address more; NULL: there are too many. */
struct target *watch_add_target(struct watch *w, const struct dns_server *server, size_t authority);
bool watch_has_target(const struct watch *w, const struct dns_server *s);
/* Nobody else can be asked: the server that took the update has to vouch for it. */
void watch_add_fallback(struct watch *w);
/* Asks one target (its address is the argument: it is a timer's function too). */
void watch_poll(void *target);

/* Of those passed over, one line each. */
void watch_warn_passed_over(const struct watch *w);
void watch_finish(struct watch *w, const struct err *e);
