/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/store_ring.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ev/io.h"
#include "ev/loop.h"

enum {
	ENTRIES = 128,   /* a group of 32 certificates has 96 files */
	WORKERS_MAX = 16 /* kernel threads; the default grows with the processors */
};

struct store_ring {
	struct io_uring uring;
	int wake; /* an eventfd */
	struct io *io;
	void (*ready)(void *arg);
	void *arg;
	unsigned pushed; /* and not yet the kernel's */
	unsigned in_flight;
};

/* ---- life ---- */

static void
empty_wake(struct store_ring *r)
{
	uint64_t count;

	/* Not blocking; that there was nothing in it is no failure. */
	while (read(r->wake, &count, sizeof(count)) < 0 && errno == EINTR)
		continue;
}

static void
on_wake(void *arg)
{
	struct store_ring *r = arg;

	empty_wake(r);
	r->ready(r->arg);
}

/* The set-up may be permitted and the rest not: a round trip tells. */
static bool
try_it(struct store_ring *r)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&r->uring);
	void *token;
	int error;

	if (sqe == NULL)
		return false;
	io_uring_prep_nop(sqe);
	r->pushed++;
	return store_ring_submit(r) && store_ring_reap(r, true, &token, &error) && error == 0;
}

/* Fewer if the system's own limit is lower. Before Linux 5.15 there is nothing to set. */
static void
limit_workers(struct store_ring *r)
{
	unsigned workers[2] = {0, 0};

	if (io_uring_register_iowq_max_workers(&r->uring, workers) != 0 ||
	    workers[0] <= WORKERS_MAX)
		return;
	workers[0] = WORKERS_MAX;
	workers[1] = 0;
	io_uring_register_iowq_max_workers(&r->uring, workers);
}

static bool
set_up(struct store_ring *r, struct err *e)
{
	int error = -io_uring_register_eventfd(&r->uring, r->wake);

	if (error != 0)
		return err_errno(e, ERR_INTERNAL, error, "no eventfd for io_uring");
	limit_workers(r);
	if (!try_it(r))
		return err_set(e, ERR_INTERNAL, "io_uring takes no requests");
	return true;
}

struct store_ring *
store_ring_new(struct loop *loop, void (*ready)(void *arg), void *arg, struct err *e)
{
	struct store_ring *r = xcalloc(1, sizeof(*r));
	int error = -io_uring_queue_init(ENTRIES, &r->uring, 0);

	if (error != 0) {
		err_errno(e, ERR_INTERNAL, error, "no io_uring");
		free(r);
		return NULL;
	}
	r->ready = ready;
	r->arg = arg;
	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->wake < 0) {
		err_errno(e, ERR_INTERNAL, errno, "no eventfd");
		io_uring_queue_exit(&r->uring);
		free(r);
		return NULL;
	}
	r->io = io_new(loop, r->wake, on_wake, NULL, r);
	if (set_up(r, e))
		return r;
	store_ring_free(r);
	return NULL;
}

void
store_ring_free(struct store_ring *r)
{
	if (r == NULL)
		return;
	io_free(r->io);
	io_uring_queue_exit(&r->uring);
	close(r->wake);
	free(r);
}

/* ---- the way in ---- */

bool
store_ring_push(struct store_ring *r, int fd, void *token)
{
	struct io_uring_sqe *sqe;

	/* The queue of completions has room for twice as many, so none is ever lost. */
	if (r->pushed + r->in_flight >= ENTRIES)
		return false;
	sqe = io_uring_get_sqe(&r->uring);
	if (sqe == NULL)
		return false;
	io_uring_prep_fsync(sqe, fd, 0);
	io_uring_sqe_set_data(sqe, token);
	r->pushed++;
	return true;
}

static void
watch(struct store_ring *r)
{
	io_want(r->io, r->in_flight > 0, false);
}

bool
store_ring_submit(struct store_ring *r)
{
	while (r->pushed > 0) {
		int n = io_uring_submit(&r->uring);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		r->pushed -= (unsigned)n;
		r->in_flight += (unsigned)n;
	}
	watch(r);
	return r->pushed == 0 || r->in_flight > 0;
}

bool
store_ring_in_flight(const struct store_ring *r)
{
	return r->in_flight > 0;
}

/* ---- the way out ---- */

static void
wait_for_wake(struct store_ring *r)
{
	struct pollfd p = {.fd = r->wake, .events = POLLIN};

	poll(&p, 1, -1);
	empty_wake(r);
}

bool
store_ring_reap(struct store_ring *r, bool block, void **ret_token, int *ret_error)
{
	struct io_uring_cqe *cqe;

	while (r->in_flight > 0) {
		if (io_uring_peek_cqe(&r->uring, &cqe) == 0) {
			*ret_token = io_uring_cqe_get_data(cqe);
			*ret_error = cqe->res < 0 ? -cqe->res : 0;
			io_uring_cqe_seen(&r->uring, cqe);
			if (--r->in_flight == 0)
				watch(r);
			return true;
		}
		if (!block)
			return false;
		wait_for_wake(r);
	}
	return false;
}
