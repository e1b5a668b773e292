/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What struct account is made of, for its own files: account.c (the states), account_found.c (what
 * the CA says it is), account_wait.c (those who wait for it). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acme/account.h"
#include "acme/registration.h"
#include "base/queue.h"
#include "ev/loop.h"

struct account_waiter;
struct request_answer;

enum account_state {
	ACCOUNT_IDLE,
	ACCOUNT_DIRECTORY,
	ACCOUNT_LOOKUP,
	ACCOUNT_REGISTER,
	ACCOUNT_UPDATE,
	ACCOUNT_READY,
	ACCOUNT_BACKOFF,
	ACCOUNT_REFUSED,
	ACCOUNT_STATE_COUNT
};

TAILQ_HEAD(account_waiters, account_waiter);

struct account {
	struct ca *ca;
	enum account_state state;
	struct registration registration;
	struct account_waiters waiters;
	struct op *step;
	struct timer *timer;
	unsigned moves; /* since a state that lasts */
	struct task task;
	unsigned generation;
	unsigned failures; /* since it was ready */
	struct err error;  /* of the last failure */
	int64_t retry_at;  /* in BACKOFF and REFUSED */
	int64_t doubted;   /* when it was last looked for because of a doubt; 0: never */
	unsigned registrations;
	int64_t registered;
	bool profile_told;
};

/* account.c. Fetches the directory anew if it is a day old, or doubted. */
void account_refresh(struct account *a);

/* account_found.c. newAccount answered with success: tells what is new, takes over URL and
 * contacts, saves. *ret_update: the contacts there are not those configured. False if it is no
 * account we can use. */
bool account_found(struct account *a, const struct request_answer *answer, bool registered,
    bool *ret_update, struct err *e);
/* The configured contacts are there now. */
void account_save_contacts(struct account *a);

/* account_wait.c. In BACKOFF or REFUSED. */
bool account_asleep(const struct account *a);
/* READY or asleep has been reached: tells those who wait, after this turn. */
void account_serve_soon(struct account *a);
void account_forget_waiters(struct account *a);
