/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an order is made of, for its own files: order.c (the states),
 * order_children.c (its authorizations), order_certificate.c (finalize and
 * download), order_failure.c (why it is given up).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acme/order.h"
#include "acme/poll.h"
#include "acme/request.h"
#include "base/log.h"
#include "codec/acme_json.h"
#include "ev/loop.h"
#include "ev/op.h"

struct authorization_conf;
struct timer;

enum { ORDER_NAMES_TEXT = 200 };

enum order_state {
	ORDER_IDLE,
	ORDER_ACCOUNT,   /* account and directory are in order */
	ORDER_NEW,       /* newOrder */
	ORDER_AUTHORIZE, /* the authorizations, side by side */
	ORDER_SETTLE,    /* one failed: others may report theirs for a moment */
	ORDER_WAIT,
	ORDER_POLL,
	ORDER_FINALIZE,
	ORDER_DOWNLOAD,
	ORDER_DONE,
	ORDER_STATE_COUNT
};

struct order_child {
	struct order *order;
	struct op *op;
	bool gathered; /* it has presented its answer and waits for the others */
	bool trouble;
};

struct order {
	struct op op;
	struct ca *ca;
	struct acme_order_conf conf;
	char *profile;
	char *replaces;
	acme_order_done_fn *done;
	void *arg;
	char *names; /* for logs */
	struct log_context log;

	enum order_state state;
	unsigned moves;
	struct op *step;
	struct timer *timer;
	struct task task;
	int64_t deadline; /* conf's, or what the order's expires says */
	struct poll poll;

	/* What the CA gave us. */
	char *url;
	struct acme_order_object object;
	struct order_child *children;
	size_t child_count;
	size_t running;
	size_t on_the_way;  /* running and not waiting for the others */
	bool authorized;    /* every authorization is valid */
	bool finalized;     /* by us */
	bool finalize_lost; /* our finalize got no answer */

	unsigned again;
	unsigned generation;  /* of the account that placed it */
	bool account_doubted; /* one more try after an account error */
	struct err *trouble;  /* the last word of the CA on a challenge that is still pending */
	size_t troubled;      /* children it holds for */
	struct err *result;   /* why it failed */
	struct chain *chain;
};

/* order.c. The only function that changes the state. */
void order_move(struct order *o, enum order_state next);
/* Forgets the order at the CA, to place another one. */
void order_reset(struct order *o);
/* A signed request, within the order's deadline. */
void order_request(struct order *o, struct request_conf *conf, request_done_fn *done);
/* Takes over what the answer says of the order; e may be NULL. ERR_UPSTREAM. */
bool order_read(struct order *o, const struct request_answer *answer, struct err *e);
/* The state that follows from what the CA last said of it. */
enum order_state order_next(struct order *o);

/* order_failure.c. Each keeps the reason and says which state comes next. */
enum order_state order_failed(struct order *o, const struct err *e);
enum order_state order_invalid(struct order *o);                /* the CA says so */
enum order_state order_again(struct order *o, const char *why); /* it is not ours */
/* One more of several failures: the worst kind counts, each name is listed while there is room. */
void order_collect(struct order *o, const char *name, const struct err *e);

/* order_children.c. Starts one authorization for each URL of the order. */
enum order_state order_enter_authorize(struct order *o);
void order_cancel_children(struct order *o);

/* order_certificate.c */
enum order_state order_enter_finalize(struct order *o);
enum order_state order_enter_download(struct order *o);
