/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client of raw bytes: what it sends is what the test says, right or wrong. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/ev/loopback.h"
#include "tests/unit/ev/pump.h"

struct raw_client {
	int fd;
	bool eof;   /* orderly end */
	bool reset; /* or not */
	size_t len;
	char got[65536]; /* NUL-terminated */
};

static inline struct raw_client *
raw_connect(const struct listen_address *a)
{
	struct raw_client *c = calloc(1, sizeof(*c));

	c->fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(c->fd >= 0);
	assert_int_equal(connect(c->fd, (const struct sockaddr *)&a->sa, a->len), 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	return c;
}

static inline void
raw_close(struct raw_client *c)
{
	close(c->fd);
	free(c);
}

/* RST instead of FIN. */
static inline void
raw_abort(struct raw_client *c)
{
	const struct linger linger = {.l_onoff = 1};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	raw_close(c);
}

/* Bytes the kernel took; -1 if the other side is gone. */
static inline ssize_t
raw_send_some(struct raw_client *c, const void *p, size_t n)
{
	ssize_t r = send(c->fd, p, n, MSG_NOSIGNAL);

	return r < 0 && errno == EAGAIN ? 0 : r;
}

static inline void
raw_send_bytes(struct raw_client *c, const void *p, size_t n)
{
	assert_int_equal(raw_send_some(c, p, n), n);
}

static inline void
raw_send(struct raw_client *c, const char *text)
{
	raw_send_bytes(c, text, strlen(text));
}

static inline void
raw_receive(struct raw_client *c)
{
	ssize_t n;

	while (!c->eof && !c->reset && c->len < sizeof(c->got) - 1) {
		n = recv(c->fd, c->got + c->len, sizeof(c->got) - 1 - c->len, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0)
			c->len += (size_t)n;
		c->eof = n == 0;
		c->reset = n < 0;
	}
}

/* True when a whole answer with Content-Length (or one without a body, as to HEAD) is there. */
static inline bool
raw_has_answer(struct raw_client *c, bool head)
{
	const char *end;
	const char *length;

	raw_receive(c);
	end = strstr(c->got, "\r\n\r\n");
	if (end == NULL)
		return false;
	length = strstr(c->got, "Content-Length: ");
	if (head || length == NULL)
		return true;
	return c->len >= (size_t)(end + 4 - c->got) + strtoul(length + 16, NULL, 10);
}

static inline bool
raw_at_end(struct raw_client *c)
{
	raw_receive(c);
	return c->eof || c->reset;
}

static inline int
raw_status(const struct raw_client *c)
{
	return strncmp(c->got, "HTTP/1.", 7) == 0 ? atoi(c->got + 9) : 0;
}

static inline const char *
raw_body(const struct raw_client *c)
{
	const char *end = strstr(c->got, "\r\n\r\n");

	return end == NULL ? "" : end + 4;
}

static inline void
raw_forget(struct raw_client *c)
{
	memset(c->got, 0, c->len);
	c->len = 0;
}
