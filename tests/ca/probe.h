/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A validation under way: asks for the answer to one challenge (RFC 8555 8, RFC 8737). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/queue.h"
#include "state.h"

struct bufferevent;
struct ca;
struct event;
struct ssl_ctx_st;

struct probe {
	TAILQ_ENTRY(probe) link;
	struct ca *ca;
	uint64_t authz; /* by number: it may be forgotten meanwhile */
	char *type;
	struct identifier identifier;
	char *token;
	char *key_authorization;
	struct event *timer; /* the delay first, then the time allowed */
	struct bufferevent *bev;
	struct event *readable; /* of the socket */
	int fd;
	struct ssl_ctx_st *tls;
	int questions; /* dns: how many were asked */
};

TAILQ_HEAD(probe_list, probe);

/* Decides at once if nothing is to be asked and no delay is set. */
void probe_start(struct ca *ca, struct authz *a, struct challenge *ch);
/* Ends it, now. type is NULL if the answer was right. */
void probe_end(struct probe *p, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* base64url of SHA-256 of the key authorization, as dns-01 has it; free() it. */
char *probe_digest(const struct probe *p);
void probe_list_clear(struct probe_list *list);

/* One file each. They end the probe, at once or later. */
void probe_http(struct probe *p);
void probe_dns(struct probe *p);
void probe_tls(struct probe *p);
