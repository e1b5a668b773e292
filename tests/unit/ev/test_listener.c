/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ev/listener.h"

#include <errno.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/ev/loopback.h"
#include "tests/unit/ev/pump.h"

struct fixture {
	struct loop *loop;
	struct evconnlistener *lent;
	struct listener *listener;
	int accepted;
	int recalled;
	char dir[64];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new(NULL);
	strcpy(f->dir, "/tmp/acmems-listener-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) == NULL;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	rmdir(f->dir);
	free(f);
	return 0;
}

static struct listen_address
one_address(const char *spec)
{
	struct listen_address *list = NULL;
	struct listen_address a;
	size_t n = 0;
	struct err e;

	if (!listen_addresses(spec, &list, &n, &e))
		fail_msg("%s", e.detail);
	assert_true(n >= 1);
	a = list[0];
	free(list);
	return a;
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *spec;
		int family;
		const char *text;
	} good[] = {
	    {"127.0.0.1:1313", AF_INET, "127.0.0.1:1313"},
	    {"[127.0.0.1]:1313", AF_INET, "127.0.0.1:1313"},
	    {"[::1]:1313", AF_INET6, "[::1]:1313"},
	    {"::1:1313", AF_INET6, "[::1]:1313"},
	    {"[fe80::1%lo]:80", AF_INET6, "[fe80::1%lo]:80"},
	    {"unix:/run/x.sock", AF_UNIX, "unix:/run/x.sock"},
	};
	static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
	    "127.0.0.1:65536", "unix:relative", "unix:", "[::1:80", "no.such.host.invalid:80"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct listen_address a = one_address(good[i].spec);

		assert_int_equal(a.sa.ss_family, good[i].family);
		assert_string_equal(a.text, good[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct listen_address *list;
		size_t n;
		struct err e;

		assert_false(listen_addresses(bad[i], &list, &n, &e));
		assert_int_equal(e.kind, ERR_CONFIG);
	}
}

static void
test_unix_path_too_long(void **state)
{
	char spec[200] = "unix:/";
	struct listen_address *list;
	size_t n;
	struct err e;

	memset(spec + 6, 'x', 108);
	assert_false(listen_addresses(spec, &list, &n, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

static void
accepted(struct evconnlistener *lent, int fd, struct sockaddr *sa, int len, void *arg)
{
	struct fixture *f = arg;
	int on = 0;
	socklen_t on_len = sizeof(on);

	if (sa->sa_family != AF_UNIX) {
		getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &on_len);
		assert_true(on);
	}
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	f->accepted++;
}

static void
recall(void *arg)
{
	struct fixture *f = arg;

	f->recalled++;
	evconnlistener_free(f->lent);
	listener_return(f->listener);
	f->lent = NULL;
}

static void
lend(struct fixture *f)
{
	f->lent = listener_lend(f->listener, recall, f);
	assert_non_null(f->lent);
	evconnlistener_set_cb(f->lent, accepted, f);
}

static int
client(const struct listen_address *a)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&a->sa, a->len), 0);
	return fd;
}

static void
test_lent_and_recalled(void **state)
{
	struct fixture *f = *state;
	struct listen_address a = loopback_address();
	int fd;

	f->listener = listener_open(f->loop, &a, NULL, NULL);
	assert_string_not_equal(listener_address(f->listener)->text, "127.0.0.1:0");
	fd = client(listener_address(f->listener)); /* waits in the backlog */
	lend(f);
	PUMP_UNTIL(f->loop, f->accepted == 1);
	close(fd);
	f->lent = listener_lend(f->listener, recall, f); /* to somebody else */
	assert_int_equal(f->recalled, 1);
	listener_free(f->listener);
	assert_int_equal(f->recalled, 2);
	listener_free(NULL);
}

/* A socket of somebody else's, listening on a port the kernel chose. */
static int
foreign_socket(int type, struct listen_address *ret)
{
	struct listen_address a = loopback_address();
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a.sa, &a.len), 0);
	listen_address_set(ret, &a.sa, a.len);
	return fd;
}

