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
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/timer.h"

static const char resolv_conf[] = "/etc/resolv.conf";
static const char hosts_file[] = "/etc/hosts";

struct resolver {
	struct loop *loop;
	struct evdns_base *evdns;
	struct timespec resolv_read; /* when the files read were last changed */
	struct timespec hosts_read;
	TAILQ_HEAD(, lookup) lookups;
	bool dying; /* freed by its owner, by us when evdns has called back for all look-ups */
};

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

static struct timespec
changed_at(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mtim : (struct timespec){0};
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* evdns_base_new() itself fails where resolv.conf is missing or empty: read it afterwards and let
 * it fail. The hosts file is read all the same, and without a name server that of this machine is
 * asked, as libc does. */
static struct evdns_base *
evdns_open(struct resolver *r)
{
	struct evdns_base *evdns;

	evdns = evdns_base_new(loop_base(r->loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (evdns == NULL)
		return NULL;
	r->resolv_read = changed_at(resolv_conf);
	r->hosts_read = changed_at(hosts_file);
	/* Mixed case protects questions from forged answers, which TLS does too, and better; some
	 * name servers do not repeat it. */
	evdns_base_set_option(evdns, "randomize-case:", "0");
	evdns_base_resolv_conf_parse(evdns, DNS_OPTIONS_ALL, resolv_conf);
	return evdns;
}

/* A daemon lives longer than the network it was started in. */
static void
reread_changed_files(struct resolver *r)
{
	struct evdns_base *fresh;
	const struct lookup *l;

	if (same_time(r->resolv_read, changed_at(resolv_conf)) &&
	    same_time(r->hosts_read, changed_at(hosts_file)))
		return;
	TAILQ_FOREACH (l, &r->lookups, entry) {
		if (l->asking)
			return;
	}
	fresh = evdns_open(r);
	if (fresh == NULL)
		return;
	evdns_base_free(r->evdns, 1);
	r->evdns = fresh;
}

struct resolver *
resolver_new(struct loop *loop, struct err *e)
{
	struct resolver *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	TAILQ_INIT(&r->lookups);
	r->evdns = evdns_open(r);
	if (r->evdns == NULL) {
		free(r);
		err_set(e, ERR_INTERNAL, "libevent cannot make its resolver");
		return NULL;
	}
	return r;
}

static void
resolver_destroy(void *ptr)
{
	struct resolver *r = ptr;

	evdns_base_free(r->evdns, 1);
	free(r);
}

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
		loop_dispose(r->loop, resolver_destroy, r);
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

	reread_changed_files(l->resolver);
	l->asking = true;
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
		loop_dispose(r->loop, resolver_destroy, r);
	r->dying = true;
	TAILQ_FOREACH_SAFE (l, &r->lookups, entry, next) {
		if (!l->finished)
			op_cancel(l->op.slot);
	}
}
