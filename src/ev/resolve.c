/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/resolve.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/resolver.h"
#include "ev/timer.h"

/* Outlives its operation when that is cancelled: evdns still calls back. */
struct lookup {
	struct op op;
	TAILQ_ENTRY(lookup) entry;
	struct resolver *resolver;
	struct evdns_getaddrinfo_request *request;
	bool asking;   /* evdns will call back */
	bool finished; /* the operation is over */
	struct timer *timer;
	struct task task;
	char *host;
	resolve_done_fn *done;
	void *arg;
	bool failed;
	struct err error;
	struct resolved answer;
};

static void
lookup_free(struct lookup *l)
{
	struct resolver *r = l->resolver;

	TAILQ_REMOVE(&r->lookups, l, entry);
	task_cancel(&l->task);
	timer_free(l->timer);
	free(l->host);
	free(l);
	if (r->dying && TAILQ_EMPTY(&r->lookups))
		resolver_dispose(r);
}

/* The operation is over; the memory goes when evdns has called back. */
static void
lookup_finish(struct lookup *l)
{
	l->finished = true;
	task_cancel(&l->task);
	timer_stop(l->timer);
	if (l->asking)
		evdns_getaddrinfo_cancel(l->request);
	else
		lookup_free(l);
}

static void
lookup_cancel(struct op *op)
{
	lookup_finish((struct lookup *)op);
}

static void
lookup_complete(void *arg)
{
	struct lookup *l = arg;
	resolve_done_fn *done = l->done;
	void *done_arg = l->arg;
	struct resolved answer = l->answer;
	struct err error = l->error;
	bool failed = l->failed;

	op_end(&l->op);
	lookup_finish(l);
	done(done_arg, failed ? NULL : &answer, failed ? &error : NULL);
}

static void
lookup_failed(struct lookup *l, const char *reason)
{
	l->failed = true;
	err_set(&l->error, ERR_UNREACHABLE, "cannot look up %s: %s", l->host, reason);
}

static void
lookup_timeout(void *arg)
{
	struct lookup *l = arg;

	task_cancel(&l->task);
	lookup_failed(l, "no name server answers");
	lookup_complete(l);
}

static void
add_address(struct resolved *answer, const struct sockaddr *sa, socklen_t len)
{
	if (answer->count == RESOLVE_MAX || len > sizeof(answer->addrs[0]))
		return;
	memcpy(&answer->addrs[answer->count], sa, len);
	answer->lens[answer->count++] = len;
}

static void
take_addresses(struct lookup *l, const struct addrinfo *list)
{
	for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		if (ai->ai_family == AF_INET || ai->ai_family == AF_INET6)
			add_address(&l->answer, ai->ai_addr, ai->ai_addrlen);
	}
	if (l->answer.count == 0)
		lookup_failed(l, "it has no address");
}

/* May run inside evdns_getaddrinfo(). */
static void
evdns_answered(int result, struct evutil_addrinfo *list, void *arg)
{
	struct lookup *l = arg;

	l->asking = false;
	l->resolver->asking--;
	if (l->finished) {
		lookup_free(l);
	} else {
		if (result == 0)
			take_addresses(l, list);
		else
			lookup_failed(l, evutil_gai_strerror(result));
		task_post(l->resolver->loop, &l->task, lookup_complete, l);
	}
	if (list != NULL)
		evutil_freeaddrinfo(list);
}

static bool
is_localhost(const char *host)
{
	static const char suffix[] = ".localhost";
	size_t len = strlen(host);

	return strcasecmp(host, "localhost") == 0 ||
	    (len >= sizeof(suffix) && strcasecmp(host + len - sizeof(suffix) + 1, suffix) == 0);
}

/* RFC 6761 6.3: never a question, whatever the hosts file says. */
static void
take_localhost(struct lookup *l, uint16_t port)
{
	const struct sockaddr_in in = {
	    .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	const struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6,
	    .sin6_port = htons(port),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};

	add_address(&l->answer, (const struct sockaddr *)&in, sizeof(in));
	add_address(&l->answer, (const struct sockaddr *)&in6, sizeof(in6));
}

/* An address, with its scope if it has one. */
static bool
take_literal(struct lookup *l, const char *port)
{
	const struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *list;

	if (getaddrinfo(l->host, port, &hints, &list) != 0)
		return false;
	take_addresses(l, list);
	freeaddrinfo(list);
	return true;
}

static void
ask(struct lookup *l, const char *port)
{
	const struct evutil_addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = EVUTIL_AI_ADDRCONFIG,
	};
	struct evdns_getaddrinfo_request *request;

	resolver_reread_changed_files(l->resolver);
	l->asking = true;
	l->resolver->asking++;
	request = evdns_getaddrinfo(l->resolver->evdns, l->host, port, &hints, evdns_answered, l);
	if (l->asking)
		l->request = request;
}

void
resolve_start(struct resolver *r, const char *host, uint16_t port, int64_t timeout_ms,
    resolve_done_fn *done, void *arg, struct op **slot)
{
	struct lookup *l = xcalloc(1, sizeof(*l));
	char port_text[8];

	l->resolver = r;
	l->host = xstrdup(host);
	l->done = done;
	l->arg = arg;
	l->timer = timer_new(r->loop, lookup_timeout, l);
	TAILQ_INSERT_TAIL(&r->lookups, l, entry);
	op_begin(&l->op, slot, lookup_cancel);
	timer_start(l->timer, timeout_ms);
	snprintf(port_text, sizeof(port_text), "%u", port);
	if (is_localhost(host))
		take_localhost(l, port);
	else if (!take_literal(l, port_text)) {
		ask(l, port_text);
		return;
	}
	task_post(r->loop, &l->task, lookup_complete, l);
}

void
resolver_free(struct resolver *r)
{
	struct lookup *l;
	struct lookup *next;

	if (r == NULL)
		return;
	if (TAILQ_EMPTY(&r->lookups))
		resolver_dispose(r);
	r->dying = true;
	TAILQ_FOREACH_SAFE (l, &r->lookups, entry, next) {
		if (!l->finished)
			op_cancel(l->op.slot);
	}
}
