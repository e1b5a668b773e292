/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The solver dns01-dnsUpdate between an authorization (the test) and model servers. */
#pragma once

#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "dns/tsig_key.h"
#include "model.h"

enum { ASKS = 24, SECONDARIES = 3 };

struct world;

/* One authorization. */
struct asking {
	struct world *w;
	struct identifier identifier;
	char token[32];
	char key_authorization[64];
	char name[300]; /* _acme-challenge.NAME */
	char *value;
	struct op *slot;
	bool told, success;
	struct err error;
};

struct world {
	struct loop *loop;
	struct timer *pulse;
	struct model primary;
	struct model secondary[SECONDARIES];
	struct tsig_key key;
	struct host_port servers[1 + SECONDARIES];
	struct challenge_conf conf;
	struct challenges *all;
	struct challenge *challenge;
	struct asking asks[ASKS];
	bool idle;
	char warnings[4096];
	size_t message; /* of the primary, counted */
	size_t trigger; /* scripts act at this one */
	int script;
};

struct world *world_new(void);
void world_free(struct world *w);
/* Another server of the zone, on 127.0.0.(2 + i) and the same port; skips the test if it cannot be.
 */
void world_secondary(struct world *w, size_t i);
/* After the configuration (w->conf.dns01_update) was changed at will. */
void world_open(struct world *w);

/* The i-th asking for name; token makes the value. */
void world_present(struct world *w, size_t i, const char *name, const char *token);
void world_withdraw(struct world *w, size_t i);
/* Until that asking was told; at most a few seconds. */
void world_wait(struct world *w, size_t i);
void world_run(struct world *w, int ms);
/* Until nothing is presented or being taken away. */
void world_wait_idle(struct world *w);
void world_expect_success(struct world *w, size_t i);
void world_expect_error(struct world *w, size_t i, enum err_kind kind, const char *text);
