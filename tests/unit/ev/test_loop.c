/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ev/op.h"
#include "ev/timer.h"
#include "tests/unit/ev/pump.h"

static char trace[64];

static void
note(const char *what)
{
	strcat(trace, what);
}

static int
setup(void **state)
{
	trace[0] = '\0';
	*state = loop_new(NULL);
	return *state == NULL;
}

static int
teardown(void **state)
{
	loop_free(*state);
	return 0;
}

struct again {
	struct loop *loop;
	struct task first;
	struct task second;
};

static void
second(void *arg)
{
	note("2");
}

static void
disposed(void *ptr)
{
	note("d");
	free(ptr);
}

static void
first(void *arg)
{
	struct again *a = arg;

	note("1");
	loop_dispose(a->loop, disposed, malloc(1));
	task_post(a->loop, &a->second, second, a);
}

static void
test_task_posted_by_task_runs_next_turn_after_disposals(void **state)
{
	struct again a = {.loop = *state};

	task_post(a.loop, &a.first, first, &a);
	task_post(a.loop, &a.first, second, &a); /* already posted: nothing */
	loop_turn(a.loop, true);
	assert_string_equal(trace, "1d");
	loop_turn(a.loop, true); /* does not block: a task waits */
	assert_string_equal(trace, "1d2");
}

static void
cancel_second(void *arg)
{
	struct again *a = arg;

	note("c");
	task_cancel(&a->second);
	task_post(a->loop, &a->first, first, a);
}

static void
test_task_cancelled_by_a_task_of_the_same_round(void **state)
{
	struct again a = {.loop = *state};

	task_post(a.loop, &a.first, cancel_second, &a);
	task_post(a.loop, &a.second, second, &a);
	loop_turn(a.loop, true);
	assert_string_equal(trace, "c");
	loop_turn(a.loop, true);
	assert_string_equal(trace, "c1d");
	task_cancel(&a.second);
	task_cancel(&a.second);
}

struct busy {
	struct event *event;
	struct task task;
	int calls;
	bool ran;
};

/* Something that is always active, as callbacks that libevent puts off may be. */
static void
always_active(evutil_socket_t fd, short what, void *arg)
{
	struct busy *b = arg;

	b->calls++;
	event_active(b->event, EV_TIMEOUT, 0);
}

static void
note_run(void *arg)
{
	struct busy *b = arg;

	b->ran = true;
}

static void
test_tasks_run_however_busy_libevent_is(void **state)
{
	struct loop *loop = *state;
	struct busy b = {0};

	b.event = event_new(loop_base(loop), -1, 0, always_active, &b);
	event_active(b.event, EV_TIMEOUT, 0);
	for (int i = 0; i < 3; i++) {
		b.ran = false;
		task_post(loop, &b.task, note_run, &b);
		loop_turn(loop, true);
		assert_true(b.ran);
	}
	assert_true(b.calls >= 2); /* and the others have their turn */
	event_free(b.event);
}

static void
test_free_runs_what_is_due(void **state)
{
	struct again a = {.loop = loop_new(NULL)};

	task_post(a.loop, &a.first, first, &a);
	loop_free(a.loop);
	assert_string_equal(trace, "1d2");
	loop_free(NULL);
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
test_run_until_stop(void **state)
{
	struct loop *loop = *state;
	struct timer *t = timer_new(loop, stop, loop);

	timer_start(t, 5);
	assert_true(loop_run(loop, NULL));
	timer_free(t);
}

static void
test_run_without_anything_to_wait_for_fails(void **state)
{
	struct err e;

	assert_false(loop_run(*state, &e));
	assert_int_equal(e.kind, ERR_INTERNAL);
}

static void
on_signal(void *arg, int signo)
{
	assert_int_equal(signo, SIGUSR1);
	loop_stop(arg);
}

static void
test_signal(void **state)
{
	struct loop *loop = *state;

	loop_on_signal(loop, SIGUSR1, on_signal, loop);
	raise(SIGUSR1);
	assert_true(loop_run(loop, NULL));
	raise(SIGPIPE); /* ignored */
}

struct timed {
	struct timer *timer;
	int fired;
};

static void
fire(void *arg)
{
	struct timed *t = arg;

	t->fired++;
}

static void
fire_and_free(void *arg)
{
	struct timed *t = arg;

	t->fired++;
	timer_free(t->timer);
	t->timer = NULL;
}

static void
test_timer(void **state)
{
	struct loop *loop = *state;
	struct timed t = {0};

	t.timer = timer_new(loop, fire, &t);
	assert_false(timer_running(t.timer));
	timer_start(t.timer, 3600 * 1000);
	timer_start(t.timer, -5); /* moves it; never before the call returned */
	assert_int_equal(t.fired, 0);
	assert_true(timer_running(t.timer));
	PUMP_UNTIL(loop, t.fired == 1);
	assert_false(timer_running(t.timer));
	timer_start(t.timer, 0);
	timer_stop(t.timer);
	pump_quiet(loop);
	assert_int_equal(t.fired, 1);
	timer_free(t.timer);
	timer_free(NULL);
}

/* Who looks at the clock when a timer fires finds the time over. */
static void
test_timer_is_never_early(void **state)
{
	struct loop *loop = *state;
	struct timed t = {0};

	t.timer = timer_new(loop, fire, &t);
	for (int ms = 0; ms < 25; ms++) {
		int64_t began = clock_mono_ms();

		t.fired = 0;
		timer_start(t.timer, ms);
		while (t.fired == 0)
			loop_turn(loop, true);
		assert_true(clock_mono_ms() - began >= ms);
	}
	timer_free(t.timer);
}

static void
test_timer_freed_by_its_own_callback(void **state)
{
	struct loop *loop = *state;
	struct timed t = {0};

	t.timer = timer_new(loop, fire_and_free, &t);
	timer_start(t.timer, 1);
	PUMP_UNTIL(loop, t.fired == 1);
	assert_null(t.timer);
}

struct fake_op {
	struct op op;
	int cancelled;
};

static void
fake_cancel(struct op *op)
{
	((struct fake_op *)op)->cancelled++;
}

static void
test_op(void **state)
{
	struct fake_op f = {0};
	struct op *slot = NULL;

	op_cancel(&slot);
	op_begin(&f.op, &slot, fake_cancel);
	assert_ptr_equal(slot, &f.op);
	op_cancel(&slot);
	assert_null(slot);
	assert_int_equal(f.cancelled, 1);
	op_begin(&f.op, &slot, fake_cancel);
	op_end(&f.op);
	assert_null(slot);
	op_cancel(&slot);
	assert_int_equal(f.cancelled, 1);
}

#ifdef ACMEMS_DEBUG_CHECKS
static void
ignore(void *ptr)
{
}

static void
test_second_disposal_aborts(void **state)
{
	struct loop *loop = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		loop_dispose(loop, ignore, &trace);
		loop_dispose(loop, ignore, &trace);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_task_posted_by_task_runs_next_turn_after_disposals, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_task_cancelled_by_a_task_of_the_same_round, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_tasks_run_however_busy_libevent_is, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_free_runs_what_is_due, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_run_until_stop, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_run_without_anything_to_wait_for_fails, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_signal, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_timer_is_never_early, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_timer_freed_by_its_own_callback, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_op, setup, teardown),
#ifdef ACMEMS_DEBUG_CHECKS
	    cmocka_unit_test_setup_teardown(test_second_disposal_aborts, setup, teardown),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
