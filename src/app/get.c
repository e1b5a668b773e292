/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/get.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "acme/order.h"
#include "acme/revoke.h"
#include "app/ca_events.h"
#include "app/get_files.h"
#include "app/get_options.h"
#include "app/get_parts.h"
#include "app/get_progress.h"
#include "app/get_serve.h"
#include "app/program.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "codec/chain.h"
#include "codec/csr.h"
#include "codec/date.h"
#include "codec/issuers.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

enum {
	ORDER_MS = 300 * 1000,
	REVOKE_MS = 60 * 1000,
	AGAIN_MAX = 2,
	PAUSE_MAX_S = 60, /* a CA that wants more is not waited for */
	FLUSH_MS = 2 * 1000,
	FLUSH_LOOK_MS = 5,
	MOVES_MAX = 100,
};

enum get_state {
	GET_IDLE,
	GET_ORDER,
	GET_PAUSE, /* before the order is begun again */
	GET_REVOKE,
	GET_SERVE,
	GET_FLUSH, /* answers are written */
	GET_OVER,
	GET_STATE_COUNT
};

struct get {
	const struct get_options *o;
	struct get_progress *progress;
	struct get_files files;
	struct get_parts parts;
	struct get_serve *serve; /* NULL: nothing is served */
	struct issuers *issuers;
	struct chain *chain;
	enum get_state state;
	unsigned moves;
	struct op *step;
	struct timer *timer;
	struct timer *look;
	struct task begin;
	unsigned again;  /* orders begun after the first */
	int64_t pause_s; /* until the next */
	bool revoked;
	int code;
};

static enum get_state enter_stay(struct get *g);
static enum get_state enter_order(struct get *g);
static enum get_state enter_pause(struct get *g);
static enum get_state enter_revoke(struct get *g);
static enum get_state enter_serve(struct get *g);
static enum get_state enter_flush(struct get *g);
static enum get_state enter_over(struct get *g);

/* Order and revocation bring their own deadlines; PAUSE arms the timer by what failed. */
static const struct {
	const char *name;
	int64_t limit;          /* milliseconds; 0: none */
	enum get_state expired; /* when the timer fires */
	enum get_state (*enter)(struct get *g);
} states[] = {
    [GET_IDLE] = {"idle", 0, GET_IDLE, enter_stay},
    [GET_ORDER] = {"order", 0, GET_ORDER, enter_order},
    [GET_PAUSE] = {"pause", 0, GET_ORDER, enter_pause},
    [GET_REVOKE] = {"revoke", 0, GET_REVOKE, enter_revoke},
    [GET_SERVE] = {"serve", 0, GET_SERVE, enter_serve},
    [GET_FLUSH] = {"flush", FLUSH_MS, GET_OVER, enter_flush},
    [GET_OVER] = {"over", 0, GET_OVER, enter_over},
};
static_assert(sizeof(states) / sizeof(states[0]) == GET_STATE_COUNT, "one row per state");

/* The only place that changes the state. Leaving ORDER withdraws what was presented. */
static void
get_move(struct get *g, enum get_state next)
{
	while (next != g->state) {
		op_cancel(&g->step);
		timer_stop(g->timer);
		if (++g->moves == MOVES_MAX)
			abort();
		log_debug(NULL, "acme-get: %s -> %s", states[g->state].name, states[next].name);
		g->state = next;
		if (states[next].limit > 0)
			timer_start(g->timer, states[next].limit);
		next = states[next].enter(g);
	}
}

static void
get_timer(void *arg)
{
	struct get *g = arg;

	get_move(g, states[g->state].expired);
}

static enum get_state
enter_stay(struct get *g)
{
	return g->state;
}

static enum get_state
get_failed(struct get *g, const struct err *e)
{
	get_progress_error(e->detail);
	g->code = EXIT_RUNTIME;
	return GET_FLUSH;
}

/* ---- order ---- */

/* What may well be otherwise in a moment. */
static bool
is_passing(const struct err *e)
{
	return e->retry_after <= PAUSE_MAX_S &&
	    (e->kind == ERR_UNREACHABLE || e->kind == ERR_UPSTREAM || e->kind == ERR_TIMEOUT ||
		e->kind == ERR_RATE_LIMITED || e->kind == ERR_BUSY);
}

static enum get_state
get_not_issued(struct get *g, const struct err *e)
{
	if (!is_passing(e) || g->again == AGAIN_MAX)
		return get_failed(g, e);
	g->again++;
	g->pause_s = g->again;
	if (e->retry_after > g->pause_s)
		g->pause_s = e->retry_after;
	get_progress_say(g->progress, "failed: %s", e->detail);
	get_progress_say(g->progress, "trying again in %lld s (%u of %d)", (long long)g->pause_s,
	    g->again, AGAIN_MAX);
	return GET_PAUSE;
}

