/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "codec/csr.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "fake_ca_state.h"
#include "http/client.h"

static void
on_event(void *arg, enum ca_event event, const char *text, const struct err *e)
{
	struct world *w = arg;

	w->events[event]++;
	snprintf(w->event_text[event], sizeof(w->event_text[event]), "%s",
	    e != NULL          ? e->detail
		: text != NULL ? text
			       : "");
	if (e != NULL)
		w->event_kind = e->kind;
}

void
world_open_at(struct world *w, const char *base, const char *type)
{
	struct err e;

	memset(w, 0, sizeof(*w));
	fake_clock_reset();
	fake_http_reset();
	w->loop = loop_new(&e);
	assert_non_null(w->loop);
	w->client = fake_http_client(w->loop);
	fake_ca_init(&w->fake, w->loop, base);
	fake_solver_init(&w->solver, w->loop, type);
	w->fake.solver = &w->solver;
	fake_ca_install(&w->fake);
	/* Files are synced as in the daemon; where that costs nothing, all the better. */
	snprintf(w->dir, sizeof(w->dir), "%s/acmems-flow-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->directory_url, sizeof(w->directory_url), "%s/directory", base);
	w->conf = (struct ca_conf){
	    .directory_url = w->directory_url,
	    .dir = w->dir,
	    .key_type = KEY_EC256,
	    .stats = &w->stats,
	    .event = on_event,
	    .event_arg = w,
	};
}

void
world_open(struct world *w)
{
	world_open_at(w, "https://ca.test", "http-01");
}

void
world_start(struct world *w)
{
	struct err e;

	w->ca = ca_new(w->loop, w->client, &w->conf, &e);
	if (w->ca == NULL)
		fail_msg("ca_new: %s", e.detail);
	ca_start(w->ca);
}

void
world_ready(struct world *w)
{
	struct err e;

	world_start(w);
	fake_clock_advance(w->loop, 2000);
	if (!ca_ready(w->ca, &e))
		fail_msg("not ready: %s", e.detail);
	assert_string_not_equal(ca_account_url(w->ca), "");
}

void
world_restart(struct world *w)
{
	ca_free(w->ca);
	fake_clock_advance(w->loop, 0);
	memset(w->events, 0, sizeof(w->events));
	world_start(w);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void
remove_dir(const char *dir)
{
	assert_int_equal(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void
world_close(struct world *w)
{
	struct err e;

	if (!w->unclean)
		assert_string_equal(w->fake.violation, "");
	ca_free(w->ca);
	fake_clock_settle(w->loop);
	/* Whatever way an order took, it is counted out of its last state. */
	for (size_t i = 0; i < ACME_ORDER_STATES; i++)
		assert_int_equal(w->stats.orders[i], 0);
	assert_int_equal(fake_solver_active(&w->solver), 0);
	assert_int_equal(w->solver.presented, w->solver.withdrawn);
	assert_int_equal(fake_http_open(), 0);
	fake_ca_done(&w->fake);
	fake_solver_done(&w->solver);
	http_client_free(w->client);
	assert_int_equal(fake_timers_alive(), 0);
	/* Nothing is left that the loop would have to do. */
	assert_false(loop_run(w->loop, &e));
	loop_free(w->loop);
	remove_dir(w->dir);
}

char *
world_file(struct world *w, const char *name)
{
	char *path = xasprintf("%s/%s", w->dir, name);
	struct buf b;
	struct err e;

	buf_init(&b, 100000);
	if (!file_read(path, &b, &e))
		fail_msg("%s", e.detail);
	free(path);
	return buf_take(&b, NULL);
}

void
world_write(struct world *w, const char *name, const char *text, int mode)
{
	char *path = xasprintf("%s/%s", w->dir, name);
	struct err e;

	assert_true(file_write_atomic(path, text, strlen(text), (mode_t)mode, &e));
	free(path);
}

bool
world_has(struct world *w, const char *name)
{
	return key_file_there(w->dir, name);
}

/* ---- keys ---- */

void
world_write_key(struct world *w, const char *name, const struct key *key)
{
	struct err e;

	if (!key_file_write(w->dir, name, key, &e))
		fail_msg("%s", e.detail);
}

void
world_know_key(struct world *w, const struct key *key)
{
	struct fake_account *account = &w->fake.state->accounts[0];

	free(account->jwk);
	account->jwk = json_text(key_jwk(key), 0);
}

void
world_add_account(struct world *w, const struct key *key)
{
	struct fake_ca_state *st = w->fake.state;

	st->accounts[st->account_count++] =
	    (struct fake_account){.jwk = json_text(key_jwk(key), 0), .id = st->next_id++};
}

void
assert_key_settled(struct world *w)
{
	char *known = w->fake.state->accounts[0].jwk;
	char *used = json_text(key_jwk(ca_key(w->ca)), 0);
	struct err e;
	struct key *kept = key_file_load(w->dir, KEY_FILE, &e);

	if (kept == NULL)
		fail_msg("%s", e.detail);
	assert_string_equal(used, known);
	assert_string_equal(key_thumbprint(kept), key_thumbprint(ca_key(w->ca)));
	assert_false(world_has(w, KEY_FILE_PENDING));
	key_free(kept);
	free(used);
}

/* ---- orders ---- */

static void
on_done(void *arg, struct chain *chain, const char *url, const struct err *e)
{
	struct result *r = arg;

	assert_false(r->done);
	assert_null(r->op);
	r->done = true;
	r->chain = chain;
	if (url != NULL)
		snprintf(r->url, sizeof(r->url), "%s", url);
	if (e != NULL)
		r->e = *e;
	assert_true((chain != NULL) == (e == NULL));
}

static void
on_moved(void *arg, const char *state)
{
	struct result *r = arg;

	if (strlen(r->states) + strlen(state) + 2 < sizeof(r->states))
		strcat(strcat(r->states, " "), state);
}

static void
on_step(void *arg, const char *name, enum acme_step step)
{
	static const char *const names[ACME_STEP_COUNT] = {
	    [ACME_STEP_PRESENT] = "present",
	    [ACME_STEP_TELL] = "tell",
	    [ACME_STEP_VALID] = "valid",
	    [ACME_STEP_FAILED] = "failed",
	};
	struct result *r = arg;
	size_t len = strlen(r->steps);

	snprintf(r->steps + len, sizeof(r->steps) - len, " %s:%s", name, names[step]);
}

static void
on_trouble(void *arg, const struct err *e)
{
	struct result *r = arg;

	r->troubles++;
	if (e != NULL)
		r->trouble = *e;
	else
		err_clear(&r->trouble);
}

void
order_start_with(struct world *w, struct result *r, const char *names, unsigned csr_flags,
    const char *profile, int64_t time_ms)
{
	struct acme_order_conf conf = {
	    .profile = profile,
	    .replaces = w->replaces,
	    .solver = &w->solver.solver,
	    .deadline = clock_mono_ms() + time_ms,
	    .moved = on_moved,
	    .challenge_error = on_trouble,
	    .step = on_step,
	};
	struct err e;

	memset(r, 0, sizeof(*r));
	r->pem = w->csr_pem != NULL ? xstrdup(w->csr_pem) : fake_csr(names, csr_flags);
	r->csr = csr_parse(r->pem, strlen(r->pem), &e);
	if (r->csr == NULL)
		fail_msg("%s", e.detail);
	conf.csr = r->csr;
	acme_order_start(w->ca, &conf, on_done, r, &r->op);
	assert_false(r->done);
}

void
order_start(struct world *w, struct result *r, const char *names)
{
	order_start_with(w, r, names, 0, NULL, 600 * 1000);
}

bool
order_wait(struct world *w, struct result *r, int64_t ms)
{
	return fake_clock_until(w->loop, &r->done, ms);
}

void
order_done(struct result *r)
{
	op_cancel(&r->op);
	chain_free(r->chain);
	csr_free(r->csr);
	free(r->pem);
}

void
assert_issued(const struct result *r)
{
	if (!r->done)
		fail_msg("not done:%s", r->states);
	if (r->chain == NULL)
		fail_msg("failed (%s): %s;%s", err_kind_name(r->e.kind), r->e.detail, r->states);
	assert_memory_equal(r->chain->leaf.spki_sha256, r->csr->spki_sha256, 32);
	assert_true(identifiers_equal(&r->chain->names, &r->csr->names));
	assert_string_not_equal(r->url, "");
}

void
assert_failed(const struct result *r, enum err_kind kind, const char *text)
{
	if (!r->done)
		fail_msg("not done:%s", r->states);
	assert_null(r->chain);
	if (r->e.kind != kind || strstr(r->e.detail, text) == NULL)
		fail_msg("wanted %s with \"%s\", got %s: %s;%s", err_kind_name(kind), text,
		    err_kind_name(r->e.kind), r->e.detail, r->states);
}

void
order_good(struct world *w, const char *names)
{
	struct result r;

	order_start(w, &r, names);
	order_wait(w, &r, 60 * 1000);
	assert_issued(&r);
	order_done(&r);
}
