/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One POST /revoke: who may, where the certificate is kept, its key if that is
 * compromised, the CA, and out of every store and memory with it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "ev/timer.h"
#include "issue/desk_private.h"
#include "issue/failure_text.h"
#include "issue/store.h"

enum {
	REVOCATIONS_MAX = 100,
	MOVES_MAX = 20, /* the longest way has five */
	BUSY_RETRY_S = 30,
};

enum revocation_state { NEW, LOOK, BAR, ASK, DROP, DONE, STATE_COUNT };

/* An entry that is to go. What is not stored yet may have a store that nobody else has any more. */
struct found {
	TAILQ_ENTRY(found) entry;
	struct store *store;
	char key[SHA384_HEX];
};

struct revocation {
	struct op op; /* first; no slot: who asked has gone, it goes on without him */
	TAILQ_ENTRY(revocation) entry;
	struct desk *desk;
	struct grounds *grounds;
	revoke_done_fn *done;
	void *arg;
	enum revocation_state state;
	unsigned moves;
	struct op *step;
	struct timer *timer;
	struct task task;
	int64_t deadline;
	enum revoke_reason reason;
	struct chain *chain;
	/* What the auth block gives. */
	struct store *store;
	char *block;
	/* What is known so far. */
	size_t looking; /* index of a store */
	char cursor[SHA384_HEX];
	bool held; /* one of the stores has this very certificate */
	TAILQ_HEAD(, found) found;
	bool barred;
	bool revoked;
	bool already;
	struct err error;
	/* Who, for the log. */
	char *peer;
	char names[SIGN_NAMES_SHOWN];
	struct log_context log;
	struct asked asked;
	const char *rule; /* that is being applied; NULL: the CA's */
};

static enum revocation_state enter_look(struct revocation *r);
static enum revocation_state enter_bar(struct revocation *r);
static enum revocation_state enter_ask(struct revocation *r);
static enum revocation_state enter_drop(struct revocation *r);
static enum revocation_state enter_done(struct revocation *r);

/* ms 0: until the request's deadline and grace_ms more. */
static const struct {
	const char *name;
	int64_t ms;
	int64_t grace_ms;
	enum revocation_state (*enter)(struct revocation *r);
} states[] = {
    [NEW] = {.name = "new"},
    [LOOK] = {.name = "look", .enter = enter_look},
    [BAR] = {.name = "bar", .ms = 30 * 1000, .enter = enter_bar},
    /* The request to the CA has the same deadline and knows best what it was waiting for. */
    [ASK] = {.name = "ask", .grace_ms = 2000, .enter = enter_ask},
    [DROP] = {.name = "drop", .ms = 30 * 1000, .enter = enter_drop},
    [DONE] = {.name = "done", .enter = enter_done},
};
static_assert(sizeof(states) / sizeof(states[0]) == STATE_COUNT, "a row for each state");

/* The one door between states. */
static void
move(struct revocation *r, enum revocation_state next)
{
	while (next != r->state && r->state != DONE) {
		if (++r->moves > MOVES_MAX && next != DONE) {
			err_set(&r->error, ERR_INTERNAL, "the revocation spins between its states");
			next = DONE;
		}
		log_debug(
		    &r->log, "revocation: %s -> %s", states[r->state].name, states[next].name);
		op_cancel(&r->step);
		timer_stop(r->timer);
		r->state = next;
		if (next != DONE)
			timer_start(r->timer,
			    states[next].ms > 0
				? states[next].ms
				: r->deadline - clock_mono_ms() + states[next].grace_ms);
		next = states[next].enter(r);
	}
}

/* The first failure is what is told. */
static void
note_failure(struct revocation *r, const struct err *e)
{
	if (r->error.kind == ERR_NONE)
		r->error = *e;
}

static const uint8_t *
key_of(const struct revocation *r)
{
	return r->chain->leaf.spki_sha256;
}

static bool
is_compromised(const struct revocation *r)
{
	return r->reason == REVOKE_KEY_COMPROMISE;
}

static void
tell_audit(const struct revocation *r, enum audit_decision decision, const char *detail)
{
	audit_tell(decision,
	    &(struct audit){
		.who = &r->log,
		.key = r->asked.key,
		.names = r->asked.names,
		.serial = r->chain->leaf.serial,
		.detail = detail,
	    });
}

/* ---- look: which entries hold it, or another certificate for its key ---- */