/* Checked as the daemon checks what it hands out. */
static enum get_state
get_issued(struct get *g)
{
	const struct leaf_info *leaf = &g->chain->leaf;
	char until[DATE_TEXT], *written = NULL;
	bool early = false;
	struct err e;

	if (!chain_check(g->chain, g->files.csr, g->issuers, clock_wall(), &early, &e)) {
		err_prefix(&e, "what the CA issued is not what was asked for");
		chain_free(g->chain);
		g->chain = NULL;
		return get_not_issued(g, &e);
	}
	if (early)
		log_warning(NULL, "the certificate is not valid yet: check this machine's clock");
	get_progress_say(g->progress, "issued: serial %s by %s, valid until %s", leaf->serial,
	    leaf->issuer, date_format_rfc3339(leaf->not_after, until));
	if (!get_files_save(&g->files, g->o, g->chain, &written, &e))
		return get_failed(g, &e);
	get_progress_say(g->progress, "written: %s", written);
	free(written);
	return g->o->revoke ? GET_REVOKE : GET_SERVE;
}

static void
ordered(void *arg, struct chain *chain, const char *certificate_url, const struct err *e)
{
	struct get *g = arg;

	(void)certificate_url;
	g->chain = chain;
	get_move(g, chain != NULL ? get_issued(g) : get_not_issued(g, e));
}

static void
challenge_error(void *arg, const struct err *e)
{
	const struct get *g = arg;

	if (e != NULL)
		get_progress_say(g->progress, "not yet: %s", e->detail);
}

static void
authorization_step(void *arg, const char *name, enum acme_step step)
{
	const struct get *g = arg;

	get_progress_step(g->progress, name, step);
}

static enum get_state
enter_order(struct get *g)
{
	struct acme_order_conf conf = {
	    .csr = g->files.csr,
	    .solver = get_parts_solver(&g->parts, g->o),
	    .deadline = clock_mono_ms() + ORDER_MS,
	    .challenge_error = challenge_error,
	    .step = authorization_step,
	};

	/* The pause was as long as the CA asked for. */
	if (g->again > 0)
		ca_reset(g->parts.ca);
	get_progress_begin(g->progress);
	acme_order_start(g->parts.ca, &conf, ordered, g, &g->step);
	return GET_ORDER;
}

static enum get_state
enter_pause(struct get *g)
{
	timer_start(g->timer, g->pause_s * 1000);
	return GET_PAUSE;
}

/* ---- revoke ---- */

static void
revoked(void *arg, bool already, const struct err *e)
{
	struct get *g = arg;

	if (e != NULL) {
		get_move(g, get_failed(g, e));
		return;
	}
	g->revoked = true;
	get_progress_say(g->progress, "%s: serial %s", already ? "was revoked already" : "revoked",
	    g->chain->leaf.serial);
	get_move(g, GET_SERVE);
}

/* What was just issued is the account's to revoke. */
static enum get_state
enter_revoke(struct get *g)
{
	struct acme_revoke_conf conf = {
	    .reason = g->o->reason,
	    .key = g->o->kind == GET_REVOKE_CERT ? g->files.key : NULL,
	    .deadline = clock_mono_ms() + REVOKE_MS,
	};
	uint8_t *der = chain_leaf_der(g->chain, &conf.der_len);

	conf.der = der;
	acme_revoke_start(g->parts.ca, &conf, revoked, g, &g->step);
	free(der);
	return GET_REVOKE;
}

/* ---- serve ---- */

static void
get_announce(const struct get *g)
{
	const char *text;

	for (size_t i = 0; (text = get_serve_https(g->serve, i)) != NULL; i++)
		get_progress_say(g->progress, "serving: https://%s/", text);
	for (size_t i = 0; (text = get_serve_control(g->serve, i)) != NULL; i++)
		get_progress_say(g->progress, "to end it: http://%s/shutdown", text);
}

static enum get_state
enter_serve(struct get *g)
{
	struct err e;

	g->code = EXIT_OK;
	if (g->serve == NULL)
		return GET_FLUSH;
	if (!get_serve_certificate(g->serve, g->chain, g->files.key, g->revoked, &e))
		return get_failed(g, &e);
	get_announce(g);
	return GET_SERVE;
}

/* ---- the end ---- */

static void
look(void *arg)
{
	struct get *g = arg;

	if (get_serve_pending(g->serve) == 0)
		get_move(g, GET_OVER);
	else
		timer_start(g->look, FLUSH_LOOK_MS);
}

