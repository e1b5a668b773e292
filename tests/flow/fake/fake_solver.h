/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A solver that remembers what is present and counts: every scenario ends with
 * as many withdrawals as presentations. It is a struct challenge at the same
 * time, for the desk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acme/solver.h"
#include "challenge/challenge.h"

struct loop;

struct fake_solver {
	union {
		struct acme_solver solver;
		struct challenge challenge;
	};
	struct loop *loop;
	/* What the scenario chooses. */
	int64_t delay_ms;      /* until something presented is there */
	int64_t delay_more_ms; /* that much longer for each one there already */
	struct err fail;       /* other than ERR_NONE: presenting fails with this */
	/* What happened. */
	unsigned presented; /* became present */
	unsigned withdrawn;
	unsigned cancelled; /* while it was being made present */
	unsigned fetched;
	struct fake_present *first;
};

void fake_solver_init(struct fake_solver *s, struct loop *loop, const char *type);
void fake_solver_done(struct fake_solver *s);
/* Present and being made present. */
size_t fake_solver_active(const struct fake_solver *s);
/* What the CA does when it validates: looks the token up, and calls fetched. The key authorization,
 * or NULL if the token is not present. */
const char *fake_solver_fetch(struct fake_solver *s, const char *token);
