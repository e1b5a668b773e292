/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names in listeners become addresses, without blocking: for a reload, which
 * must not stop the loop as getaddrinfo() may. A name's addresses take its place
 * in the configuration.
 */
#pragma once

#include "base/err.h"

struct conf;
struct conf_resolution;
struct loop;
struct op;
struct resolver;

/* e NULL: every listener is an address or a unix socket now, and no two are in each other's way. */
typedef void conf_resolved_fn(void *arg, const struct err *e);
/* conf is borrowed until then. Ends within seconds for each name. */
void conf_resolve_start(struct loop *loop, struct resolver *resolver, struct conf *conf,
    conf_resolved_fn *done, void *arg, struct op **slot);
