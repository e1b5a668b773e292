/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "acme/account.h"

#include <assert.h>
#include <stdlib.h>

#include "acme/account_json.h"
#include "acme/account_private.h"
#include "acme/ca_private.h"
#include "acme/request.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "ev/op.h"
#include "ev/timer.h"

enum {
	REQUEST_MS = 60 * 1000,
	BACKOFF_MAX_S = 60,
	REFUSED_S = 600,
	REGISTER_EVERY_MS = 600 * 1000,
	MOVES_MAX = 20, /* until a state that lasts */
};

/* Between two looks for the sake of a doubt: clients with hopeless requests must not make us ask
 * for the account again and again. */
static const int64_t doubt_ms[] = {
    [ACCOUNT_SURELY_GONE] = 0,
    [ACCOUNT_LIKELY_GONE] = 5 * 1000,
    [ACCOUNT_PERHAPS_GONE] = 60 * 1000,
};

static enum account_state enter_stay(struct account *a);
static enum account_state enter_directory(struct account *a);
static enum account_state enter_lookup(struct account *a);
static enum account_state enter_register(struct account *a);
static enum account_state enter_update(struct account *a);
static enum account_state enter_ready(struct account *a);
static enum account_state enter_backoff(struct account *a);
static enum account_state enter_refused(struct account *a);

/* Requests bring their own deadlines; LOCKED, BACKOFF and REFUSED arm the timer. */
static const struct {
	const char *name;
	enum account_state expired; /* when the timer fires */
	enum account_state (*enter)(struct account *a);
} states[] = {
    [ACCOUNT_IDLE] = {"idle", ACCOUNT_IDLE, enter_stay},
    [ACCOUNT_FILES] = {"files", ACCOUNT_FILES, account_enter_files},
    [ACCOUNT_LOCKED] = {"locked", ACCOUNT_FILES, account_enter_locked},
    [ACCOUNT_DIRECTORY] = {"directory", ACCOUNT_DIRECTORY, enter_directory},
    [ACCOUNT_PENDING] = {"pending-key", ACCOUNT_PENDING, account_enter_pending},
    [ACCOUNT_LOOKUP] = {"lookup", ACCOUNT_LOOKUP, enter_lookup},
    [ACCOUNT_REGISTER] = {"register", ACCOUNT_REGISTER, enter_register},
    [ACCOUNT_UPDATE] = {"update", ACCOUNT_UPDATE, enter_update},
    [ACCOUNT_READY] = {"ready", ACCOUNT_READY, enter_ready},
    [ACCOUNT_BACKOFF] = {"back-off", ACCOUNT_FILES, enter_backoff},
    [ACCOUNT_REFUSED] = {"refused", ACCOUNT_FILES, enter_refused},
};
static_assert(sizeof(states) / sizeof(states[0]) == ACCOUNT_STATE_COUNT, "one row per state");

/* The only place that changes the state. */
void
account_move(struct account *a, enum account_state next)
{
	while (next != a->state) {
		op_cancel(&a->step);
		timer_stop(a->timer);
		if (++a->moves == MOVES_MAX) {
			err_set(&a->error, ERR_INTERNAL, "account: too many steps");
			a->failures++;
			next = ACCOUNT_REFUSED;
		}
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
	return kind == ERR_UNREACHABLE || kind == ERR_UPSTREAM || kind == ERR_RATE_LIMITED ||
	    kind == ERR_BUSY;
}

/* Told once for each new reason: the attempts go on every minute. */
enum account_state
account_failed(struct account *a, const struct err *cause)
{
	struct err e = *cause;

	if (e.kind == ERR_TIMEOUT)
		e.kind = ERR_UNREACHABLE;
	if (a->failures == 0 || a->error.kind != e.kind || a->error.problem != e.problem)
		ca_event(a->ca, CA_EVENT_FAILED, NULL, &e);
	a->failures++;
	a->error = e;
	a->error.told = true;
	return temporary(e.kind) ? ACCOUNT_BACKOFF : ACCOUNT_REFUSED;
}

void
account_request(struct account *a, const struct request_conf *conf, request_done_fn *done)
{
	struct request_conf whole = *conf;

	whole.deadline = clock_mono_ms() + REQUEST_MS;
	request_start(a->ca, &whole, done, a, &a->step);
}

/* ---- directory ---- */

static void directory_fetched(void *arg, const struct request_answer *answer, const struct err *e);

static enum account_state
enter_directory(struct account *a)
{
	struct request_conf conf = {
	    .mode = REQUEST_GET,
	    .place = PLACE_DIRECTORY,
	    .url = a->ca->conf.directory_url,
	};

	account_request(a, &conf, directory_fetched);
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

	if (e == NULL && !ca_read_directory(ca, answer, &bad))
		e = &bad;
	if (e != NULL) {
		account_move(a, account_failed(a, e));
		return;
	}
	account_check_profile(a);
	ca_event(ca, CA_EVENT_DIRECTORY, ca->conf.directory_url, NULL);
	account_move(a, a->pending != NULL ? ACCOUNT_PENDING : ACCOUNT_LOOKUP);
}

/* ---- look-up ---- */

enum account_state
account_answered(struct account *a, const struct request_answer *answer, bool registered)
{
	bool update;
	struct err e;

	if (!account_found(a, answer, registered, &update, &e))
		return account_failed(a, &e);
	return update ? ACCOUNT_UPDATE : ACCOUNT_READY;
}

/* The CA does not want it any more. */
static enum account_state
account_unwanted(struct account *a, const struct err *cause)
{
	struct err e;

	err_set(&e, cause->kind, "%s; %s", cause->detail, account_gone);
	e.problem = cause->problem;
	return account_failed(a, &e);
}

/* The CA does not know the key. */
static enum account_state
account_unknown(struct account *a, const struct err *e)
{
	enum account_state next = account_pending_last(a);

	if (next != a->state)
		return next;
	return a->ca->conf.only_existing ? account_failed(a, e) : ACCOUNT_REGISTER;
}

static void
looked_up(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;

	if (e == NULL) {
		account_pending_lost(a);
		account_move(a, account_answered(a, answer, false));
	} else if (e->problem == PROBLEM_ACCOUNT_DOES_NOT_EXIST) {
		account_move(a, account_unknown(a, e));
	} else if (e->problem == PROBLEM_UNAUTHORIZED) {
		account_move(a, account_unwanted(a, e));
	} else {
		account_move(a, account_failed(a, e));
	}
}

static void
new_account(struct account *a, const struct key *key, const char *payload, request_done_fn *done)
{
	struct request_conf conf = {
	    .mode = REQUEST_SIGNED_JWK,
	    .place = PLACE_ACCOUNT,
	    .url = a->ca->directory.object.new_account,
	    .payload = payload,
	    .key = key,
	};

	account_request(a, &conf, done);
}

void
account_lookup(struct account *a, const struct key *key, request_done_fn *done)
{
	char *payload = account_lookup_payload();

	new_account(a, key, payload, done);
	free(payload);
}

static enum account_state
enter_lookup(struct account *a)
{
	account_lookup(a, NULL, looked_up);
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
	account_move(a, account_answered(a, answer, true));
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
	new_account(a, NULL, payload, registered);
	free(payload);
	return ACCOUNT_REGISTER;
}

/* ---- contacts ---- */

/* Certificates do not depend on it: a refusal is told and that is all. */
static void
updated(void *arg, const struct request_answer *answer, const struct err *e)
{
	struct account *a = arg;

	if (e != NULL)
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, e);
	else
		account_save_contacts(a, a->ca->conf.contacts, a->ca->conf.contact_count);
	account_move(a, ACCOUNT_READY);
}