static enum get_state
enter_flush(struct get *g)
{
	if (g->serve == NULL)
		return GET_OVER;
	get_serve_stop(g->serve);
	timer_start(g->look, 0);
	return GET_FLUSH;
}

static enum get_state
enter_over(struct get *g)
{
	timer_stop(g->look);
	loop_stop(g->parts.loop);
	return GET_OVER;
}

static void
end_early(struct get *g)
{
	if (g->state < GET_SERVE)
		get_progress_error("told to end before it was done");
	if (g->state < GET_FLUSH)
		get_move(g, GET_FLUSH);
}

static void
shutdown_asked(void *arg)
{
	end_early(arg);
}

/* A second one ends at once. */
static void
end_signal(void *arg, int signo)
{
	struct get *g = arg;

	log_debug(NULL, "%s", strsignal(signo));
	if (g->state == GET_FLUSH)
		get_move(g, GET_OVER);
	else
		end_early(g);
}

/* ---- life ---- */

/* Failures come with the order they fail; the rest of what is not listed is the log's. */
static void
ca_told(void *arg, enum ca_event event, const char *text, const struct err *e)
{
	static const char *const says[CA_EVENT_COUNT] = {
	    [CA_EVENT_KEY_MADE] = "account key made",
	    [CA_EVENT_REGISTERED] = "account registered",
	    [CA_EVENT_FOUND] = "account found",
	};
	const struct get *g = arg;

	if (says[event] != NULL)
		get_progress_say(g->progress, "%s: %s", says[event], text);
	else if (event != CA_EVENT_FAILED && event != CA_EVENT_PAUSED && event != CA_EVENT_UP)
		ca_events_log(NULL, event, text, e);
}

static void
begin(void *arg)
{
	struct get *g = arg;

	/* A signal may have been quicker. */
	if (g->state == GET_IDLE)
		get_move(g, g->o->kind == GET_REVOKE_CERT ? GET_REVOKE : GET_ORDER);
}

static bool
get_prepare(struct get *g, struct err *e)
{
	static const struct identifiers none;
	const struct get_options *o = g->o;
	bool revoking = o->kind == GET_REVOKE_CERT;

	if (!(revoking ? get_files_to_revoke(&g->files, o, &g->chain, e)
		       : get_files_prepare(&g->files, o, e)))
		return false;
	g->progress = get_progress_new(revoking ? &none : &g->files.csr->names);
	if (!get_parts_open(&g->parts, o, e))
		return false;
	if (o->serve)
		g->serve = get_serve_new(g->parts.loop, o, shutdown_asked, g, e);
	if (o->serve && g->serve == NULL)
		return false;
	return get_parts_account(&g->parts, o, ca_told, g, e);
}

/* By nohup(1): then it is to outlive its terminal. */
static bool
hangup_is_ignored(void)
{
	struct sigaction now;

	return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static bool
get_loop(struct get *g, struct err *e)
{
	struct loop *loop = g->parts.loop;

	g->issuers = issuers_new();
	g->timer = timer_new(loop, get_timer, g);
	g->look = timer_new(loop, look, g);
	loop_on_signal(loop, SIGTERM, end_signal, g);
	loop_on_signal(loop, SIGINT, end_signal, g);
	if (!hangup_is_ignored())
		loop_on_signal(loop, SIGHUP, end_signal, g);
	if (g->o->kind != GET_REVOKE_CERT || g->files.key == NULL)
		ca_start(g->parts.ca);
	task_post(loop, &g->begin, begin, g);
	return loop_run(loop, e);
}

static void
get_done(struct get *g)
{
	op_cancel(&g->step);
	timer_free(g->timer);
	timer_free(g->look);
	get_serve_free(g->serve);
	get_parts_done(&g->parts);
	get_progress_free(g->progress);
	get_files_done(&g->files);
	issuers_free(g->issuers);
	chain_free(g->chain);
}

int
get_run(const struct get_options *o)
{
	struct log_conf log = {.level = o->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING};
	struct get g = {.o = o, .code = EXIT_RUNTIME};
	struct err e;

	if (!log_configure(&log, &e) || !get_prepare(&g, &e)) {
		get_progress_error(e.detail);
		g.code = e.kind == ERR_CONFIG || e.kind == ERR_BAD_CSR ? EXIT_CONFIG : EXIT_RUNTIME;
	} else if (!get_loop(&g, &e)) {
		get_progress_error(e.detail);
		g.code = EXIT_RUNTIME;
	}
	get_done(&g);
	log_close();
	return g.code;
}
