/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration read again (SIGHUP), all or nothing: read, checked as a start
 * checks it, names of listeners looked up, everything new opened; and only then
 * does the next generation follow. Whatever is wrong is logged and changes nothing.
 */
#pragma once

#include <stddef.h>

struct generation;
struct generation_common;
struct reload;
struct resolver;
struct service;
struct ssl_ctx_st;

struct reload_conf {
	char *const *paths; /* borrowed, as all here */
	size_t path_count;
	const struct generation_common *common;
	struct resolver *resolver;
	struct service *service;
	struct generation *const *now; /* where the current one is to be found */
	/* next takes over, and the connections to the CA trust tls; both are given away. */
	void (*follow)(void *arg, struct generation *next, struct ssl_ctx_st *tls);
	void *arg;
};

struct reload *reload_new(const struct reload_conf *conf);
void reload_free(struct reload *r); /* NULL is fine */
/* While one is under way: once more after it. */
void reload_start(struct reload *r);
void reload_cancel(struct reload *r);
