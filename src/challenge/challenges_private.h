/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What challenge.c and challenges.c share. */
#pragma once

#include "base/queue.h"
#include "challenge/challenge.h"
#include "challenge/challenges.h"
#include "http/server.h"

struct challenges {
	struct loop *loop;
	struct tokens *tokens;
	struct responder_records *records;
	void (*warn)(void *arg, const char *block, const char *text);
	void *warn_arg;
	TAILQ_HEAD(, challenge) list;
	size_t active;
	struct challenge_stats stats[CHALLENGE_TYPE_COUNT];
	struct http_server_stats http_stats;
	void (*idle)(void *arg);
	void *idle_arg;
	struct task idle_task; /* posted when active fell to 0 and someone waits for it */
};

/* One of them fell idle. */
void challenges_ended(struct challenges *all);
