/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The object graph: built in one order, torn down in reverse. Owns everything
 * that lives as long as the process, and the current generation of what a
 * configuration describes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct conf;
struct server;

/* Opens everything up to the listeners; nothing is accepted before server_run. conf is taken over,
 * also on failure; paths, from which it is read again on SIGHUP, are borrowed. ERR_CONFIG, or
 * another kind where the configuration is not to blame. */
struct server *server_new(struct conf *conf, char *const *paths, size_t count, struct err *e);
void server_free(struct server *s); /* NULL is fine */
/* Serves until a signal has ended it (acmems(8)). False: a run-time failure. */
bool server_run(struct server *s, struct err *e);
