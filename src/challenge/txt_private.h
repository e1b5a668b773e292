/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TXT record from the inside: the machine is in txt_record.c, the way into the zone in
 * txt_present.c, the way out in txt_clean.c. */
#pragma once

#include <stdint.h>

#include "challenge/txt_record.h"
#include "dns/name.h"
#include "ev/loop.h"

struct op;
struct timer;

enum txt_state {
	TXT_NEW,
	TXT_CHASE,
	TXT_ZONE,
	TXT_TURN,
	TXT_UPDATE,
	TXT_PROPAGATE,
	TXT_PRESENT,
	TXT_CLEAN_TURN,
	TXT_CLEAN,
	TXT_CLEAN_WAIT,
	TXT_GONE,
	TXT_STATE_COUNT
};

struct txt_record {
	TAILQ_ENTRY(txt_record) turn;
	struct txt_zone_access *a;
	void *user;
	char *owner; /* before following CNAME records */
	char *value;
	enum txt_state state;
	unsigned moves;
	bool wanted;
	bool queued; /* in a->turns */
	struct dns_servers resolvers;
	char name[DNS_NAME_TEXT]; /* where it really is */
	char zone[DNS_NAME_TEXT];
	size_t server;              /* to be tried first */
	uint64_t touched;           /* servers that may have the record */
	struct dns_servers cleaned; /* the one being asked to delete */
	int64_t clean_until;        /* 0: cleaning has not begun */
	int64_t clean_wait;
	struct err *clean_error;
	struct op *step;
	struct timer *timer;
	struct task advance;
	enum txt_state advance_to;
};

/* The one door to another state. */
void txt_move(struct txt_record *r, enum txt_state to);
/* The same after this turn. */
void txt_move_later(struct txt_record *r, enum txt_state to);
void txt_warn(const struct txt_record *r, const char *text);
void txt_updated(const struct txt_record *r, const struct err *e);
/* Tells who wants it, and cleans up. */
void txt_fail(struct txt_record *r, const struct err *e);
/* Changes at one name come one after the other: queues, and tells whether it is the first. The turn
 * is left by moving to a state that does not keep it. */
bool txt_take_turn(struct txt_record *r);
/* The first of the servers that may have the record. */
size_t txt_first_touched(const struct txt_record *r);

enum txt_state txt_enter_chase(struct txt_record *r);
enum txt_state txt_enter_zone(struct txt_record *r);
enum txt_state txt_enter_turn(struct txt_record *r);
void txt_late_turn(struct txt_record *r);
enum txt_state txt_enter_update(struct txt_record *r);
enum txt_state txt_enter_propagate(struct txt_record *r);
enum txt_state txt_enter_present(struct txt_record *r);

enum txt_state txt_enter_clean_turn(struct txt_record *r);
enum txt_state txt_enter_clean(struct txt_record *r);
enum txt_state txt_enter_clean_wait(struct txt_record *r);
void txt_late_clean_wait(struct txt_record *r);
void txt_give_up(struct txt_record *r);