static enum account_state
enter_update(struct account *a)
{
	char *payload = account_contacts_payload(a->ca->conf.contacts, a->ca->conf.contact_count);
	struct request_conf conf = {
	    .mode = REQUEST_SIGNED,
	    .place = PLACE_ACCOUNT,
	    .url = a->registration.uri,
	    .payload = payload,
	};

	account_request(a, &conf, updated);
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
	a->moves = 0;
	account_release(a);
	account_serve_soon(a);
	return ACCOUNT_READY;
}

static void
account_sleep(struct account *a, int64_t seconds)
{
	a->retry_at = clock_mono_ms() + seconds * 1000;
	a->moves = 0;
	account_release(a);
	timer_start(a->timer, seconds * 1000);
	account_serve_soon(a);
}

static enum account_state
enter_backoff(struct account *a)
{
	unsigned doublings = a->failures - 1 < 6 ? a->failures - 1 : 6;
	int64_t seconds = 1 << doublings;
	int64_t told = a->error.retry_after;

	if (seconds > BACKOFF_MAX_S)
		seconds = BACKOFF_MAX_S;
	if (told > CA_PAUSE_MAX_S)
		told = CA_PAUSE_MAX_S;
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

/* ---- what others tell ---- */

void
account_check(struct account *a)
{
	if (a->state == ACCOUNT_IDLE)
		account_move(a, ACCOUNT_FILES);
}

void
account_retry(struct account *a)
{
	a->failures = 0;
	/* Also a check that waits for a CA that is silent. */
	if (a->state != ACCOUNT_READY && a->state != ACCOUNT_IDLE) {
		account_move(a, ACCOUNT_IDLE);
		a->moves = 0; /* someone asks for it, however often */
		account_move(a, ACCOUNT_FILES);
	}
}

void
account_unreachable(struct account *a, struct err *e)
{
	if (a->state != ACCOUNT_READY)
		return;
	account_move(a, account_failed(a, e));
	e->told = true;
}

void
account_doubt(struct account *a, enum account_doubt doubt)
{
	int64_t now = clock_mono_ms();

	if (a->state != ACCOUNT_READY || (a->doubted != 0 && now - a->doubted < doubt_ms[doubt]))
		return;
	a->doubted = now;
	account_move(a, ACCOUNT_FILES);
}

void
account_refresh(struct account *a)
{
	bool old =
	    a->state == ACCOUNT_READY && !directory_fresh(&a->ca->directory, clock_mono_ms());

	if (old || ((a->state == ACCOUNT_READY || account_asleep(a)) && account_files_changed(a)))
		account_move(a, ACCOUNT_FILES);
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

/* ---- life ---- */

static void
account_read(struct account *a)
{
	struct err e;

	account_file_seen(a, ACCOUNT_FILE_KEY);
	account_file_seen(a, ACCOUNT_FILE_REGISTRATION);
	if (!registration_load(&a->registration, a->ca->conf.dir, &e))
		ca_event(a->ca, CA_EVENT_TROUBLE, NULL, &e);
}

struct account *
account_new(struct ca *ca)
{
	struct account *a = xcalloc(1, sizeof(*a));

	a->ca = ca;
	TAILQ_INIT(&a->waiters);
	a->timer = timer_new(ca->loop, account_timer, a);
	a->lock = -1;
	if (ca->conf.dir != NULL)
		account_read(a);
	return a;
}

void
account_free(struct account *a)
{
	if (a == NULL)
		return;
	op_cancel(&a->step);
	account_release(a);
	account_forget_waiters(a);
	timer_free(a->timer);
	registration_done(&a->registration);
	free(a);
}
