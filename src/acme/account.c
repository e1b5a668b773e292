/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/account.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/account_json.h"
#include "acme/ca_private.h"
#include "acme/registration.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

enum {
	REQUEST_MS = 60 * 1000,
	BACKOFF_MAX_S = 60,
	RETRY_AFTER_MAX_S = 3600,
	REFUSED_S = 600,
	REGISTER_EVERY_MS = 600 * 1000,
	DOUBT_MS = 5 * 1000, /* checked a moment ago: a doubt is not worth another look */
	DOUBT_MILDLY_MS = 600 * 1000,
};

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

struct waiter {
	struct op op;
	TAILQ_ENTRY(waiter) entry;
	struct account *account;
	account_done_fn *done;
	void *arg;
};
TAILQ_HEAD(waiters, waiter);

struct account {
	struct ca *ca;
	enum account_state state;
	struct registration registration;
	struct waiters waiters;
	struct op *step;
	struct timer *timer;
	struct task task;
	unsigned generation;
	unsigned failures; /* since it was ready */
	struct err error;  /* of the last failure */
	int64_t retry_at;  /* in BACKOFF and REFUSED */
	int64_t checked;   /* when it became ready */
	unsigned registrations;
	int64_t registered;
	bool profile_told;
};

static enum account_state enter_stay(struct account *a);
static enum account_state enter_directory(struct account *a);
static enum account_state enter_lookup(struct account *a);
static enum account_state enter_register(struct account *a);
static enum account_state enter_update(struct account *a);
static enum account_state enter_ready(struct account *a);
static enum account_state enter_backoff(struct account *a);
static enum account_state enter_refused(struct account *a);
static void account_serve(void *arg);

/* Requests bring their own deadlines; BACKOFF and REFUSED arm the timer by what failed. */
static const struct {
	const char *name;
	enum account_state expired; /* when the timer fires */
	enum account_state (*enter)(struct account *a);
} states[] = {
    [ACCOUNT_IDLE] = {"idle", ACCOUNT_IDLE, enter_stay},
    [ACCOUNT_DIRECTORY] = {"directory", ACCOUNT_DIRECTORY, enter_directory},
    [ACCOUNT_LOOKUP] = {"lookup", ACCOUNT_LOOKUP, enter_lookup},
    [ACCOUNT_REGISTER] = {"register", ACCOUNT_REGISTER, enter_register},
    [ACCOUNT_UPDATE] = {"update", ACCOUNT_UPDATE, enter_update},
    [ACCOUNT_READY] = {"ready", ACCOUNT_READY, enter_ready},
    [ACCOUNT_BACKOFF] = {"back-off", ACCOUNT_DIRECTORY, enter_backoff},
    [ACCOUNT_REFUSED] = {"refused", ACCOUNT_DIRECTORY, enter_refused},
};
static_assert(sizeof(states) / sizeof(states[0]) == ACCOUNT_STATE_COUNT, "one row per state");

/* The only place that changes the state. No bound on the moves is needed: each cycle passes through
 * a request, and failures through a timer. */
static void
account_move(struct account *a, enum account_state next)
{
	while (next != a->state) {
		op_cancel(&a->step);
		timer_stop(a->timer);
		log_debug(NULL, "account at %s: %s -> %s", a->ca->host, states[a->state].name,
		    states[next].name);
		a->state = next;
		next = states[next].enter(a);
	}
}

static void
account_timer(void *arg)
{
	struct account *a = arg;

	account_move(a, states[a->state].expired);
}

static enum account_state
enter_stay(struct account *a)
{
	return a->state;
}

static bool
temporary(enum err_kind kind)
{
	return kind == ERR_UNREACHABLE || kind == ERR_UPSTREAM || kind == ERR_RATE_LIMITED;
}

/* Told once for each new reason: the attempts go on every minute. */
static enum account_state
account_failed(struct account *a, const struct err *cause)
{
	struct err e = *cause;

	if (e.kind == ERR_TIMEOUT)
		e.kind = ERR_UNREACHABLE;
	if (a->failures == 0 || a->error.kind != e.kind || a->error.problem != e.problem)
		ca_event(a->ca, CA_EVENT_FAILED, NULL, &e);
	a->failures++;
	a->error = e;
	return temporary(e.kind) ? ACCOUNT_BACKOFF : ACCOUNT_REFUSED;
}

