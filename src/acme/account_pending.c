/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A key change (RFC 8555 7.3.5) that was begun and whose end is not known: the
 * program was killed, or the CA's answer was lost. The CA is asked which key it
 * knows, and the change is finished or dropped, before anything else is done with
 * the account. The lock is held meanwhile.
 */
#include <string.h>

#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "acme/key_file.h"

/* Its files are as they have to be. */
static enum account_state
pending_finish(struct account *a, enum account_state next)
{
	struct err why, e;
	struct key *key = a->pending;

	if (!key_file_finish(a->ca->conf.dir, &why)) {
		account_disk_err(a, &why, &e);
		return account_failed(a, &e);
	}
	a->pending = NULL;
	account_use_key(a, key);
	account_file_seen(a, ACCOUNT_FILE_KEY);
	account_file_seen(a, ACCOUNT_FILE_PENDING);
	ca_event(a->ca, CA_EVENT_KEY_FINISHED, NULL, NULL);
	return next;
}

static void
pending_end(struct account *a, bool keep)
{
	const char *dir = a->ca->conf.dir;
	struct err e;
	bool ok = keep ? key_file_set_aside(dir, &e) : key_file_drop(dir, &e);

	if (ok)
		ca_event(a->ca, CA_EVENT_KEY_DROPPED,
		    keep ? KEY_FILE_PENDING " is " KEY_FILE_UNUSED " now" : NULL, NULL);
	else
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &e);
	account_file_seen(a, ACCOUNT_FILE_PENDING);
	account_release(a);
}

/* A key the CA knows is the key of some account of ours: that is not thrown away. */
void
account_pending_lost(struct account *a)
{
	if (a->pending != NULL)
		pending_end(a, a->pending_known);
}

enum account_state
account_pending_last(struct account *a)
{
	if (a->pending == NULL)
		return a->state;
	if (a->pending_known)
		return pending_finish(a, ACCOUNT_DIRECTORY);
	/* It may be known to another CA, where the change was begun. */
	pending_end(a, true);
	return a->state;
}

/* ---- asking for it ---- */

static bool
is_the_account(const struct account *a, const struct request_answer *answer)
{
	const char *uri = a->registration.uri;

	return uri == NULL || answer->location == NULL || strcmp(uri, answer->location) == 0;
}

static enum account_state
pending_answered(struct account *a, const struct request_answer *answer, const struct err *e)
{
	enum account_state next;

	if (e == NULL && is_the_account(a, answer)) {
		next = pending_finish(a, ACCOUNT_READY);
		return next == ACCOUNT_READY ? account_answered(a, answer, false) : next;
	}
	/* A refusal that is none of the key's says nothing of it. */
	if (e != NULL && e->kind != ERR_ACCOUNT)
		return account_failed(a, e);
	a->pending_known = e == NULL || e->problem == PROBLEM_UNAUTHORIZED;
	return ACCOUNT_LOOKUP;
}

static void
pending_looked_up(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;

	account_move(a, pending_answered(a, answer, e));
}

enum account_state
account_enter_pending(struct account *a)
{
	account_lookup(a, a->pending, pending_looked_up);
	return ACCOUNT_PENDING;
}
