/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err_slot.h"
#include "codec/date.h"
#include "ev/timer.h"
#include "issue/desk_private.h"
#include "issue/failure_text.h"
#include "issue/store.h"

enum { TIMEOUT_RETRY_S = 10 };

static void
free_now(void *arg)
{
	struct sign *s = arg;

	timer_free(s->timer);
	csr_free(s->csr);
	free(s->due.pem);
	free(s->body);
	free(s->block);
	free(s->profile);
	free(s->peer);
	free(s->names);
	free(s->asked.key);
	free(s->asked.names);
	err_slot_clear(&s->error);
	free(s);
}

/* Off every list, and nothing of it is in flight any more. */
static void
leave(struct sign *s)
{
	TAILQ_REMOVE(s->job == NULL ? &s->desk->signs : &s->job->waiters, s, entry);
	task_cancel(&s->task);
	timer_stop(s->timer);
	op_cancel(&s->lookup);
	grounds_release(s->grounds);
	loop_dispose(s->desk->loop, free_now, s);
}

static void
count(struct desk_stats *stats, const struct sign_result *result, const struct err *e)
{
	if (e != NULL)
		stats->failed[e->kind]++;
	else if (result->renewal_failed != NULL)
		stats->renewals_failed++;
	else if (result->cached)
		stats->cached++;
	else
		stats->issued++;
}

static void
finish(struct sign *s, const struct sign_result *result, const struct err *e)
{
	count(&s->desk->stats, result, e);
	leave(s);
	op_end(&s->op);
	s->done(s->arg, result, e);
}

void
sign_drop(struct sign *s)
{
	leave(s);
	if (s->op.slot != NULL)
		op_end(&s->op);
}

/* ---- the audit ---- */

void
sign_audit_redelivered(const struct sign *s, const char *serial)
{
	audit_tell(AUDIT_REDELIVERED,
	    &(struct audit){
		.who = &s->log,
		.key = s->asked.key,
		.names = s->asked.names,
		.serial = serial,
	    });
}

void
sign_audit_refused(const struct sign *s, const char *rule, const struct err *e)
{
	/* Then it gets a certificate all the same. */
	if (sign_has_stand_in(s, e))
		return;
	audit_refusal(AUDIT_REFUSED,
	    &(struct audit){
		.who = &s->log,
		.key = s->asked.key,
		.names = s->asked.names,
		.rule = rule,
	    },
	    e);
}

/* ---- the answer ---- */

void
sign_answer(struct sign *s, const char *pem, size_t pem_len, bool cached)
{
	struct sign_result result = {.pem = pem, .pem_len = pem_len, .cached = cached};

	if (s->store->kind->keeps)
		s->store->kind->touch(s->store, s->digest, clock_wall(), s->peer);
	finish(s, &result, NULL);
}

/* The CA, a name server or we are the reason; never a failed validation or a refusal. */
static bool
may_stand_in(enum err_kind kind)
{
	switch (kind) {
	case ERR_UNREACHABLE:
	case ERR_UPSTREAM:
	case ERR_RATE_LIMITED:
	case ERR_ACCOUNT:
	case ERR_INTERNAL:
	case ERR_CONFIG:
	case ERR_BUSY:
	case ERR_TIMEOUT:
		return true;
	case ERR_NONE:
	case ERR_BAD_REQUEST:
	case ERR_FORBIDDEN:
	case ERR_NOT_FOUND:
	case ERR_METHOD:
	case ERR_NO_LENGTH:
	case ERR_TOO_LARGE:
	case ERR_BAD_CSR:
	case ERR_VALIDATION:
	case ERR_CANCELLED:
	case ERR_KIND_COUNT:
		break;
	}
	return false;
}

static void
answer_with_due(struct sign *s, const struct err *e)
{
	char until[DATE_TEXT];
	struct sign_result result = {
	    .pem = s->due.pem,
	    .pem_len = s->due.pem_len,
	    .cached = true,
	    .renewal_failed = e->detail,
	};

	log_error(&s->log,
	    "renewal failed, the stored certificate (valid until %s) is given out: %s",
	    date_format_rfc3339(s->due.not_after, until), e->detail);
	sign_audit_redelivered(s, s->due.serial);
	finish(s, &result, NULL);
}

bool
sign_has_stand_in(const struct sign *s, const struct err *e)
{
	return s->due.pem != NULL && s->due.not_after > clock_wall() && may_stand_in(e->kind);
}

static void
forget_due(struct signs *signs, const char *serial)
{
	struct sign *s;

	TAILQ_FOREACH (s, signs, entry) {
		if (s->due.pem == NULL || strcmp(s->due.serial, serial) != 0)
			continue;
		free(s->due.pem);
		s->due.pem = NULL;
	}
}

void
signs_forget_due(struct desk *d, const char *serial)
{
	struct desk_job *dj;

	forget_due(&d->signs, serial);
	TAILQ_FOREACH (dj, &d->jobs, entry)
		forget_due(&dj->waiters, serial);
}

void
sign_fail(struct sign *s, const struct err *e)
{
	struct err told = *e;

	if (sign_has_stand_in(s, e)) {
		answer_with_due(s, e);
		return;
	}
	failure_text(&told, FAILURE_OF_CSR, s->names != NULL ? s->names : "");
	finish(s, NULL, &told);
}

/* ---- time ---- */

/* What the CA has said so far is more use to a client than that it took long. */
static void
why_so_long(const struct sign *s, struct err *e)
{
	const struct err *known = s->job == NULL ? NULL : job_challenge_error(s->job->job);

	if (known != NULL) {
		*e = *known;
		e->kind = ERR_VALIDATION;
	} else {
		err_set(e, ERR_TIMEOUT, "not issued within %lld s, but the order goes on",
		    (long long)(s->grounds->timeout_ms / 1000));
	}
	e->retry_after = TIMEOUT_RETRY_S;
}

void
sign_timed_out(void *arg)
{
	struct sign *s = arg;
	struct err e;

	why_so_long(s, &e);
	log_warning(&s->log, "timed out: %s", e.detail);
	sign_fail(s, &e);
}