static void
account_request(struct account *a, enum request_mode mode, enum acme_place place, const char *url,
    const char *payload, request_done_fn *done)
{
	struct request_conf conf = {
	    .mode = mode,
	    .place = place,
	    .url = url,
	    .payload = payload,
	    .deadline = clock_mono_ms() + REQUEST_MS,
	};

	request_start(a->ca, &conf, done, a, &a->step);
}

/* ---- directory ---- */

static void directory_fetched(void *arg, const struct request_answer *answer, const struct err *e);

static enum account_state
enter_directory(struct account *a)
{
	account_request(
	    a, REQUEST_GET, PLACE_DIRECTORY, a->ca->conf.directory_url, NULL, directory_fetched);
	return ACCOUNT_DIRECTORY;
}

/* A missing default profile fails the orders that would use it, not the account. */
static void
account_check_profile(struct account *a)
{
	struct err e;
	bool offered = a->ca->conf.profile == NULL ||
	    directory_offers(&a->ca->directory, a->ca->conf.profile, &e);

	if (!offered && !a->profile_told)
		ca_event(a->ca, CA_EVENT_FAILED, NULL, &e);
	a->profile_told = !offered;
}

static void
directory_fetched(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;
	struct ca *ca = a->ca;
	struct err bad;

	if (e == NULL &&
	    !directory_read(&ca->directory, answer->body, answer->body_len, ca->uri.https,
		clock_mono_ms(), &bad)) {
		err_prefix(&bad, "directory of %s", ca->host);
		e = &bad;
	}
	if (e != NULL) {
		account_move(a, account_failed(a, e));
		return;
	}
	account_check_profile(a);
	account_move(a, ACCOUNT_LOOKUP);
}

/* ---- what newAccount answered ---- */

static bool
account_location(struct account *a, const struct request_answer *answer, char **ret, struct err *e)
{
	struct uri uri;
	const char *url = answer->location != NULL ? answer->location : a->registration.uri;

	if (url == NULL)
		return err_set(e, ERR_UPSTREAM, "account: %s gave no URL for it", a->ca->host);
	if (!uri_parse(url, strlen(url), &uri, e)) {
		e->kind = ERR_UPSTREAM;
		return err_prefix(e, "account: %s gave an unusable URL", a->ca->host);
	}
	*ret = xstrdup(url);
	return true;
}

static bool
account_alive(const struct account *a, const struct acme_account_object *object, struct err *e)
{
	if (object->status != ACME_STATUS_DEACTIVATED && object->status != ACME_STATUS_REVOKED)
		return true;
	return err_set(e, ERR_ACCOUNT,
	    "account: %s says it is %s, for good; a new one needs another account.pem", a->ca->host,
	    acme_status_name(object->status));
}

/* What the CA says of contacts counts; one that says nothing (Let's Encrypt keeps none) has those
 * we last sent. */
static bool
account_contacts_right(const struct account *a, const struct json *theirs)
{
	const struct ca_conf *conf = &a->ca->conf;

	if (conf->contact_count == 0)
		return true;
	if (json_array_count(theirs) == 0)
		theirs = registration_contacts(&a->registration);
	return account_contacts_equal(conf, theirs);
}

static void
account_save(struct account *a, const char *url, const struct json *contacts)
{
	struct err e;

	if (!registration_save(&a->registration, url, key_jwk(a->ca->key), contacts, &e))
		ca_event(a->ca, CA_EVENT_FAILED, NULL, &e);
}

static void
account_tell(struct account *a, const char *url, bool registered)
{
	const char *old = a->registration.uri;
	char *both;

	if (registered) {
		ca_event(a->ca, CA_EVENT_REGISTERED, url, NULL);
	} else if (old != NULL && strcmp(old, url) != 0) {
		both = xasprintf("%s, before: %s", url, old);
		ca_event(a->ca, CA_EVENT_MOVED, both, NULL);
		free(both);
	} else if (a->generation == 0) {
		ca_event(a->ca, CA_EVENT_FOUND, url, NULL);
	}
	if (registered || a->generation == 0 || old == NULL || strcmp(old, url) != 0)
		a->generation++;
}

