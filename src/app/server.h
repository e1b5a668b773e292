/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The object graph: built in one order, torn down in reverse. Owns everything
 * that lives as long as the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct conf;
struct server;

/* Opens everything up to the listeners; nothing is accepted before server_run. conf is borrowed and
 * must outlive the server. ERR_CONFIG, or another kind where the configuration is not to blame. */
struct server *server_new(const struct conf *conf, struct err *e);
void server_free(struct server *s); /* NULL is fine */
/* Serves until a signal has ended it (acmems(8)). False: a run-time failure. */
bool server_run(struct server *s, struct err *e);