static void
test_taken(void **state)
{
	struct fixture *f = *state;
	struct listen_address a;
	bool no_family = true;
	struct err e;
	int fd = foreign_socket(SOCK_STREAM, &a);

	assert_null(listener_open(f->loop, &a, &no_family, &e));
	assert_false(no_family);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, a.text));
	close(fd);
	fd = foreign_socket(SOCK_DGRAM, &a);
	assert_null(listener_open_udp(f->loop, &a, &no_family, &e));
	assert_non_null(strstr(e.detail, "(UDP)"));
	close(fd);
}

/* One configuration has it, and the next one too. */
static void
test_held_twice(void **state)
{
	struct fixture *f = *state;
	struct listen_address a = loopback_address();
	struct listener *second;
	int fd;

	f->listener = listener_open(f->loop, &a, NULL, NULL);
	a = *listener_address(f->listener);
	second = listener_open(f->loop, &a, NULL, NULL);
	assert_ptr_equal(second, f->listener);
	assert_false(listener_lent(second));
	lend(f);
	assert_true(listener_lent(second));
	listener_free(second);
	assert_int_equal(f->recalled, 0);
	fd = client(&a);
	PUMP_UNTIL(f->loop, f->accepted == 1);
	close(fd);
	listener_free(f->listener);
	assert_int_equal(f->recalled, 1);
	f->listener = listener_open(f->loop, &a, NULL, NULL); /* it was closed */
	assert_non_null(f->listener);
	listener_free(f->listener);
}

/* 127.0.0.1 becomes 0.0.0.0, or the reverse: both are open for a moment, and nobody else's. */
static void
test_wider_beside_ours(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		struct listener *(*open_it)(struct loop *, const struct listen_address *, bool *,
		    struct err *) = types[i] == SOCK_STREAM ? listener_open : listener_open_udp;
		struct listen_address a, wide;
		char spec[32];
		struct listener *narrow, *wider;
		struct err e;

		close(foreign_socket(types[i], &a));
		narrow = open_it(f->loop, &a, NULL, &e);
		assert_non_null(narrow);
		snprintf(spec, sizeof(spec), "0.0.0.0:%s", strrchr(a.text, ':') + 1);
		wide = one_address(spec);
		wider = open_it(f->loop, &wide, NULL, &e);
		if (wider == NULL)
			fail_msg("%s", e.detail);
		assert_ptr_not_equal(wider, narrow);
		listener_free(narrow);
		/* Another process is not in for it. */
		int fd = socket(AF_INET, types[i], 0);
		assert_int_not_equal(bind(fd, (struct sockaddr *)&wide.sa, wide.len), 0);
		close(fd);
		listener_free(wider);
	}
}

static void
note_unused(void *arg, const char *text)
{
	snprintf(arg, LISTEN_TEXT, "%s", text);
}

static void
test_inherited(void **state)
{
	struct fixture *f = *state;
	char unused[LISTEN_TEXT] = "";
	struct listen_address a;
	struct err e;
	int fd = foreign_socket(SOCK_STREAM, &a);
	int other = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(listener_inherit(f->loop, fd, &e));
	assert_false(listener_inherit(f->loop, other, &e)); /* nobody listens on it */
	close(other);
	listener_unused(f->loop, note_unused, unused);
	assert_string_equal(unused, a.text);
	f->listener = listener_open(f->loop, &a, NULL, &e);
	assert_non_null(f->listener);
	lend(f);
	other = client(&a);
	PUMP_UNTIL(f->loop, f->accepted == 1);
	close(other);
	listener_free(f->listener);
	assert_int_equal(f->recalled, 1);
	close(client(&a)); /* open still, for whoever wants it next */
	listener_close_inherited(f->loop);
}

