/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "dns/responder_answer.h"
#include "dns/responder_name.h"
#include "ev/io.h"
#include "ev/loop.h"
#include "ev/timer.h"

enum {
	ANSWER_MAX = 65535,
	PENDING_MAX = 16 * 1024, /* no further question is taken while so much is not sent */
};

/* Its callbacks may be on the stack: the memory goes after the turn. */
void
responder_connection_close(struct responder_connection *c)
{
	TAILQ_REMOVE(&c->all->list, c, entry);
	c->all->count--;
	io_free(c->io);
	timer_free(c->idle);
	close(c->fd);
	buf_done(&c->out);
	loop_dispose(c->all->loop, free, c);
}

static void
idle_over(void *arg)
{
	responder_connection_close(arg);
}

/* ---- one query ---- */

static size_t
pending(const struct responder_connection *c)
{
	return c->out.len - c->sent;
}

static size_t
frame_length(const struct responder_connection *c)
{
	return (size_t)c->in[0] << 8 | c->in[1];
}

static bool
frame_ready(const struct responder_connection *c)
{
	return c->in_len >= RESPONDER_LENGTH && c->in_len >= RESPONDER_LENGTH + frame_length(c);
}

static bool
frame_too_long(const struct responder_connection *c)
{
	return c->in_len >= RESPONDER_LENGTH && frame_length(c) > RESPONDER_QUERY_MAX;
}

/* Someone who asks stays; who only keeps the connection open does not. */
static void
touch(struct responder_connection *c)
{
	TAILQ_REMOVE(&c->all->list, c, entry);
	TAILQ_INSERT_TAIL(&c->all->list, c, entry);
	timer_start(c->idle, c->all->idle_ms);
}

static void
put_answer(struct responder_connection *c, const struct responder_reply *reply)
{
	const uint8_t length[RESPONDER_LENGTH] = {(uint8_t)(reply->len >> 8), (uint8_t)reply->len};

	buf_add(&c->out, length, sizeof(length));
	buf_add(&c->out, reply->bytes, reply->len);
	if (reply->served != NULL)
		responder_name_fetched(c->all->loop, reply->served);
	touch(c);
}

static void
answer_frame(struct responder_connection *c)
{
	size_t len = frame_length(c);
	struct responder_reply reply;

	if (responder_answer(c->all->table, c->in + RESPONDER_LENGTH, len, true, &reply)) {
		put_answer(c, &reply);
		free(reply.bytes);
	}
	c->in_len -= RESPONDER_LENGTH + len;
	memmove(c->in, c->in + RESPONDER_LENGTH + len, c->in_len);
}

/* ---- the connection ---- */

static void
reset_out(struct responder_connection *c)
{
	buf_done(&c->out);
	buf_init(&c->out, PENDING_MAX + RESPONDER_LENGTH + ANSWER_MAX);
	c->sent = 0;
}

/* Sends what the socket takes; false if the connection is broken. */
static bool
flush(struct responder_connection *c)
{
	while (pending(c) > 0) {
		ssize_t n = send(c->fd, c->out.data + c->sent, pending(c), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		c->sent += (size_t)n;
	}
	reset_out(c);
	return true;
}

/* Answers what is there and sends it, as long as both go on. */
static bool
serve(struct responder_connection *c)
{
	do {
		while (frame_ready(c) && pending(c) < PENDING_MAX)
			answer_frame(c);
		if (!flush(c))
			return false;
	} while (pending(c) == 0 && frame_ready(c));
	return !buf_failed(&c->out);
}

static void
advance(struct responder_connection *c)
{
	if (!serve(c) || frame_too_long(c) || (c->eof && pending(c) == 0))
		responder_connection_close(c);
	else
		io_want(c->io, !c->eof && pending(c) == 0, pending(c) > 0);
}

static void
readable(void *arg)
{
	struct responder_connection *c = arg;
	ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, 0);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n < 0) {
		responder_connection_close(c);
		return;
	}
	c->eof = n == 0;
	c->in_len += (size_t)n;
	advance(c);
}

static void
writable(void *arg)
{
	advance(arg);
}

void
responder_connection_open(struct responder_connections *all, int fd, const struct ip_addr *client)
{
	struct responder_connection *c = xcalloc(1, sizeof(*c));

	c->all = all;
	c->client = *client;
	c->fd = fd;
	c->io = io_new(all->loop, fd, readable, writable, c);
	c->idle = timer_new(all->loop, idle_over, c);
	reset_out(c);
	TAILQ_INSERT_TAIL(&all->list, c, entry);
	all->count++;
	timer_start(c->idle, all->idle_ms);
	io_want(c->io, true, false);
}
