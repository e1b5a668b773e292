/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The usual course, once for each request in it and each way that request can
 * fail: the order ends in time, with a certificate or with a reason, and nothing
 * is left behind. The same once more for every moment at which one can cancel
 * (test_failure.c), and with the answer lost after the CA has acted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum mode {
	MODE_REFUSED,
	MODE_SILENT,
	MODE_STALE,
	MODE_ERROR_500,
	MODE_ERROR_BARE,
	MODE_GARBAGE,
	MODE_EMPTY,
	MODE_BUSY,
	MODE_LIMITED,
	MODE_BAD_NONCE,
	MODE_ACCOUNT_GONE,
	MODE_UNAUTHORIZED,
	MODE_REDIRECT,
	MODE_HUGE_RETRY_AFTER,
	MODE_COUNT
};

struct plan {
	unsigned at;    /* the request that goes wrong, from 1 */
	unsigned times; /* that many in a row */
	enum mode mode;
	bool acted; /* the CA has done what was asked */
	unsigned seen;
};

static void
spoil(enum mode mode, struct fake_http_reply *reply)
{
	switch (mode) {
	case MODE_REFUSED:
		reply->outcome = FAKE_HTTP_REFUSED;
		break;
	case MODE_SILENT:
		reply->outcome = FAKE_HTTP_SILENT;
		break;
	case MODE_STALE:
		reply->outcome = FAKE_HTTP_STALE;
		break;
	case MODE_ERROR_500:
		fake_ca_problem(reply, 500, "serverInternal", "out of order");
		break;
	case MODE_ERROR_BARE:
		fake_http_status(reply, 502, "<html>Bad Gateway</html>");
		break;
	case MODE_GARBAGE:
		fake_http_status(reply, 200, "{\"status\":{},\"identifier\":[]}");
		break;
	case MODE_EMPTY:
		fake_http_status(reply, 200, NULL);
		reply->header_count = 0;
		break;
	case MODE_BUSY:
		fake_http_status(reply, 503, NULL);
		fake_http_header(reply, "Retry-After", "2");
		break;
	case MODE_LIMITED:
		fake_ca_problem(reply, 429, "rateLimited", "slower");
		break;
	case MODE_BAD_NONCE:
		reply->header_count = 0;
		fake_ca_problem(reply, 400, "badNonce", "no");
		break;
	case MODE_ACCOUNT_GONE:
		fake_ca_problem(reply, 400, "accountDoesNotExist", "no");
		break;
	case MODE_UNAUTHORIZED:
		fake_ca_problem(reply, 403, "unauthorized", "no");
		break;
	case MODE_REDIRECT:
		fake_http_status(reply, 302, NULL);
		break;
	case MODE_HUGE_RETRY_AFTER:
		fake_http_status(reply, 503, NULL);
		fake_http_header(reply, "Retry-After", "99999999999999999999");
		break;
	case MODE_COUNT:
		break;
	}
}

static bool
hit(struct fake_ca *ca)
{
	struct plan *p = ca->arg;

	p->seen++;
	return p->seen >= p->at && p->seen < p->at + p->times;
}

static bool
spoil_before(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct plan *p = ca->arg;

	if (p->acted || !hit(ca))
		return false;
	spoil(p->mode, reply);
	return true;
}

static void
spoil_after(struct fake_ca *ca, enum fake_step step, const struct fake_http_request *request,
    struct fake_http_reply *reply)
{
	struct plan *p = ca->arg;

	if (p->acted && hit(ca))
		spoil(p->mode, reply);
}

/* Made once: there are hundreds of runs. */
static char *account_pem;
static char *csr_pem;

static int
make_keys(void **state)
{
	struct world w;

	world_open(&w);
	world_ready(&w);
	account_pem = world_file(&w, "account.pem");
	world_close(&w);
	csr_pem = fake_csr("a.test,b.test", 0);
	return 0;
}

static int
drop_keys(void **state)
{
	free(account_pem);
	free(csr_pem);
	return 0;
}

/* Returns how many requests there were. */
static unsigned
run(struct plan *p)
{
	struct world w;
	struct result r;
	unsigned seen;

	world_open(&w);
	/* The CA has acted, and we ask again: what it then says to us is its right. */
	w.unclean = p->acted;
	w.fake.before = spoil_before;
	w.fake.after = spoil_after;
	w.fake.arg = p;
	w.fake.processing_polls = 1;
	w.csr_pem = csr_pem;
	world_write(&w, "account.pem", account_pem, 0600);
	world_start(&w);
	order_start_with(&w, &r, "a.test,b.test", 0, NULL, 300 * 1000);
	if (!order_wait(&w, &r, 301 * 1000))
		fail_msg("mode %d at %u: never ends;%s", p->mode, p->at, r.states);
	if (r.chain == NULL && (r.e.kind == ERR_NONE || r.e.detail[0] == '\0'))
		fail_msg("mode %d at %u: no reason", p->mode, p->at);
	if (r.chain == NULL && (r.e.kind == ERR_INTERNAL || r.e.kind == ERR_CANCELLED))
		fail_msg("mode %d at %u: %s", p->mode, p->at, r.e.detail);
	seen = p->seen;
	order_done(&r);

	/* The next order is not the worse for it, once back-off and pauses are over. */
	p->times = 0;
	fake_clock_advance(w.loop, 7LL * 86400 * 1000 + 100 * 1000);
	order_good(&w, "a.test,b.test");
	world_close(&w);
	return seen;
}

static void
nothing_fails(void **state)
{
	struct plan p = {.at = 0, .times = 0};

	assert_in_range(run(&p), 12, 20);
}

static void
each_step(unsigned times, bool acted)
{
	struct plan none = {.at = 0, .times = 0};
	unsigned steps = run(&none);

	for (int mode = 0; mode < MODE_COUNT; mode++) {
		for (unsigned at = 1; at <= steps; at++) {
			struct plan p = {.at = at, .times = times, .mode = mode, .acted = acted};

			run(&p);
		}
	}
}

static void
each_step_fails_once(void **state)
{
	each_step(1, false);
}

static void
each_step_fails_for_long(void **state)
{
	each_step(1000, false);
}

static void
each_answer_is_lost(void **state)
{
	each_step(1, true);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_fails),
	    cmocka_unit_test(each_step_fails_once),
	    cmocka_unit_test(each_step_fails_for_long),
	    cmocka_unit_test(each_answer_is_lost),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
