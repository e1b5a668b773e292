/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What struct account is made of, for its own files: account.c (the states),
 * account_files.c (what others changed on disk), account_pending.c (a key change
 * that was begun), account_found.c (what the CA says it is), account_wait.c (those
 * who wait for it).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acme/account.h"
#include "acme/registration.h"
#include "acme/request.h"
#include "base/file_stamp.h"
#include "base/queue.h"
#include "ev/loop.h"

struct account_waiter;

enum account_state {
	ACCOUNT_IDLE,
	ACCOUNT_FILES,  /* what is on disk, as it is now */
	ACCOUNT_LOCKED, /* another program changes the key */
	ACCOUNT_DIRECTORY,
	ACCOUNT_PENDING, /* whether the CA knows the key of a change that was begun */
	ACCOUNT_LOOKUP,
	ACCOUNT_REGISTER,
	ACCOUNT_UPDATE,
	ACCOUNT_READY,
	ACCOUNT_BACKOFF,
	ACCOUNT_REFUSED,
	ACCOUNT_STATE_COUNT
};

/* What to do about a deactivated account. */
extern const char account_gone[];

/* Looked at before an order begins. */
enum account_file { ACCOUNT_FILE_KEY, ACCOUNT_FILE_PENDING, ACCOUNT_FILE_REGISTRATION };
enum { ACCOUNT_FILES_COUNT = ACCOUNT_FILE_REGISTRATION + 1 };

TAILQ_HEAD(account_waiters, account_waiter);

struct account {
	struct ca *ca;
	enum account_state state;
	struct registration registration;
	struct file_stamp stamps[ACCOUNT_FILES_COUNT]; /* as last read or written */
	int lock;            /* of the directory, while pending is looked into; else -1 */
	struct key *pending; /* account.pem.new; NULL: there is none */
	bool pending_known;  /* the CA knows it, but not as the account on file */
	int64_t locked_since;
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

/* account.c. The only function that changes the state. */
void account_move(struct account *a, enum account_state next);
/* Keeps the reason, tells it, and says which state comes next. */
enum account_state account_failed(struct account *a, const struct err *cause);
/* For PLACE_ACCOUNT and PLACE_DIRECTORY, with a deadline. key: signs instead of the account's, or
 * NULL. */
void account_request(struct account *a, const struct request_conf *conf, request_done_fn *done);
/* newAccount with onlyReturnExisting. */
void account_lookup(struct account *a, const struct key *key, request_done_fn *done);
/* What follows from newAccount's success. */
enum account_state account_answered(
    struct account *a, const struct request_answer *answer, bool registered);
/* Before an order begins: looks at the CA again if the directory is a day old or doubted, or a file
 * has changed. */
void account_refresh(struct account *a);

/* account_files.c. Whether another program has changed a file since it was read or written. */
bool account_files_changed(const struct account *a);
void account_file_seen(struct account *a, enum account_file file); /* as it is now */
enum account_state account_enter_files(struct account *a);
enum account_state account_enter_locked(struct account *a);
/* Writes what registration records. */
bool account_write(struct account *a, struct err *e);
/* From now on this key signs. Takes it over. */
void account_use_key(struct account *a, struct key *key);
/* Ends what was begun for pending. */
void account_release(struct account *a);
/* Something on disk cannot be changed: the log has why, clients that it is so. */
void account_disk_err(struct account *a, const struct err *why, struct err *e);

/* account_pending.c */
enum account_state account_enter_pending(struct account *a);
/* The CA knows account.pem, so pending is nothing: drops it. */
void account_pending_lost(struct account *a);
/* It does not. Which state comes next, or the present one: go on without a key change. */
enum account_state account_pending_last(struct account *a);

/* account_found.c. newAccount answered with success: tells what is new, takes over URL and
 * contacts, saves. *ret_update: the contacts there are not those configured. False if it is no
 * account we can use. */
bool account_found(struct account *a, const struct request_answer *answer, bool registered,
    bool *ret_update, struct err *e);
/* These contacts are there now. */
void account_save_contacts(struct account *a, char *const *contacts, size_t count);
/* The CA has said of the account that it is so: "deactivated". */
void account_save_status(struct account *a, const char *status);
/* The key is another one. */
void account_save_key(struct account *a);

/* account_wait.c. In BACKOFF or REFUSED. */
bool account_asleep(const struct account *a);
/* READY or asleep has been reached: tells those who wait, after this turn. */
void account_serve_soon(struct account *a);
void account_forget_waiters(struct account *a);
