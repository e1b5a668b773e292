/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/life.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "app/service.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "challenge/challenges.h"
#include "ev/loop.h"
#include "ev/timer.h"
#include "issue/desk.h"
#include "mgmt/mgmt.h"

enum {
	WITHDRAW_MS = 10 * 1000, /* challenges are withdrawn within 10 s more */
	FLUSH_MS = 5 * 1000,     /* a client that does not read its answer does not keep us */
	FLUSH_LOOK_MS = 5,
};

enum life_stage { RUNNING, DRAINING, WITHDRAWING, FLUSHING, OVER, STAGE_COUNT };

static const char *const stage_names[] = {
    [RUNNING] = "running",
    [DRAINING] = "draining",
    [WITHDRAWING] = "withdrawing challenges",
    [FLUSHING] = "writing answers",
    [OVER] = "over",
};
static_assert(sizeof(stage_names) / sizeof(stage_names[0]) == STAGE_COUNT, "a name for each");

struct life {
	struct loop *loop;
	struct life_conf conf;
	enum life_stage stage;
	struct timer *deadline;
	struct timer *look;
};

static void enter(struct life *l, enum life_stage stage);

/* ---- draining ---- */

static void
jobs_done(void *arg)
{
	struct life *l = arg;

	if (l->stage == DRAINING)
		enter(l, WITHDRAWING);
}

static void
drain(struct life *l)
{
	service_stopping(l->conf.service, "orders under way come to their end");
	mgmt_stop_accepting(l->conf.mgmt);
	l->conf.close_listeners(l->conf.arg);
	desk_drain(l->conf.desk);
	timer_start(l->deadline, l->conf.shutdown_timeout_ms);
	desk_on_idle(l->conf.desk, jobs_done, l);
}

/* ---- withdrawing ---- */

static void
challenges_withdrawn(void *arg)
{
	struct life *l = arg;

	if (l->stage == WITHDRAWING)
		enter(l, FLUSHING);
}

static void
withdraw(struct life *l)
{
	timer_start(l->deadline, WITHDRAW_MS);
	challenges_on_idle(l->conf.challenges, challenges_withdrawn, l);
}

/* ---- flushing ---- */

static void
look(void *arg)
{
	struct life *l = arg;

	if (mgmt_pending(l->conf.mgmt) == 0)
		enter(l, OVER);
	else
		timer_start(l->look, FLUSH_LOOK_MS);
}

static void
flush(struct life *l)
{
	timer_start(l->deadline, FLUSH_MS);
	timer_start(l->look, 0);
}

/* ---- the stages ---- */

static void
enter(struct life *l, enum life_stage stage)
{
	log_info(NULL, "%s -> %s", stage_names[l->stage], stage_names[stage]);
	timer_stop(l->deadline);
	l->stage = stage;
	switch (stage) {
	case DRAINING:
		drain(l);
		break;
	case WITHDRAWING:
		withdraw(l);
		break;
	case FLUSHING:
		flush(l);
		break;
	case OVER:
		loop_stop(l->loop);
		break;
	case RUNNING:
	case STAGE_COUNT:
		break;
	}
}

static void
deadline_passed(void *arg)
{
	struct life *l = arg;
	struct err e;

	switch (l->stage) {
	case DRAINING:
		log_warning(NULL, "%zu orders did not end within shutdown-timeout: giving them up",
		    desk_jobs(l->conf.desk));
		err_set(&e, ERR_BUSY, "this server is shutting down");
		desk_abort(l->conf.desk, &e);
		break;
	case WITHDRAWING:
		log_warning(NULL, "not every challenge could be withdrawn in time");
		enter(l, FLUSHING);
		break;
	case FLUSHING:
		enter(l, OVER);
		break;
	case RUNNING:
	case OVER:
	case STAGE_COUNT:
		break;
	}
}

static void
end_signal(void *arg, int signo)
{
	struct life *l = arg;

	if (l->stage == RUNNING) {
		log_info(
		    NULL, "%s: %zu orders in flight", strsignal(signo), desk_jobs(l->conf.desk));
		enter(l, DRAINING);
	} else {
		log_warning(NULL, "%s again: ending at once", strsignal(signo));
		enter(l, OVER);
	}
}

static void
hangup_signal(void *arg, int signo)
{
	struct life *l = arg;
	struct err e;

	(void)signo;
	if (!log_reopen(&e))
		log_error(
		    NULL, "the log file could not be opened anew, the old one stays: %s", e.detail);
	l->conf.forget(l->conf.arg);
	log_info(NULL, "log reopened, remembered failures and pauses forgotten");
	if (l->stage == RUNNING)
		l->conf.reload(l->conf.arg);
}

struct life *
life_new(struct loop *loop, const struct life_conf *conf)
{
	struct life *l = xcalloc(1, sizeof(*l));

	l->loop = loop;
	l->conf = *conf;
	l->deadline = timer_new(loop, deadline_passed, l);
	l->look = timer_new(loop, look, l);
	loop_on_signal(loop, SIGTERM, end_signal, l);
	loop_on_signal(loop, SIGINT, end_signal, l);
	loop_on_signal(loop, SIGHUP, hangup_signal, l);
	return l;
}

void
life_set_shutdown_timeout(struct life *l, int64_t ms)
{
	l->conf.shutdown_timeout_ms = ms;
}

void
life_free(struct life *l)
{
	if (l == NULL)
		return;
	timer_free(l->deadline);
	timer_free(l->look);
	free(l);
}
