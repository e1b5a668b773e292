/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Raw bytes into the management server, routes, identity and replies included. The desk behind it
 * is a fake: what it answers, and whether it does so at the end of the turn or when the input has
 * it so, the first octets of the body say. See peers.h for what the input is.
 */
#include "fuzz.h"

#include <stdbool.h>

#include "answers.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/desk.h"
#include "mgmt/mgmt.h"
#include "mgmt/reply.h"
#include "peers.h"

enum { MAX_SIZE = 4096 };

struct ticket {
	struct op op;
	TAILQ_ENTRY(ticket) entry;
	struct task task;
	uint8_t kind;
	sign_done_fn *done; /* one of these two */
	revoke_done_fn *revoked;
	void *arg;
};

static struct loop *loop;
static struct listener *listener;
static struct mgmt *mgmt;
static struct ip_range trusted;
static TAILQ_HEAD(tickets, ticket) tickets = TAILQ_HEAD_INITIALIZER(tickets);

/* ---- in place of issue/desk_sign.c and issue/desk_revoke.c ---- */

static void
ticket_free(struct ticket *t)
{
	TAILQ_REMOVE(&tickets, t, entry);
	task_cancel(&t->task);
	free(t);
}

static void
ticket_cancel(struct op *op)
{
	ticket_free((struct ticket *)op);
}

static void
ticket_answer(void *arg)
{
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
	struct ticket *t = arg;
	struct sign_result result = {.pem = pem, .pem_len = sizeof(pem) - 1};
	enum err_kind kind = t->kind % ERR_KIND_COUNT;
	struct err e;

	err_set(&e, kind, "\xe2\x82\xac or\r\n\t\x1b[1m not: %0*d", t->kind * 3, 7);
	e.retry_after = t->kind % 3;
	result.renewal_failed = t->kind & 0x80 ? e.detail : NULL;
	op_end(&t->op);
	if (t->revoked != NULL)
		t->revoked(t->arg,
		    kind != ERR_NONE ? NULL
				     : &(struct revoke_result){"00FF", "*.example", t->kind & 0x80},
		    kind != ERR_NONE ? &e : NULL);
	else if (kind == ERR_NONE || result.renewal_failed != NULL)
		t->done(t->arg, &result, NULL);
	else
		t->done(t->arg, &(struct sign_result){0}, &e);
	ticket_free(t);
}

static bool
answer(bool newest)
{
	struct ticket *t = newest ? TAILQ_LAST(&tickets, tickets) : TAILQ_FIRST(&tickets);

	if (t != NULL)
		ticket_answer(t);
	return t != NULL;
}

static struct ticket *
ticket_new(const struct client_identity *who, const struct authentication *auth,
    const uint8_t *body, size_t len, struct op **slot)
{
	struct ticket *t = xcalloc(1, sizeof(*t));

	must(who->text[0] != '\0');
	must(auth == NULL || digest_size(auth->kind) > 0);
	t->kind = len > 0 ? body[0] : 0;
	TAILQ_INSERT_TAIL(&tickets, t, entry);
	op_begin(&t->op, slot, ticket_cancel);
	if (len < 2 || body[1] % 2 == 0)
		task_post(loop, &t->task, ticket_answer, t);
	return t;
}

void
desk_sign(struct desk *d, const struct sign_request *request, sign_done_fn *done, void *arg,
    struct op **slot)
{
	struct ticket *t =
	    ticket_new(request->who, request->auth, request->body, request->body_len, slot);

	must(request->body_len <= MAX_SIZE);
	t->done = done;
	t->arg = arg;
}

void
desk_revoke(struct desk *d, const struct revoke_request *request, revoke_done_fn *done, void *arg,
    struct op **slot)
{
	struct ticket *t =
	    ticket_new(request->who, request->auth, request->body, request->body_len, slot);

	must(request->body_len <= 16 * MAX_SIZE);
	t->revoked = done;
	t->arg = arg;
}

bool
desk_revokes(const struct desk *d)
{
	return true;
}

/* ---- the server ---- */

static void
serve(void)
{
	const struct mgmt_server_conf conf = {
	    .proxies = {&trusted, 1, true, "X-Forwarded-For"},
	    .max_size = MAX_SIZE,
	};

	mgmt = mgmt_new(loop, &conf);
	must(mgmt_serve(mgmt, listener, NULL));
}

static void
restart(void)
{
	mgmt_stop_accepting(mgmt);
	mgmt_free(mgmt);
	must(TAILQ_EMPTY(&tickets));
	serve();
}

static struct peers_server under_test = {.answer = answer, .restart = restart};

static void
start(void)
{
	must(ip_range_parse("10.0.0.0/8", &trusted, NULL));
	listener = peers_listen(&under_test);
	loop = under_test.loop;
	serve();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (loop == NULL)
		start();
	peers_play(&under_test, data, size);
	must(TAILQ_EMPTY(&tickets) && mgmt_pending(mgmt) == 0);
	return 0;
}
