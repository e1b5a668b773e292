/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of the process: signals, and the way down (acmems(8)): running ->
 * draining (jobs end) -> withdrawing (challenges end) -> flushing (answers are
 * written) -> over. Each step has a deadline, a second signal ends at once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct challenges;
struct desk;
struct life;
struct loop;
struct mgmt;
struct service;

struct life_conf {
	struct desk *desk;
	struct mgmt *mgmt;
	struct challenges *challenges;
	int64_t shutdown_timeout_ms;
	void (*close_listeners)(void *arg); /* of the management side */
	struct service *service;
	void (*forget)(void *arg); /* failures and pauses, on SIGHUP; */
	void (*reload)(void *arg); /* and then the configuration is read again */
	void *arg;
};

/* Takes the signals over. What conf names is borrowed. */
struct life *life_new(struct loop *loop, const struct life_conf *conf);
void life_set_shutdown_timeout(struct life *l, int64_t ms);
void life_free(struct life *l); /* NULL is fine */