/* The certificate that was posted proves nothing by what it says of itself. */
static bool
is_same(const struct revocation *r, const struct store_entry *entry)
{
	struct chain *chain;
	bool same;

	if (strcmp(entry->meta.leaf.serial, r->chain->leaf.serial) != 0)
		return false;
	chain = chain_parse(entry->pem, entry->pem_len, NULL);
	same = chain != NULL && chain_same_leaf(chain, r->chain);
	chain_free(chain);
	return same;
}

/* Once the CA has taken it for its own, what it says of itself is enough. */
static bool
has_leaf(void *arg, const struct leaf_info *leaf)
{
	const struct revocation *r = arg;
	const struct leaf_info *mine = &r->chain->leaf;

	if (memcmp(leaf->spki_sha256, mine->spki_sha256, sizeof(leaf->spki_sha256)) != 0)
		return false;
	return is_compromised(r) ||
	    (strcmp(leaf->serial, mine->serial) == 0 && strcmp(leaf->issuer, mine->issuer) == 0);
}

static void
note_entry(struct revocation *r, struct store *store, const char *key)
{
	struct found *f = xcalloc(1, sizeof(*f));

	f->store = store_hold(store);
	snprintf(f->key, sizeof(f->key), "%s", key);
	TAILQ_INSERT_TAIL(&r->found, f, entry);
}

static void
found_free(void *arg)
{
	struct found *f = arg;

	store_free(f->store);
	free(f);
}

static enum revocation_state look_on(struct revocation *r);

static void
looked(void *arg, const struct store_entry *entry, const struct err *e)
{
	struct revocation *r = arg;
	struct store *store = r->grounds->stores[r->looking];

	if (e != NULL)
		log_error(&r->log, "storage \"%s\": %s", store->name, e->detail);
	if (entry == NULL) {
		r->looking++;
		r->cursor[0] = '\0';
	} else {
		snprintf(r->cursor, sizeof(r->cursor), "%s", entry->key);
		if (has_leaf(r, &entry->meta.leaf))
			note_entry(r, store, entry->key);
		r->held = r->held || is_same(r, entry);
	}
	move(r, look_on(r));
}

/* A key is barred before the CA is asked, so that it is in any case; but only on behalf of a
 * certificate that is known to be one: anybody can make one with the key of somebody else. */
static enum revocation_state
look_on(struct revocation *r)
{
	const struct grounds *g = r->grounds;

	while (r->looking < g->store_count && !g->stores[r->looking]->kind->keeps)
		r->looking++;
	if (r->looking == g->store_count)
		return is_compromised(r) && r->held ? BAR : ASK;

	struct store *store = g->stores[r->looking];
	store->kind->next(store, r->cursor, looked, r, &r->step);
	return LOOK;
}

static enum revocation_state
enter_look(struct revocation *r)
{
	return look_on(r);
}

/* ---- bar: no certificate for this key any more ---- */

static enum revocation_state
after_bar(const struct revocation *r)
{
	return r->revoked ? DROP : ASK;
}

static void
barred(void *arg, const struct err *e)
{
	struct revocation *r = arg;
	struct err lasting;

	if (e != NULL) {
		log_error(&r->log,
		    "storage \"%s\": a restart will forget that the key is barred: %s",
		    r->store->name, e->detail);
		err_set(&lasting, ERR_CONFIG,
		    "this server cannot keep in mind that its key is compromised");
		note_failure(r, &lasting);
	}
	move(r, after_bar(r));
}

static enum revocation_state
enter_bar(struct revocation *r)
{
	r->barred = true;
	desk_bar_key(r->desk, r->store, key_of(r));
	tell_audit(r, AUDIT_BARRED, NULL);
	if (!r->store->kind->keeps)
		return after_bar(r);
	r->store->kind->bar(r->store, key_of(r), barred, r, &r->step);
	return BAR;
}

/* ---- ask: the CA ---- */

static void
asked(void *arg, bool already, const struct err *e)
{
	struct revocation *r = arg;

	if (e != NULL) {
		/* What the CA says comes before what our disk does. */
		r->error = *e;
		move(r, DONE);
		return;
	}
	r->revoked = true;
	r->already = already;
	move(r, is_compromised(r) && !r->barred ? BAR : DROP);
}

static enum revocation_state
enter_ask(struct revocation *r)
{
	struct acme_revoke_conf conf = {.reason = r->reason, .deadline = r->deadline};
	uint8_t *der = chain_leaf_der(r->chain, &conf.der_len);

	conf.der = der;
	acme_revoke_start(r->grounds->ca, &conf, asked, r, &r->step);
	free(der);
	return ASK;
}

/* ---- drop: nobody gets it from here any more ---- */