static enum account_state
account_known(struct account *a, const struct request_answer *answer, bool registered)
{
	struct acme_account_object object = {0};
	const struct json *contacts;
	struct json *sent = NULL;
	enum account_state next;
	char *url;
	struct err e;

	/* A body that is empty or nonsense takes nothing from what the Location says. */
	bool parsed = acme_account_parse(answer->body, answer->body_len, &object, NULL);
	if (!account_alive(a, &object, &e) || !account_location(a, answer, &url, &e)) {
		next = account_failed(a, &e);
		goto out;
	}
	contacts = parsed ? json_member(object.body, "contact") : NULL;
	if (registered && json_array_count(contacts) == 0)
		contacts = sent = account_contacts(&a->ca->conf);
	next = account_contacts_right(a, contacts) ? ACCOUNT_READY : ACCOUNT_UPDATE;
	account_tell(a, url, registered);
	account_save(a, url, json_array_count(contacts) > 0 ? contacts : NULL);
	json_free(sent);
	free(url);
out:
	if (parsed)
		acme_account_object_done(&object);
	return next;
}

/* ---- look-up ---- */

static void
looked_up(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;

	if (e == NULL)
		account_move(a, account_known(a, answer, false));
	else if (e->problem == PROBLEM_ACCOUNT_DOES_NOT_EXIST)
		account_move(a, ACCOUNT_REGISTER);
	else
		account_move(a, account_failed(a, e));
}

static enum account_state
enter_lookup(struct account *a)
{
	char *payload = account_lookup_payload();

	account_request(a, REQUEST_SIGNED_JWK, PLACE_ACCOUNT, a->ca->directory.object.new_account,
	    payload, looked_up);
	free(payload);
	return ACCOUNT_LOOKUP;
}

/* ---- registration ---- */

static void
registered(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;

	if (e != NULL) {
		account_move(a, account_failed(a, e));
		return;
	}
	a->registrations++;
	a->registered = clock_mono_ms();
	account_move(a, account_known(a, answer, true));
}

/* The registration at start does not count: what this guards against is a CA that forgets the
 * account again and again. */
static bool
account_may_register(const struct account *a, struct err *e)
{
	int64_t wait = a->registered + REGISTER_EVERY_MS - clock_mono_ms();

	if (a->registrations < 2 || wait <= 0)
		return true;
	err_set(e, ERR_ACCOUNT,
	    "account: %s has forgotten it again; it will not be registered more than once in 10 "
	    "minutes",
	    a->ca->host);
	e->retry_after = wait / 1000 + 1;
	return false;
}

static enum account_state
enter_register(struct account *a)
{
	struct err e;
	char *payload;

	if (!account_may_register(a, &e))
		return account_failed(a, &e);
	payload = account_register_payload(a->ca, &e);
	if (payload == NULL)
		return account_failed(a, &e);
	account_request(a, REQUEST_SIGNED_JWK, PLACE_ACCOUNT, a->ca->directory.object.new_account,
	    payload, registered);
	free(payload);
	return ACCOUNT_REGISTER;
}

/* ---- contacts ---- */

/* Certificates do not depend on it: a refusal is told and that is all. */
static void
updated(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;
	struct json *contacts;

	if (e != NULL) {
		ca_event(a->ca, CA_EVENT_FAILED, NULL, e);
	} else {
		contacts = account_contacts(&a->ca->conf);
		account_save(a, a->registration.uri, contacts);
		json_free(contacts);
	}
	account_move(a, ACCOUNT_READY);
}

static enum account_state
enter_update(struct account *a)
{
	char *payload = account_contacts_payload(&a->ca->conf);

	account_request(a, REQUEST_SIGNED, PLACE_ACCOUNT, a->registration.uri, payload, updated);
	free(payload);
	return ACCOUNT_UPDATE;
}

/* ---- the states that last ---- */

static enum account_state
enter_ready(struct account *a)
{
	if (a->failures > 0)
		ca_event(a->ca, CA_EVENT_UP, NULL, NULL);
	a->failures = 0;
	a->checked = clock_mono_ms();
	task_post(a->ca->loop, &a->task, account_serve, a);
	return ACCOUNT_READY;
}

static void
account_sleep(struct account *a, int64_t seconds)
{
	a->retry_at = clock_mono_ms() + seconds * 1000;
	timer_start(a->timer, seconds * 1000);
	task_post(a->ca->loop, &a->task, account_serve, a);
}

static enum account_state
enter_backoff(struct account *a)
{
	unsigned doublings = a->failures - 1 < 6 ? a->failures - 1 : 6;
	int64_t seconds = 1 << doublings;
	int64_t told = a->error.retry_after;

	if (seconds > BACKOFF_MAX_S)
		seconds = BACKOFF_MAX_S;
	if (told > RETRY_AFTER_MAX_S)
		told = RETRY_AFTER_MAX_S;
	account_sleep(a, told > seconds ? told : seconds);
	return ACCOUNT_BACKOFF;
}

