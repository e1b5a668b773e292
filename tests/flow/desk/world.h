/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The desk with everything around it faked: orders end when a scenario says so,
 * time passes when it says so. Auth blocks:
 *   all     anyone, *.example, storage none
 *   kept    from 192.0.2.0/24, *.kept and 192.0.2.0/24, storage "kept"
 *   short   from 198.51.100.0/24, *.kept, storage "kept", profile "short"
 *   plain   anyone, *.plain, a verification that can prove neither wildcards nor addresses
 *   revokers  with the HMAC key REVOKE_KEY, *.kept and *.example, storage "kept", may revoke
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/digest.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "fake_clock.h"
#include "fake_order.h"
#include "fake_solver.h"
#include "fake_store.h"
#include "issue/desk.h"

#define REVOKE_KEY "a key of those who may revoke"

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	TIMEOUT_MS = 180 * SECOND,
	ORDER_TIMEOUT_MS = 600 * SECOND,
	MAX_ORDERS = 5,
	RENEW_WITHIN_DAYS = 14,
};

struct world {
	struct loop *loop;
	struct fake_solver solver;
	struct fake_solver plain_solver;
	struct store *none;
	struct fake_store kept;
	struct policy *policy;
	struct desk *desk;
	char log[64];   /* file, level debug */
	char audit[80]; /* the audit file */
	int idle;
};

/* One who posts, and what became of it. */
struct client {
	struct op *op;
	int answers;
	char *pem; /* NULL: failure */
	bool cached;
	char renewal_failed[ERR_DETAIL_MAX];
	struct err error;
};

/* A request body and its key. */
struct body {
	char *text;
	char key[SHA384_HEX];
};

int world_setup(void **state);
int world_teardown(void **state); /* and nothing is left over */

struct body body_make(const char *names);
void body_done(struct body *b);

void post_from(struct world *w, struct client *c, const struct body *b, const char *address);
void post(
    struct world *w, struct client *c, const struct body *b); /* from 192.0.2.1, and settles */
void client_done(struct client *c);
void expect_pem(const struct client *c);
void expect_error(const struct client *c, enum err_kind kind);
/* One post that is issued at once; the certificate is left for the caller. */
void issue(struct world *w, struct client *c, const struct body *b);

void settle(struct world *w);
void pass(struct world *w, int64_t ms);
/* Lines of the log so far that contain text; without those of the audit, unless text names it. */
int logged(const struct world *w, const char *text);

/* The lines of the audit file so far that contain both texts. */
int audited(const struct world *w, const char *text, const char *and);

#define SCENARIO(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
