/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The evdns base behind the look-ups, and the files it reads. Internal to resolve.c. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/queue.h"
#include "ev/resolve.h"

struct evdns_base;

struct resolver {
	struct loop *loop;
	struct evdns_base *evdns;
	char *resolv_conf;
	char *hosts;
	struct timespec resolv_conf_read; /* when the file read was last changed */
	struct timespec hosts_read;
	TAILQ_HEAD(, lookup) lookups;
	unsigned asking; /* look-ups evdns will still call back for */
	bool dying;      /* freed by its owner, by us when evdns has called back for all of them */
};

/* A daemon lives longer than the network it was started in. */
void resolver_reread_changed_files(struct resolver *r);
/* Frees after this turn. */
void resolver_dispose(struct resolver *r);
