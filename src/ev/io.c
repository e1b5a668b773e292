/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/io.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ev/loop.h"

struct io {
	struct event *read;
	struct event *write;
	io_fn *readable;
	io_fn *writable;
	void *arg;
};

static void
on_read(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;

	io->readable(io->arg);
}

static void
on_write(evutil_socket_t fd, short what, void *arg)
{
	struct io *io = arg;

	io->writable(io->arg);
}

static struct event *
watch(struct loop *loop, int fd, short what, event_callback_fn fn, struct io *io)
{
	struct event *ev = event_new(loop_base(loop), fd, (short)(what | EV_PERSIST), fn, io);

	if (ev == NULL)
		abort();
	return ev;
}

struct io *
io_new(struct loop *loop, int fd, io_fn *readable, io_fn *writable, void *arg)
{
	struct io *io = xcalloc(1, sizeof(*io));

	io->readable = readable;
	io->writable = writable;
	io->arg = arg;
	io->read = watch(loop, fd, EV_READ, on_read, io);
	io->write = watch(loop, fd, EV_WRITE, on_write, io);
	return io;
}

static void
want(struct event *ev, bool on)
{
	if (on)
		event_add(ev, NULL);
	else
		event_del(ev);
}

void
io_want(struct io *io, bool read, bool write)
{
	want(io->read, read);
	want(io->write, write);
}

void
io_free(struct io *io)
{
	if (io == NULL)
		return;
	event_free(io->read);
	event_free(io->write);
	free(io);
}
