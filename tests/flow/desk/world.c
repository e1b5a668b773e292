/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "challenge/challenge.h"
#include "fake_cert.h"
#include "issue/policy.h"

static const struct challenge_kind plain_kind = {.config_name = "plain"};

static struct policy *
make_policy(void)
{
	struct ip_range kept, shorty;
	char *example[] = {"*.example", "*.b.example"};
	char *names[] = {"*.kept", "192.0.2.0/24"};
	char *plain[] = {"*.plain", "192.0.2.0/24"};
	char *revoked[] = {"*.kept", "*.example"};
	struct auth_key keys[] = {{REVOKE_KEY, sizeof(REVOKE_KEY) - 1}};

	assert_true(ip_range_parse("192.0.2.0/24", &kept, NULL));
	assert_true(ip_range_parse("198.51.100.0/24", &shorty, NULL));
	struct auth_block blocks[] = {
	    {.name = "all", .all = true, .domains = example, .domain_count = 2},
	    {.name = "kept",
		.ranges = &kept,
		.range_count = 1,
		.domains = names,
		.domain_count = 2,
		.store = 1},
	    {.name = "short",
		.ranges = &shorty,
		.range_count = 1,
		.domains = names,
		.domain_count = 2,
		.store = 1,
		.profile = "short"},
	    {.name = "plain", .all = true, .domains = plain, .domain_count = 2, .verification = 1},
	    {.name = "revokers",
		.hmac = DIGEST_SHA256,
		.keys = keys,
		.key_count = 1,
		.domains = revoked,
		.domain_count = 2,
		.store = 1,
		.revoke = true},
	};
	return policy_new(blocks, sizeof(blocks) / sizeof(blocks[0]));
}

static void
open_log(struct world *w)
{
	snprintf(w->log, sizeof(w->log), "/tmp/acmems-desk-XXXXXX");
	int fd = mkstemp(w->log);
	assert_true(fd >= 0);
	close(fd);
	snprintf(w->audit, sizeof(w->audit), "%s.audit", w->log);
	struct log_conf conf = {.level = LOG_LEVEL_DEBUG,
	    .destination = LOG_TO_FILE,
	    .path = w->log,
	    .audit = w->audit};
	assert_true(log_configure(&conf, NULL));
}

int
world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	fake_clock_reset();
	fake_acme_reset();
	open_log(w);
	w->loop = loop_new(NULL);
	fake_solver_init(&w->solver, w->loop, "http-01");
	fake_solver_init(&w->plain_solver, w->loop, "http-01");
	w->plain_solver.challenge.kind = &plain_kind;
	w->none = store_none_new("none");
	fake_store_init(&w->kept, w->loop, "kept", RENEW_WITHIN_DAYS * 86400);
	w->policy = make_policy();

	struct challenge *challenges[] = {&w->solver.challenge, &w->plain_solver.challenge};
	struct store *stores[] = {w->none, &w->kept.base};
	struct desk_conf conf = {
	    .policy = w->policy,
	    .challenges = challenges,
	    .challenge_count = 2,
	    .stores = stores,
	    .store_count = 2,
	    .timeout_ms = TIMEOUT_MS,
	    .order_timeout_ms = ORDER_TIMEOUT_MS,
	    .max_orders = MAX_ORDERS,
	};
	w->desk = desk_new(w->loop, &conf);
	*state = w;
	return 0;
}

/* Whatever way a job or a request took, it is counted out of its last state. */
static void
expect_counted(const struct desk *d)
{
	const struct desk_stats *stats = desk_stats(d);
	uint64_t ended = stats->cached + stats->issued + stats->renewals_failed;
	uint64_t jobs = 0;

	for (size_t i = 0; i < JOB_STATES; i++)
		jobs += stats->jobs.now[i];
	for (size_t i = 0; i < ERR_KIND_COUNT; i++)
		ended += stats->failed[i];
	assert_int_equal(jobs, desk_jobs(d));
	assert_true(ended <= stats->requests);
	if (jobs == 0)
		assert_int_equal(ended, stats->requests);
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	if (w->desk != NULL)
		expect_counted(w->desk);
	desk_free(w->desk);
	policy_free(w->policy);
	store_free(w->none);
	fake_store_done(&w->kept);
	fake_solver_done(&w->solver);
	fake_solver_done(&w->plain_solver);
	loop_free(w->loop);
	log_close();
	unlink(w->log);
	unlink(w->audit);
	assert_int_equal(fake_orders_open(), 0);
	assert_int_equal(fake_timers_alive(), 0);
	fake_acme_done();
	free(w);
	return 0;
}

struct body
body_make(const char *names)
{
	struct body b = {.text = fake_csr(names, 0)};

	digest_sha384_hex(b.text, strlen(b.text), b.key);
	return b;
}

void
body_done(struct body *b)
{
	free(b->text);
}

static void
answered(void *arg, const struct sign_result *result, const struct err *e)
{
	struct client *c = arg;

	assert_null(c->op);
	c->answers++;
	if (e != NULL) {
		c->error = *e;
		return;
	}
	c->pem = strndup(result->pem, result->pem_len);
	c->cached = result->cached;
	if (result->renewal_failed != NULL)
		snprintf(
		    c->renewal_failed, sizeof(c->renewal_failed), "%s", result->renewal_failed);
}

void
post_from(struct world *w, struct client *c, const struct body *b, const char *address)
{
	struct client_identity who = {.has_addr = true, .text = address};
	struct sign_request request = {.who = &who, .body = b->text, .body_len = strlen(b->text)};

	client_done(c);
	assert_true(ip_addr_parse(address, strlen(address), &who.addr));
	desk_sign(w->desk, &request, answered, c, &c->op);
	assert_int_equal(c->answers, 0);
	assert_non_null(c->op);
}

void
post(struct world *w, struct client *c, const struct body *b)
{
	post_from(w, c, b, "192.0.2.1");
	settle(w);
}

void
client_done(struct client *c)
{
	assert_null(c->op);
	free(c->pem);
	memset(c, 0, sizeof(*c));
}

void
expect_pem(const struct client *c)
{
	assert_int_equal(c->answers, 1);
	if (c->pem == NULL)
		fail_msg("%s: %s", err_kind_name(c->error.kind), c->error.detail);
	assert_non_null(strstr(c->pem, "BEGIN CERTIFICATE"));
}

void
expect_error(const struct client *c, enum err_kind kind)
{
	assert_int_equal(c->answers, 1);
	assert_null(c->pem);
	assert_string_equal(err_kind_name(c->error.kind), err_kind_name(kind));
	assert_true(c->error.detail[0] != '\0');
}

void
issue(struct world *w, struct client *c, const struct body *b)
{
	post(w, c, b);
	assert_int_equal(fake_orders_open(), 1);
	fake_order_issue(fake_order_at(0));
	settle(w);
	expect_pem(c);
}

void
settle(struct world *w)
{
	fake_clock_settle(w->loop);
}

void
pass(struct world *w, int64_t ms)
{
	fake_clock_advance(w->loop, ms);
}

static int
count_lines(const char *path, const char *text, const char *and)
{
	FILE *f = fopen(path, "r");
	static char line[65536];
	int n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL && strstr(line, and) != NULL &&
		    (strstr(text, " audit ") != NULL || strstr(line, "Z audit ") == NULL);
	fclose(f);
	return n;
}

int
logged(const struct world *w, const char *text)
{
	return count_lines(w->log, text, "");
}

int
audited(const struct world *w, const char *text, const char *and)
{
	return count_lines(w->audit, text, and);
}
