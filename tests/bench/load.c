/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load --port N (--bodies FILE [--key KEY] | --paths FILE) [--path /sign] [--in-flight 1]
 *      [--count N] [--new] [--limit SECONDS]
 *
 * Sends requests, so many in flight, over kept connections or (--new) one for each: POST of each
 * PEM block of a file, with its HMAC if there is a key; or GET of a path, of --path or one a line
 * of a file. Says as JSON how long the answers took. SIGTERM: so far.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kit.h"

enum { ANSWER_MAX = 256 * 1024, STATUSES = 600 };

struct request {
	char *bytes;
	size_t len;
};

struct load {
	struct event_base *base;
	struct sockaddr_in to;
	bool new_connections;
	struct request *requests;
	size_t requests_count;
	size_t count, sent, answered, open, failed;
	uint64_t bytes;
	size_t statuses[STATUSES];
	uint32_t *us;
	int64_t started;
	char first_error[200];
};

struct conn {
	struct load *load;
	struct event *event;
	int fd;
	int64_t sent_at;
	const struct request *request;
	bool answered; /* --new: waits for the end */
	size_t len, expected;
	int status;
	char *head; /* what came, until the length is known */
};

static void next(struct conn *c);

/* ---- requests ---- */

static struct request
make_post(const char *path, const char *key, const char *body, bool close)
{
	char hash[65], header[128] = "";
	struct request r;

	if (key != NULL) {
		kit_hmac(key, body, strlen(body), hash);
		snprintf(
		    header, sizeof(header), "Authentication: hmac name=sha256, hash=%s\r\n", hash);
	}
	int n = asprintf(&r.bytes,
	    "POST %s HTTP/1.1\r\nHost: localhost\r\n%s%sContent-Length: %zu\r\n\r\n%s", path,
	    header, close ? "Connection: close\r\n" : "", strlen(body), body);
	if (n < 0)
		kit_die("no memory");
	r.len = (size_t)n;
	return r;
}

static struct request
make_get(const char *path, bool close)
{
	struct request r;
	int n = asprintf(&r.bytes, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
	    close ? "Connection: close\r\n" : "");

	if (n < 0)
		kit_die("no memory");
	r.len = (size_t)n;
	return r;
}

static void
make_posts(struct load *l, char **argv, const char *path)
{
	struct kit_texts texts = kit_read_pems(kit_text(argv, "bodies", NULL));

	l->requests = xcalloc(texts.count, sizeof(*l->requests));
	l->requests_count = texts.count;
	for (size_t i = 0; i < texts.count; i++) {
		l->requests[i] = make_post(
		    path, kit_text(argv, "key", NULL), texts.items[i], l->new_connections);
		free(texts.items[i]);
	}
	free(texts.items);
}

static void
make_gets(struct load *l, const char *file)
{
	char *text = kit_read(file), *rest = text, *line;
	size_t room = 1;

	for (const char *p = text; *p != '\0'; p++)
		room += *p == '\n';
	l->requests = xcalloc(room, sizeof(*l->requests));
	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			l->requests[l->requests_count++] = make_get(line, l->new_connections);
	free(text);
}

static void
make_requests(struct load *l, char **argv)
{
	const char *path = kit_text(argv, "path", "/sign");
	const char *paths = kit_text(argv, "paths", NULL);

	if (kit_text(argv, "bodies", NULL) != NULL) {
		make_posts(l, argv, path);
	} else if (paths != NULL) {
		make_gets(l, paths);
	} else {
		l->requests = xcalloc(1, sizeof(*l->requests));
		l->requests[0] = make_get(path, l->new_connections);
		l->requests_count = 1;
	}
	if (l->requests_count == 0)
		kit_die("nothing to send");
}

/* ---- connections ---- */

static void
disconnect(struct conn *c)
{
	if (c->fd < 0)
		return;
	event_del(c->event);
	close(c->fd);
	c->fd = -1;
}

static void
finish(struct conn *c)
{
	struct load *l = c->load;

	disconnect(c);
	event_free(c->event);
	free(c->head);
	free(c);
	if (--l->open == 0)
		event_base_loopbreak(l->base);
}

static void
failed(struct conn *c, const char *why)
{
	struct load *l = c->load;

	l->failed++;
	if (l->first_error[0] == '\0')
		snprintf(l->first_error, sizeof(l->first_error), "%s: %s", why, strerror(errno));
	disconnect(c);
	next(c);
}

static void
answered(struct conn *c)
{
	struct load *l = c->load;

	if (c->status != 200 && l->first_error[0] == '\0')
		snprintf(l->first_error, sizeof(l->first_error), "%.150s", c->head);
	l->us[l->answered++] = (uint32_t)((kit_now_ns() - c->sent_at) / 1000);
	l->bytes += c->expected;
	l->statuses[c->status >= 0 && c->status < STATUSES ? c->status : 0]++;
	c->answered = true;
	if (!l->new_connections)
		next(c);
}

/* The head is complete: how long the answer is. */
static bool
read_head(struct conn *c)
{
	c->head[c->len] = '\0';
	const char *body = strstr(c->head, "\r\n\r\n");
	const char *length = strcasestr(c->head, "\r\nContent-Length:");

	if (body == NULL)
		return false;
	c->status = atoi(c->head + strlen("HTTP/1.1 "));
	c->expected = (size_t)(body + 4 - c->head);
	if (length != NULL && length < body)
		c->expected += (size_t)atol(length + strlen("\r\nContent-Length:"));
	return true;
}

