/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every scenario of acme/ starts from: a loop, a fake CA, a solver, our account. */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "acme/ca.h"
#include "acme/ca_stats.h"
#include "acme/order.h"
#include "base/err.h"
#include "codec/chain.h"
#include "acme/key_file.h"
#include "fake_ca.h"
#include "fake_cert.h"
#include "fake_clock.h"
#include "fake_solver.h"

struct world {
	struct loop *loop;
	struct http_client *client;
	struct fake_ca fake;
	struct fake_solver solver;
	struct ca *ca;
	struct ca_stats stats;
	struct ca_conf conf; /* to be changed between world_open and world_start */
	char dir[64];
	char directory_url[80];
	unsigned events[CA_EVENT_COUNT];
	char event_text[CA_EVENT_COUNT][ERR_DETAIL_MAX];
	enum err_kind event_kind;
	const char *replaces; /* of orders to come */
	const char
	    *csr_pem; /* of orders to come, whatever names they are given; NULL: each a new one */
	bool unclean; /* world_close does not look for violations */
};

struct result {
	struct op *op;
	bool done;
	struct chain *chain;
	char url[256];
	struct err e;
	char states[2048]; /* " account new-order ..." */
	char steps[2048];  /* " a.test:present a.test:tell ..." */
	unsigned troubles;
	struct err trouble;
	char *pem;
	struct csr *csr;
};

void world_open(struct world *w); /* "https://ca.test", http-01 */
void world_open_at(struct world *w, const char *base, const char *type);
void world_start(struct world *w);   /* ca_new, ca_start; time does not pass */
void world_ready(struct world *w);   /* the same, and the account is in order */
void world_restart(struct world *w); /* frees the CA, and makes it anew from the same directory */
/* Nothing may be left: presentations, calls, timers; the client has violated nothing. */
void world_close(struct world *w);
char *world_file(struct world *w, const char *name); /* the caller frees */
bool world_has(struct world *w, const char *name);
void world_write(struct world *w, const char *name, const char *text, int mode);
/* A key as file of the account's directory. */
void world_write_key(struct world *w, const char *name, const struct key *key);
/* The CA's only account has this key now, or there is one more. */
void world_know_key(struct world *w, const struct key *key);
void world_add_account(struct world *w, const struct key *key);
/* account.pem is the key that ca uses and the CA knows, and no change is pending. */
void assert_key_settled(struct world *w);

/* Places an order with a deadline of 600 s. */
void order_start(struct world *w, struct result *r, const char *names);
void order_start_with(struct world *w, struct result *r, const char *names, unsigned csr_flags,
    const char *profile, int64_t time_ms);
/* Time passes until it is done, at most that long. */
bool order_wait(struct world *w, struct result *r, int64_t ms);
void order_done(struct result *r); /* cancels, frees */
/* The usual: one order to its end, and it has a certificate. */
void order_good(struct world *w, const char *names);
void assert_issued(const struct result *r);
void assert_failed(const struct result *r, enum err_kind kind, const char *text);
