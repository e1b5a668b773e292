/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names to addresses, without blocking, on evdns (resolv.conf and hosts). */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

struct loop;
struct op;
struct resolver;

enum { RESOLVE_MAX = 16 };

struct resolved {
	struct sockaddr_storage
	    addrs[RESOLVE_MAX]; /* port set; IPv6 and IPv4 in the system's order */
	socklen_t lens[RESOLVE_MAX];
	size_t count; /* at least 1 on success */
};

/* A machine without any name server is no failure: addresses and the hosts file still work. */
struct resolver *resolver_new(struct loop *loop, struct err *e);
/* The same with other files. A changed file is read anew before the next question. */
struct resolver *resolver_new_files(
    struct loop *loop, const char *resolv_conf, const char *hosts, struct err *e);
/* Cancels its look-ups without running completions. NULL is fine. */
void resolver_free(struct resolver *r);

/* answer is NULL on failure (ERR_UNREACHABLE naming the host), else valid during the call. */
typedef void resolve_done_fn(void *arg, const struct resolved *answer, const struct err *e);
/* IP literals and localhost are answered without a question. timeout_ms bounds it all. */
void resolve_start(struct resolver *r, const char *host, uint16_t port, int64_t timeout_ms,
    resolve_done_fn *done, void *arg, struct op **slot);
