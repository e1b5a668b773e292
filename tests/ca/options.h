/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line, and the part of it that can be changed while running: the knobs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

enum { OPTION_LIST_MAX = 32 };

struct option_list {
	char *values[OPTION_LIST_MAX];
	size_t count;
};

struct options {
	char *listen, *control, *dir, *host, *scenario;
	struct option_list profiles; /* NAME=SECONDS */
	struct option_list eab;      /* KID:base64url of the HMAC key */
	bool terms;
	long log_size;
	bool help, list_faults;
	/* Knobs. */
	bool verify, validate;
	char *dns_server;
	long http_port, tls_port;
	long validation_delay, finalize_delay; /* milliseconds */
	long validation_timeout;               /* milliseconds */
	long retry_after;                      /* seconds; 0: no header */
	long validity;                         /* seconds, of the default profile */
	long window_start, window_end;         /* seconds from now; both 0: as usual */
	long renewal_retry;                    /* seconds */
};

void options_init(struct options *o);
void options_done(struct options *o);
bool options_parse(struct options *o, int argc, char **argv, struct err *e);
void options_help(void);
/* {"validation-delay": 50, ...}; all or nothing is not promised. */
bool options_set_knobs(struct options *o, const json_t *knobs, struct err *e);
json_t *options_knobs(const struct options *o);