static void
on_read(int fd, short what, void *arg)
{
	struct conn *c = arg;
	ssize_t n = recv(fd, c->head + c->len, ANSWER_MAX - c->len, 0);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 && c->answered) {
		disconnect(c);
		next(c);
	} else if (n <= 0) {
		failed(c, "connection lost");
	} else if (!c->answered) {
		c->len += (size_t)n;
		if (c->expected == 0 && !read_head(c))
			return;
		if (c->len >= c->expected)
			answered(c);
	}
}

static void
push(struct conn *c)
{
	ssize_t n = send(c->fd, c->request->bytes, c->request->len, MSG_NOSIGNAL);

	if (n != (ssize_t)c->request->len)
		failed(c, "cannot send");
}

static void
on_connected(int fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)what;
	event_assign(c->event, c->load->base, fd, EV_READ | EV_PERSIST, on_read, c);
	event_add(c->event, NULL);
	push(c);
}

static void
connect_one(struct conn *c)
{
	struct load *l = c->load;
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		kit_die("no socket: %s", strerror(errno));
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (struct sockaddr *)&l->to, sizeof(l->to)) == 0) {
		on_connected(c->fd, 0, c);
	} else if (errno == EINPROGRESS) {
		event_assign(c->event, l->base, c->fd, EV_WRITE, on_connected, c);
		event_add(c->event, NULL);
	} else {
		kit_die("cannot connect: %s", strerror(errno));
	}
}

static void
next(struct conn *c)
{
	struct load *l = c->load;

	if (l->sent == l->count) {
		finish(c);
		return;
	}
	c->request = &l->requests[l->sent++ % l->requests_count];
	c->len = c->expected = 0;
	c->answered = false;
	c->sent_at = kit_now_ns();
	if (c->fd < 0)
		connect_one(c);
	else
		push(c);
}

static void
open_one(struct load *l)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->load = l;
	c->fd = -1;
	c->event = event_new(l->base, -1, 0, on_read, c);
	c->head = xmalloc(ANSWER_MAX + 1);
	l->open++;
	next(c);
}

/* ---- the whole ---- */

static void
print_statuses(const struct load *l)
{
	const char *comma = "";

	printf("\"statuses\": {");
	for (int i = 0; i < STATUSES; i++) {
		if (l->statuses[i] == 0)
			continue;
		printf("%s\"%d\": %zu", comma, i, l->statuses[i]);
		comma = ", ";
	}
	printf("}, ");
}

static void
print_error(const char *text)
{
	printf("\"first_error\": \"");
	for (; *text != '\0'; text++)
		putchar(*text < ' ' || *text == '"' || *text == '\\' ? ' ' : *text);
	printf("\"}\n");
}

static void
report(struct load *l)
{
	double seconds = (double)(kit_now_ns() - l->started) / 1e9;
	struct rusage used;
	size_t n = l->answered;
	uint32_t none = 0, *us = n > 0 ? l->us : &none;

	getrusage(RUSAGE_SELF, &used);
	qsort(us, n, sizeof(*us), kit_compare);
	printf("{\"answers\": %zu, \"failed\": %zu, \"seconds\": %.6f, \"per_second\": %.1f, ", n,
	    l->failed, seconds, (double)n / seconds);
	printf("\"p50\": %u, \"p95\": %u, \"p99\": %u, \"max\": %u, \"bytes\": %llu, ", us[n / 2],
	    us[n * 95 / 100], us[n * 99 / 100], us[n > 0 ? n - 1 : 0],
	    (unsigned long long)(n > 0 ? l->bytes / n : 0));
	printf("\"cpu\": %.6f, ",
	    (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
	print_statuses(l);
	print_error(l->first_error);
}

static void
on_end(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(((struct load *)arg)->base);
}

static void
set_up(struct load *l, char **argv)
{
	struct event_config *config = event_config_new();

	event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	l->base = event_base_new_with_config(config);
	l->to.sin_family = AF_INET;
	l->to.sin_port = htons((uint16_t)kit_number(argv, "port", 0));
	l->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l->new_connections = kit_flag(argv, "new");
	make_requests(l, argv);
	l->count = (size_t)kit_number(argv, "count", (long)l->requests_count);
	l->us = xcalloc(l->count + 1, sizeof(*l->us));
	/* Touched now, not while the clock runs. */
	memset(l->us, 0, (l->count + 1) * sizeof(*l->us));
}

int
main(int argc, char **argv)
{
	struct load l = {0};
	long in_flight = kit_number(argv, "in-flight", 1);
	struct timeval limit = {.tv_sec = kit_number(argv, "limit", 600)};

	(void)argc;
	set_up(&l, argv);
	struct event *term = evsignal_new(l.base, SIGTERM, on_end, &l);
	struct event *timer = evtimer_new(l.base, on_end, &l);
	event_add(term, NULL);
	event_add(timer, &limit);
	l.started = kit_now_ns();
	for (long i = 0; i < in_flight && l.sent < l.count; i++)
		open_one(&l);
	event_base_dispatch(l.base);
	report(&l);
	return l.answered == l.count ? 0 : 1;
}