static enum revocation_state drop_on(struct revocation *r);

static void
dropped(void *arg, const struct err *e)
{
	struct revocation *r = arg;
	struct found *f = TAILQ_FIRST(&r->found);
	struct err still_there;

	if (e != NULL) {
		log_error(&r->log, "storage \"%s\" still has the revoked certificate %s: %s",
		    f->store->name, r->chain->leaf.serial, e->detail);
		err_set(&still_there, ERR_CONFIG, "this server cannot remove it from its storage");
		note_failure(r, &still_there);
	}
	TAILQ_REMOVE(&r->found, f, entry);
	/* With it the store may go, one of whose callbacks this is. */
	loop_dispose(r->desk->loop, found_free, f);
	move(r, drop_on(r));
}

static enum revocation_state
drop_on(struct revocation *r)
{
	struct found *f = TAILQ_FIRST(&r->found);

	if (f == NULL)
		return DONE;
	f->store->kind->remove(f->store, f->key, dropped, r, &r->step);
	return DROP;
}

static bool
is_unstored(void *arg, struct store *store, const char *key, const struct leaf_info *leaf)
{
	if (!has_leaf(arg, leaf))
		return false;
	note_entry(arg, store, key);
	return true;
}

static enum revocation_state
enter_drop(struct revocation *r)
{
	results_forget(r->desk->results, has_leaf, r);
	unstored_drop(r->desk->unstored, is_unstored, r);
	signs_forget_due(r->desk, r->chain->leaf.serial);
	return drop_on(r);
}

/* ---- the end ---- */

static void
free_now(void *arg)
{
	struct revocation *r = arg;
	struct found *f;

	while ((f = TAILQ_FIRST(&r->found)) != NULL) {
		TAILQ_REMOVE(&r->found, f, entry);
		found_free(f);
	}
	timer_free(r->timer);
	chain_free(r->chain);
	grounds_release(r->grounds);
	free(r->asked.key);
	free(r->asked.names);
	free(r->block);
	free(r->peer);
	free(r);
}

/* Off the desk's list, and nothing of it is in flight any more. */
static void
leave(struct revocation *r)
{
	TAILQ_REMOVE(&r->desk->revocations, r, entry);
	r->desk->revocation_count--;
	op_cancel(&r->step);
	timer_stop(r->timer);
	task_cancel(&r->task);
	loop_dispose(r->desk->loop, free_now, r);
}

static void
tell_failure(struct revocation *r)
{
	struct err told = r->error;

	if (r->revoked)
		err_set(&told, r->error.kind, "%s: revoked, but %s", r->names, r->error.detail);
	else if (r->barred)
		err_set(&told, r->error.kind,
		    "%s; certificates for its key are refused from now on", r->error.detail);
	told.retry_after = r->error.retry_after;
	failure_text(&told, FAILURE_OF_REVOCATION, r->names);
	r->done(r->arg, NULL, &told);
}

static void
tell(struct revocation *r)
{
	struct revoke_result result = {
	    .serial = r->chain != NULL ? r->chain->leaf.serial : "",
	    .names = r->names,
	    .already = r->already,
	};

	if (r->op.slot == NULL)
		return;
	op_end(&r->op);
	if (r->error.kind == ERR_NONE)
		r->done(r->arg, &result, NULL);
	else
		tell_failure(r);
}

static void
audit_revoked(const struct revocation *r)
{
	char detail[40];

	snprintf(detail, sizeof(detail), "reason %d%s", (int)r->reason,
	    r->already ? ", revoked before" : "");
	log_info(&r->log, "certificate %s is revoked, %s", r->chain->leaf.serial, detail);
	tell_audit(r, AUDIT_REVOKED, detail);
}

static void
audit_refused(const struct revocation *r)
{
	audit_refusal(AUDIT_NOT_REVOKED,
	    &(struct audit){
		.who = &r->log,
		.key = r->asked.key,
		.names = r->asked.names,
		.serial = r->chain != NULL ? r->chain->leaf.serial : NULL,
		.rule = r->rule,
	    },
	    &r->error);
}

static enum revocation_state
enter_done(struct revocation *r)
{
	struct desk *d = r->desk;

	if (r->revoked)
		audit_revoked(r);
	else
		audit_refused(r);
	if (!r->revoked && r->block != NULL)
		log_write(failure_log_level(&r->error), &r->log, "not revoked (%s): %s",
		    err_kind_name(r->error.kind), r->error.detail);
	leave(r);
	tell(r);
	desk_idle_soon(d);
	return DONE;
}

