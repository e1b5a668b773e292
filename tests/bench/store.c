/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What keeping a certificate costs, and how long it stops the loop:
 *
 *	bench_store DIRECTORY COUNT RATE [blocking]
 *
 * puts COUNT certificates, RATE a second, into a file store in DIRECTORY, which must be on the disk
 * in question and fresh: ext4 looks long for a free inode where many were freed a moment ago. A
 *tick of 1 ms tells how late the loop is. COUNT 0 shows for RATE seconds what the machine alone
 *does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "codec/digest.h"
#include "ev/io.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "issue/store.h"

enum { TICK_US = 1000, BODY = 1000, PEM = 4000, LATE_MAX = 1000 * 1000 };

struct put {
	struct bench *bench;
	struct op *op;
	int64_t begun;
};

struct bench {
	struct loop *loop;
	struct store *store;
	struct io *io;
	int tick;
	int64_t start; /* microseconds */
	int64_t ticks;
	long count;
	long rate;
	long begun;
	long done;
	long failed;
	struct put *puts;
	int64_t *late;
	int64_t *stood; /* the same without what others had the processor for */
	size_t late_count;
	int schedstat;
	int64_t waited; /* for a processor, until the last tick */
	int64_t *took;
	struct rusage before;
};

static int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- one certificate ---- */

static void
put_done(void *arg, const struct err *e)
{
	struct put *p = arg;
	struct bench *b = p->bench;

	if (e != NULL && b->failed++ == 0)
		fprintf(stderr, "%s\n", e->detail);
	b->took[b->done] = now_us() - p->begun;
	if (++b->done == b->count)
		loop_stop(b->loop);
}

static void
put_one(struct bench *b)
{
	struct put *p = &b->puts[b->begun];
	struct store_meta meta = {
	    .directory_url = "https://ca.example/directory",
	    .account_url = "https://ca.example/acct/1",
	    .auth_block = "web",
	    .verification = "http",
	    .certificate_url = "https://ca.example/cert/1",
	    .issued = clock_wall(),
	};
	char body[BODY + 1];
	char pem[PEM];
	char key[SHA384_HEX];

	memset(body, 'b', sizeof(body));
	memset(pem, 'p', sizeof(pem));
	snprintf(body, sizeof(body), "%ld of %d at %lld", b->begun, getpid(), (long long)b->start);
	digest_sha384_hex(body, BODY, key);
	struct store_put put = {
	    .key = key,
	    .body = body,
	    .body_len = BODY,
	    .pem = pem,
	    .pem_len = PEM,
	    .meta = &meta,
	};
	b->begun++;
	p->bench = b;
	p->begun = now_us();
	b->store->kind->put(b->store, &put, put_done, p, &p->op);
}

/* ---- the tick ---- */

/* Microseconds this thread was ready to run and did not. */
static int64_t
waited_us(const struct bench *b)
{
	char text[100];
	long long ran;
	long long waited;
	ssize_t n = pread(b->schedstat, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%lld %lld", &ran, &waited) == 2 ? waited / 1000 : 0;
}

static void
note(struct bench *b, int64_t late)
{
	int64_t waited = waited_us(b);
	int64_t stood = late - (waited - b->waited);

	b->waited = waited;
	if (b->late_count == LATE_MAX)
		return;
	b->late[b->late_count] = late;
	b->stood[b->late_count++] = stood > 0 ? stood : 0;
}

static void
on_tick(void *arg)
{
	struct bench *b = arg;
	int64_t now = now_us();
	uint64_t n;

	if (read(b->tick, &n, sizeof(n)) != sizeof(n))
		return;
	/* The first that was missed has waited longest. */
	note(b, now - (b->start + (b->ticks + 1) * TICK_US));
	b->ticks += (int64_t)n;
	while (b->begun < b->count && (now - b->start) * b->rate / 1000000 > b->begun)
		put_one(b);
	if (b->count == 0 && now - b->start > b->rate * 1000000)
		loop_stop(b->loop);
}

static void
start_ticking(struct bench *b)
{
	struct itimerspec spec = {.it_interval.tv_nsec = TICK_US * 1000};
	int64_t first;

	b->tick = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	b->start = now_us();
	first = b->start + TICK_US;
	spec.it_value.tv_sec = (time_t)(first / 1000000);
	spec.it_value.tv_nsec = (long)(first % 1000000) * 1000;
	if (b->tick < 0 || timerfd_settime(b->tick, TFD_TIMER_ABSTIME, &spec, NULL) != 0)
		abort();
	b->io = io_new(b->loop, b->tick, on_tick, NULL, b);
	io_want(b->io, true, false);
	getrusage(RUSAGE_SELF, &b->before);
}

/* ---- figures ---- */

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void
print_times(const char *what, int64_t *times, size_t n)
{
	if (n == 0)
		return;
	qsort(times, n, sizeof(times[0]), compare);
	printf("%s: p50 %lld, p99 %lld, p99.9 %lld, max %lld us\n", what, (long long)times[n / 2],
	    (long long)times[n * 99 / 100], (long long)times[n * 999 / 1000],
	    (long long)times[n - 1]);
}

static int64_t
us(const struct timeval *after, const struct timeval *before)
{
	return (int64_t)(after->tv_sec - before->tv_sec) * 1000000 + after->tv_usec -
	    before->tv_usec;
}

static void
print_figures(struct bench *b)
{
	int64_t elapsed = now_us() - b->start;
	struct rusage after;

	getrusage(RUSAGE_SELF, &after);
	if (b->count > 0) {
		printf("%ld certificates, %ld failed, %lld a second\n", b->done, b->failed,
		    (long long)(b->done * 1000000 / elapsed));
		printf("CPU: %lld us user, %lld us system a certificate\n",
		    (long long)us(&after.ru_utime, &b->before.ru_utime) / b->done,
		    (long long)us(&after.ru_stime, &b->before.ru_stime) / b->done);
	}
	print_times("a put took", b->took, (size_t)b->done);
	print_times("the loop was late", b->late, b->late_count);
	print_times("by its own doing", b->stood, b->late_count);
}

int
main(int argc, char **argv)
{
	struct bench b = {0};
	struct err e;

	if (argc < 4) {
		fprintf(stderr, "usage: %s DIRECTORY COUNT RATE [blocking]\n", argv[0]);
		return 2;
	}
	struct store_file_conf conf = {
	    .directory = argv[1],
	    .keep = 86400,
	    .blocking = argc > 4 && strcmp(argv[4], "blocking") == 0,
	};
	b.count = atol(argv[2]);
	b.rate = atol(argv[3]);
	b.puts = xcalloc((size_t)b.count + 1, sizeof(*b.puts));
	b.took = xcalloc((size_t)b.count + 1, sizeof(*b.took));
	b.late = xcalloc(LATE_MAX, sizeof(*b.late));
	b.stood = xcalloc(LATE_MAX, sizeof(*b.stood));
	b.schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	b.loop = loop_new(&e);
	b.store = store_file_new(b.loop, "bench", &conf, 0, &e);
	if (b.store == NULL) {
		fprintf(stderr, "%s\n", e.detail);
		return 1;
	}
	start_ticking(&b);
	loop_run(b.loop, &e);
	print_figures(&b);
	io_free(b.io);
	close(b.tick);
	store_free(b.store);
	loop_free(b.loop);
	free(b.puts);
	free(b.took);
	free(b.late);
	free(b.stood);
	close(b.schedstat);
	return b.failed == 0 ? 0 : 1;
}