static void
test_family_missing(void **state)
{
	struct fixture *f = *state;
	struct listen_address a = loopback_address();
	bool no_family = false;

	a.sa.ss_family = AF_APPLETALK;
	assert_null(listener_open(f->loop, &a, &no_family, NULL));
	assert_true(no_family);
}

static void
test_unix_socket(void **state)
{
	struct fixture *f = *state;
	struct listen_address a;
	char spec[128];
	struct loop *other;
	struct stat st;
	struct err e;
	int fd;

	snprintf(spec, sizeof(spec), "unix:%s/s", f->dir);
	a = one_address(spec);
	f->listener = listener_open(f->loop, &a, NULL, NULL);
	assert_non_null(f->listener);
	lend(f);
	other = loop_new(NULL);
	assert_null(listener_open(other, &a, NULL, &e)); /* somebody listens */
	loop_free(other);
	fd = client(&a);
	PUMP_UNTIL(f->loop, f->accepted >= 1);
	close(fd);
	listener_free(f->listener);
	assert_int_not_equal(lstat(spec + 5, &st), 0);
}

static void
test_unix_socket_stale_or_replaced(void **state)
{
	struct fixture *f = *state;
	struct listen_address a;
	char spec[128];
	struct err e;
	int fd;

	snprintf(spec, sizeof(spec), "unix:%s/s", f->dir);
	a = one_address(spec);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a.sa, a.len), 0);
	close(fd); /* the file stays */
	f->listener = listener_open(f->loop, &a, NULL, NULL);
	assert_non_null(f->listener);

	unlink(spec + 5);
	close(open(spec + 5, O_CREAT | O_WRONLY, 0600));
	listener_free(f->listener); /* not its file any more */
	assert_int_equal(access(spec + 5, F_OK), 0);
	assert_null(listener_open(f->loop, &a, NULL, &e)); /* and no socket */
	unlink(spec + 5);
}

static void
test_descriptors_run_out(void **state)
{
	struct fixture *f = *state;
	struct listen_address a = loopback_address();
	struct rlimit old;
	struct rlimit now;
	int64_t began;
	int second;
	int fd;

	f->listener = listener_open(f->loop, &a, NULL, NULL);
	lend(f);
	pump_quiet(f->loop);
	fd = client(listener_address(f->listener));
	getrlimit(RLIMIT_NOFILE, &old);
	assert_false(listener_short_of_descriptors(f->listener));
	now = old;
	now.rlim_cur = (rlim_t)fd + 1; /* accept() fails with EMFILE */
	setrlimit(RLIMIT_NOFILE, &now);
	assert_true(listener_short_of_descriptors(f->listener));
	began = clock_mono_ms();
	pump_quiet(f->loop);
	assert_int_equal(f->accepted, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	second = client(listener_address(f->listener)); /* valgrind takes and loses the first */
	PUMP_UNTIL(f->loop, f->accepted >= 1);
	assert_true(clock_mono_ms() - began > 500); /* it paused */
	close(fd);
	close(second);
	listener_free(f->listener);
}

static void
test_pause_while_short(void **state)
{
	struct fixture *f = *state;
	struct listen_address a = loopback_address();
	struct rlimit old;
	struct rlimit now;
	int fd;

	f->listener = listener_open(f->loop, &a, NULL, NULL);
	lend(f);
	fd = client(listener_address(f->listener));
	getrlimit(RLIMIT_NOFILE, &old);
	now = old;
	now.rlim_cur = (rlim_t)fd + 5;
	setrlimit(RLIMIT_NOFILE, &now);
	listener_pause(f->listener, 1);
	pump_quiet(f->loop);
	pump_quiet(f->loop);
	assert_int_equal(f->accepted, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	PUMP_UNTIL(f->loop, f->accepted == 1);
	close(fd);
	listener_free(f->listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_unix_path_too_long),
	    cmocka_unit_test_setup_teardown(test_lent_and_recalled, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_held_twice, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_wider_beside_ours, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_inherited, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_family_missing, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unix_socket, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_unix_socket_stale_or_replaced, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_descriptors_run_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pause_while_short, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
