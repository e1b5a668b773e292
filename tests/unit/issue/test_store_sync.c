/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/store_ring.h"
#include "issue/store_sync.h"

enum { FILES = 8, MANY = 700 /* several times the kernel's queue */ };

struct fixture {
	struct loop *loop;
	struct store_sync *sync;
	char path[64];
	int calls;
	struct op *op;
	struct store_sync_item items[FILES];
};

/* ---- a kernel that refuses ---- */

static int refused_error;     /* of the calls to come; 0: none is refused */
static int refused_calls;     /* so many */
static int given_up;          /* so many files the kernel never begins with */
static bool held_back;        /* what is done is not told yet: a slow disk */
static int set_up_error;      /* errno */
static unsigned submit_calls; /* all of them */

bool __real_store_ring_reap(struct store_ring *r, bool block, void **ret_token, int *ret_error);
bool __wrap_store_ring_reap(struct store_ring *r, bool block, void **ret_token, int *ret_error);

bool
__wrap_store_ring_reap(struct store_ring *r, bool block, void **ret_token, int *ret_error)
{
	if (held_back || !__real_store_ring_reap(r, block, ret_token, ret_error))
		return false;
	if (given_up > 0) {
		given_up--;
		*ret_error = ECANCELED;
	}
	return true;
}

#ifdef HAVE_LIBURING
struct io_uring;
int __real_io_uring_submit(struct io_uring *ring);
int __wrap_io_uring_submit(struct io_uring *ring);
int __real_io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags);
int __wrap_io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags);

int
__wrap_io_uring_submit(struct io_uring *ring)
{
	submit_calls++;
	if (refused_calls > 0) {
		refused_calls--;
		return -refused_error;
	}
	return __real_io_uring_submit(ring);
}

int
__wrap_io_uring_queue_init(unsigned entries, struct io_uring *ring, unsigned flags)
{
	if (set_up_error != 0)
		return -set_up_error;
	return __real_io_uring_queue_init(entries, ring, flags);
}
#endif

static void
refuse(int calls, int error)
{
	refused_calls = calls;
	refused_error = error;
}

/* ---- set up ---- */

static int
set_up(void **state, bool blocking)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new(NULL);
	snprintf(f->path, sizeof(f->path), "/tmp/acmems-sync-XXXXXX");
	for (int i = 0; i < FILES; i++)
		f->items[i].fd = -1;
	int fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	f->sync = store_sync_new(f->loop, blocking);
	*state = f;
	return 0;
}

static int
setup(void **state)
{
	return set_up(state, false);
}

static int
setup_blocking(void **state)
{
	return set_up(state, true);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	refuse(0, 0);
	set_up_error = given_up = 0;
	store_sync_free(f->sync);
	loop_free(f->loop);
	unlink(f->path);
	free(f);
	return 0;
}

/* Containers, valgrind and old kernels may lack it. */
static bool
has_ring(void)
{
	void *state;
	bool blocks;

	set_up(&state, false);
	blocks = store_sync_blocks(((struct fixture *)state)->sync);
	teardown(&state);
	return !blocks;
}

/* ---- helpers ---- */