static enum account_state
enter_refused(struct account *a)
{
	int64_t told = a->error.retry_after;

	account_sleep(a, told > 0 && told < REFUSED_S ? told : REFUSED_S);
	return ACCOUNT_REFUSED;
}

static bool
asleep(const struct account *a)
{
	return a->state == ACCOUNT_BACKOFF || a->state == ACCOUNT_REFUSED;
}

/* ---- what others tell ---- */

void
account_check(struct account *a)
{
	if (a->state == ACCOUNT_IDLE)
		account_move(a, ACCOUNT_DIRECTORY);
}

void
account_retry(struct account *a)
{
	a->failures = 0;
	if (asleep(a))
		account_move(a, ACCOUNT_DIRECTORY);
}

void
account_unreachable(struct account *a, const struct err *e)
{
	if (a->state == ACCOUNT_READY)
		account_move(a, account_failed(a, e));
}

void
account_doubt(struct account *a)
{
	if (a->state == ACCOUNT_READY && clock_mono_ms() - a->checked >= DOUBT_MS)
		account_move(a, ACCOUNT_DIRECTORY);
}

void
account_doubt_mildly(struct account *a)
{
	if (clock_mono_ms() - a->checked >= DOUBT_MILDLY_MS)
		account_doubt(a);
}

/* ---- what others ask ---- */

/* While a later attempt runs, the failure before it still counts: nobody waits for a CA that is
 * down. */
static void
account_reason(const struct account *a, struct err *e)
{
	int64_t left = asleep(a) ? (a->retry_at - clock_mono_ms() + 999) / 1000 : 0;

	if (e == NULL)
		return;
	*e = a->error;
	e->retry_after = left > 1 ? left : 1;
}

bool
account_usable(const struct account *a, struct err *e)
{
	if (a->failures == 0)
		return true;
	account_reason(a, e);
	return false;
}

const char *
account_url(const struct account *a)
{
	return a->registration.uri;
}

unsigned
account_generation(const struct account *a)
{
	return a->generation;
}

/* ---- those who wait ---- */

static void
waiter_free(struct waiter *w)
{
	TAILQ_REMOVE(&w->account->waiters, w, entry);
	free(w);
}

static void
waiter_cancel(struct op *op)
{
	waiter_free((struct waiter *)op);
}

static void
waiter_end(struct waiter *w, const struct err *e)
{
	account_done_fn *done = w->done;
	void *arg = w->arg;

	op_end(&w->op);
	waiter_free(w);
	done(arg, e);
}

/* Runs after the turn, so never on top of a move. */
static void
account_serve(void *arg)
{
	struct account *a = arg;
	struct waiter *w;
	struct err e;

	if (a->state == ACCOUNT_READY && !TAILQ_EMPTY(&a->waiters) &&
	    !directory_fresh(&a->ca->directory, clock_mono_ms()))
		account_move(a, ACCOUNT_DIRECTORY);
	while ((w = TAILQ_FIRST(&a->waiters)) != NULL) {
		if (a->state == ACCOUNT_READY) {
			waiter_end(w, NULL);
		} else if (asleep(a)) {
			account_reason(a, &e);
			waiter_end(w, &e);
		} else {
			break;
		}
	}
}

void
account_wait(struct account *a, account_done_fn *done, void *arg, struct op **slot)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->account = a;
	w->done = done;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&a->waiters, w, entry);
	op_begin(&w->op, slot, waiter_cancel);
	task_post(a->ca->loop, &a->task, account_serve, a);
}

/* ---- life ---- */

struct account *
account_new(struct ca *ca)
{
	struct account *a = xcalloc(1, sizeof(*a));
	struct err e;

	a->ca = ca;
	TAILQ_INIT(&a->waiters);
	a->timer = timer_new(ca->loop, account_timer, a);
	if (!registration_load(&a->registration, ca->conf.dir, &e))
		ca_event(ca, CA_EVENT_FAILED, NULL, &e);
	return a;
}

void
account_free(struct account *a)
{
	struct waiter *w;

	if (a == NULL)
		return;
	op_cancel(&a->step);
	while ((w = TAILQ_FIRST(&a->waiters)) != NULL)
		op_cancel(w->op.slot);
	task_cancel(&a->task);
	timer_free(a->timer);
	registration_done(&a->registration);
	free(a);
}