static void
too_late(void *arg)
{
	struct revocation *r = arg;
	struct err e;

	err_set(&e, ERR_TIMEOUT, "not revoked within %lld s",
	    (long long)(r->grounds->timeout_ms / 1000));
	if (r->state == BAR) {
		barred(r, &e);
	} else {
		note_failure(r, &e);
		move(r, DONE);
	}
}

/* ---- the beginning ---- */

static bool
has_room(const struct desk *d, struct err *e)
{
	if (d->draining)
		err_set(e, ERR_BUSY, "this server is shutting down");
	else if (d->revocation_count > REVOCATIONS_MAX)
		err_set(e, ERR_BUSY, "too many revocations are under way");
	else
		return true;
	e->retry_after = BUSY_RETRY_S;
	return false;
}

static bool
read_certificate(struct revocation *r, const struct revoke_request *request, struct err *e)
{
	r->chain = chain_parse(request->body, request->body_len, e);
	if (r->chain == NULL) {
		e->kind = ERR_BAD_CSR;
		return err_prefix(e, "the body has to be a certificate in PEM");
	}
	if (r->chain->names.count == 0)
		return err_set(e, ERR_BAD_CSR, "the certificate has no names");
	identifiers_text(&r->chain->names, r->names, sizeof(r->names));
	r->log.names = r->names;
	r->asked.names = audit_names(&r->chain->names, r->names);
	return true;
}

static void
take_block(struct revocation *r, const struct auth_block *block, size_t key)
{
	r->block = xstrdup(block->name);
	r->store = r->grounds->stores[block->store];
	r->log.block = r->block;
	r->asked.key = audit_key(key, block->key_count);
	if (block->key_count > 1)
		log_info(&r->log, "may revoke with HMAC key %zu of %zu", key, block->key_count);
	else
		log_info(&r->log, "may revoke");
}

static bool
authorise(struct revocation *r, const struct revoke_request *request, struct err *e)
{
	const struct policy *policy = r->desk->conf.policy;
	const struct auth_block *block;
	size_t key;

	r->rule = "auth";
	if (!policy_possible(policy, POLICY_REVOKE, request->who, request->auth, e))
		return false;
	r->rule = "certificate";
	if (!read_certificate(r, request, e))
		return false;
	r->rule = "auth";
	if (!policy_admit(policy, POLICY_REVOKE, request->who, request->auth, request->body,
		request->body_len, &r->chain->names, &block, &key, e) ||
	    !has_room(r->desk, e))
		return false;
	r->rule = NULL;
	take_block(r, block, key);
	return true;
}

static void
begin(void *arg)
{
	struct revocation *r = arg;

	move(r, r->error.kind == ERR_NONE ? LOOK : DONE);
}

static void
hung_up(struct op *op)
{
	const struct revocation *r = (struct revocation *)op;

	log_info(&r->log, "the client hung up, the revocation goes on");
}

void
desk_revoke(struct desk *d, const struct revoke_request *request, revoke_done_fn *done, void *arg,
    struct op **slot)
{
	struct revocation *r = xcalloc(1, sizeof(*r));

	r->desk = d;
	r->grounds = grounds_hold(d->grounds);
	r->done = done;
	r->arg = arg;
	r->reason = request->reason;
	r->deadline = clock_mono_ms() + r->grounds->timeout_ms;
	r->timer = timer_new(d->loop, too_late, r);
	r->peer = xstrdup(request->who->text == NULL ? "" : request->who->text);
	r->log.peer = r->peer;
	TAILQ_INIT(&r->found);
	TAILQ_INSERT_TAIL(&d->revocations, r, entry);
	d->revocation_count++;
	op_begin(&r->op, slot, hung_up);
	if (!authorise(r, request, &r->error))
		log_warning(&r->log, "revocation refused (%s): %s", err_kind_name(r->error.kind),
		    r->error.detail);
	task_post(d->loop, &r->task, begin, r);
}

bool
desk_revokes(const struct desk *d)
{
	return policy_revokes(d->conf.policy);
}

/* ---- for the desk ---- */

void
revocations_drop(struct desk *d)
{
	struct revocation *r;

	while ((r = TAILQ_FIRST(&d->revocations)) != NULL) {
		if (r->op.slot != NULL)
			op_end(&r->op);
		leave(r);
	}
}

void
revocations_abort(struct desk *d, const struct err *e)
{
	struct revocation *r;

	while ((r = TAILQ_FIRST(&d->revocations)) != NULL) {
		note_failure(r, e);
		move(r, DONE);
	}
}