static int
open_file(const struct fixture *f)
{
	int fd = open(f->path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	return fd;
}

static void
open_files(struct fixture *f)
{
	for (int i = 0; i < FILES; i++)
		f->items[i] = (struct store_sync_item){.fd = open_file(f), .error = -1};
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void
close_files(struct fixture *f)
{
	for (int i = 0; i < FILES; i++)
		assert_int_equal(close(f->items[i].fd), 0);
}

static void
expect_synced(const struct fixture *f)
{
	for (int i = 0; i < FILES; i++)
		assert_int_equal(f->items[i].error, 0);
}

static void
count_call(void *arg)
{
	struct fixture *f = arg;

	assert_null(f->op);
	f->calls++;
}

static void
start(struct fixture *f)
{
	int before = f->calls;

	store_sync_start(f->sync, f->items, FILES, count_call, f, &f->op);
	assert_int_equal(f->calls, before);
}

static void
wait_for(struct fixture *f, int calls)
{
	while (f->calls < calls)
		loop_turn(f->loop, true);
	assert_int_equal(f->calls, calls);
}

/* ---- both ways ---- */

static void
test_synced(void **state)
{
	struct fixture *f = *state;
	struct err e;

	for (int i = 1; i <= 3; i++) {
		open_files(f);
		start(f);
		wait_for(f, i);
		expect_synced(f);
		close_files(f);
	}
	/* Nothing is left that would keep the loop, or turn it. */
	assert_false(loop_run(f->loop, &e));
	assert_non_null(strstr(e.detail, "nothing to wait for"));
}

static void
test_directory(void **state)
{
	struct fixture *f = *state;

	f->items[2].fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->items[5].fd = open_file(f);
	f->items[2].error = f->items[4].error = f->items[5].error = -1;
	start(f);
	wait_for(f, 1);
	expect_synced(f);
	close(f->items[2].fd);
	close(f->items[5].fd);
}

static void
test_errors_are_told_of_their_own(void **state)
{
	struct fixture *f = *state;
	int pipes[2];

	open_files(f);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	close(f->items[1].fd);
	f->items[1].fd = pipes[0];
	close(f->items[4].fd); /* EBADF */
	start(f);
	wait_for(f, 1);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(f->items[i].error, i == 1 ? EINVAL : i == 4 ? EBADF : 0);
	f->items[4].fd = pipes[1];
	close_files(f);
}

static void
test_nothing_to_do(void **state)
{
	struct fixture *f = *state;

	start(f);
	wait_for(f, 1);
	store_sync_start(f->sync, NULL, 0, count_call, f, &f->op);
	wait_for(f, 2);
}

struct crowd {
	struct op *op;
	bool done;
	struct store_sync_item items[MANY];
};

static void
crowd_done(void *arg)
{
	struct crowd *c = arg;

	assert_false(c->done);
	c->done = true;
}

static void
test_more_than_the_queue(void **state)
{
	struct fixture *f = *state;
	struct crowd *c = calloc(2, sizeof(*c));
	int fd = open_file(f);

	for (int i = 0; i < MANY; i++) {
		c[0].items[i] = (struct store_sync_item){.fd = i % 7 == 0 ? -1 : fd, .error = -1};
		c[1].items[i] = (struct store_sync_item){.fd = fd, .error = -1};
	}
	for (int i = 0; i < 2; i++)
		store_sync_start(f->sync, c[i].items, MANY, crowd_done, &c[i], &c[i].op);
	while (!c[0].done || !c[1].done)
		loop_turn(f->loop, true);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(c[0].items[i].error + c[1].items[i].error, 0);
	close(fd);
	free(c);
}

static void
once_more(void *arg)
{
	struct fixture *f = arg;

	if (++f->calls < 4)
		store_sync_start(f->sync, f->items, FILES, once_more, f, &f->op);
}

static void
test_again_from_the_completion(void **state)
{
	struct fixture *f = *state;

	open_files(f);
	store_sync_start(f->sync, f->items, FILES, once_more, f, &f->op);
	wait_for(f, 4);
	store_sync_start(f->sync, f->items, FILES, once_more, f, &f->op);
	store_sync_finish(f->sync);
	assert_int_equal(f->calls, 5);
	expect_synced(f);
	close_files(f);
}

static void
test_cancelled_at_once(void **state)
{
	struct fixture *f = *state;

	open_files(f);
	start(f);
	op_cancel(&f->op);
	for (int i = 0; i < FILES; i++)
		assert_false(is_open(f->items[i].fd));
	loop_turn(f->loop, false);
	store_sync_finish(f->sync);
	assert_int_equal(f->calls, 0);
}

static void
test_finished(void **state)
{
	struct fixture *f = *state;
	struct crowd *c = calloc(1, sizeof(*c));
	int fd = open_file(f);

	open_files(f);
	for (int i = 0; i < MANY; i++)
		c->items[i].fd = fd;
	store_sync_start(f->sync, c->items, MANY, crowd_done, c, &c->op);
	loop_turn(f->loop, false);
	start(f);
	store_sync_finish(f->sync);
	assert_true(c->done);
	assert_int_equal(f->calls, 1);
	expect_synced(f);
	store_sync_finish(f->sync);
	assert_int_equal(f->calls, 1);
	close_files(f);
	close(fd);
	free(c);
}

/* ---- io_uring ---- */

static void
test_cancelled_in_flight(void **state)
{
	struct fixture *f = *state;

	open_files(f);
	start(f);
	held_back = true;
	loop_turn(f->loop, false);
	assert_non_null(f->op);
	op_cancel(&f->op);
	/* Nobody waits, and the kernel may still work. */
	for (int i = 0; i < FILES; i++)
		assert_true(is_open(f->items[i].fd));
	held_back = false;
	store_sync_finish(f->sync);
	for (int i = 0; i < FILES; i++)
		assert_false(is_open(f->items[i].fd));
	assert_int_equal(f->calls, 0);
	/* And freed with some in flight, by the teardown. */
	open_files(f);
	start(f);
	loop_turn(f->loop, false);
	op_cancel(&f->op);
}

static void
test_never_begun(void **state)
{
	struct fixture *f = *state;
	int pipes[2];

	open_files(f);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	close(f->items[0].fd);
	f->items[0].fd = pipes[0];
	given_up = FILES;
	start(f);
	wait_for(f, 1);
	assert_int_equal(given_up, 0);
	for (int i = 0; i < FILES; i++)
		assert_int_equal(f->items[i].error, i == 0 ? EINVAL : 0);
	close_files(f);
	close(pipes[1]);
}

static void
make_anew(struct fixture *f)
{
	store_sync_free(f->sync);
	f->sync = store_sync_new(f->loop, false);
}

static void
test_not_permitted(void **state)
{
	struct fixture *f = *state;

	set_up_error = EPERM;
	make_anew(f);
	assert_true(store_sync_blocks(f->sync));
	/* Or only half of it. */
	set_up_error = 0;
	refuse(1, ENOSYS);
	make_anew(f);
	assert_true(store_sync_blocks(f->sync));
	open_files(f);
	start(f);
	wait_for(f, 1);
	expect_synced(f);
	close_files(f);
}

static void
test_refused_later(void **state)
{
	struct fixture *f = *state;

	open_files(f);
	refuse(1, EPERM);
	start(f);
	wait_for(f, 1);
	assert_true(store_sync_blocks(f->sync));
	expect_synced(f);
	start(f);
	store_sync_finish(f->sync);
	expect_synced(f);
	assert_int_equal(f->calls, 2);
	close_files(f);
}

static void
test_refused_for_a_while(void **state)
{
	struct fixture *f = *state;

	struct crowd *c = calloc(1, sizeof(*c));
	int fd = open_file(f);
	open_files(f);
	refuse(1, EINTR);
	start(f);
	loop_turn(f->loop, false);
	if (f->op != NULL)
		refuse(1, EAGAIN); /* what is in flight will give the occasion */
	for (int i = 0; i < MANY; i++)
		c->items[i].fd = fd;
	unsigned before = submit_calls;
	store_sync_start(f->sync, c->items, MANY, crowd_done, c, &c->op);
	while (!c->done)
		loop_turn(f->loop, true);
	assert_true(submit_calls > before + 1);
	assert_int_equal(f->calls, 1);
	assert_false(store_sync_blocks(f->sync));
	expect_synced(f);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(c->items[i].error, 0);
	close_files(f);
	close(fd);
	free(c);
}

#define RING(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST(name) RING(name), cmocka_unit_test_setup_teardown(name, setup_blocking, teardown)

/* With an argument: what needs io_uring, and is skipped as a whole without. */
int
main(int argc, char *argv[])
{
	const struct CMUnitTest with_ring[] = {
	    RING(test_cancelled_in_flight),
	    RING(test_never_begun),
	    RING(test_not_permitted),
	    RING(test_refused_later),
	    RING(test_refused_for_a_while),
	};
	const struct CMUnitTest tests[] = {
	    TEST(test_synced),
	    TEST(test_directory),
	    TEST(test_errors_are_told_of_their_own),
	    TEST(test_nothing_to_do),
	    TEST(test_more_than_the_queue),
	    TEST(test_again_from_the_completion),
	    TEST(test_cancelled_at_once),
	    TEST(test_finished),
	};

	if (argc > 1 && !has_ring()) {
		puts("there is no io_uring here");
		return 77;
	}
	if (argc > 1)
		return cmocka_run_group_tests(with_ring, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
