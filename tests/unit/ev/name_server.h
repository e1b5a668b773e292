/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A name server on a UDP port of loopback that knows one answer to everything. */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/ev/loopback.h"
#include "tests/unit/ev/pump.h"

struct name_server {
	int fd;
	uint16_t port;
	struct event *event;
	int questions;
	int rcode; /* 3: there is no such name */
	bool mute;
};

static inline size_t
name_server_answer(const struct name_server *s, unsigned char *p, size_t n)
{
	static const unsigned char a_record[] = {
	    0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 53};
	bool type_a = n >= 4 && p[n - 3] == 1;

	p[2] = 0x81;
	p[3] = (unsigned char)(0x80 | s->rcode);
	if (!type_a || s->rcode != 0)
		return n;
	p[7] = 1; /* one answer */
	memcpy(p + n, a_record, sizeof(a_record));
	return n + sizeof(a_record);
}

static inline void
name_server_asked(evutil_socket_t fd, short what, void *arg)
{
	struct name_server *s = arg;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	unsigned char p[600];
	ssize_t n = recvfrom(fd, p, 512, 0, (struct sockaddr *)&from, &len);

	s->questions++;
	if (n < 12 || s->mute)
		return;
	sendto(fd, p, name_server_answer(s, p, (size_t)n), 0, (struct sockaddr *)&from, len);
}

static inline struct name_server *
name_server_start(struct loop *loop)
{
	struct name_server *s = calloc(1, sizeof(*s));
	struct listen_address a = loopback_address();
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a.sa, a.len), 0);
	getsockname(s->fd, (struct sockaddr *)&in, &len);
	s->port = ntohs(in.sin_port);
	s->event = event_new(loop_base(loop), s->fd, EV_READ | EV_PERSIST, name_server_asked, s);
	event_add(s->event, NULL);
	return s;
}

static inline void
name_server_stop(struct name_server *s)
{
	event_free(s->event);
	close(s->fd);
	free(s);
}
