/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe --port N [--path /healthz] [--every-us 1000]
 *
 * Asks over one kept connection again and again, at fixed times, and says on SIGTERM how long the
 * answers took. An asking that could not be sent because the last one was unanswered counts from
 * when it was due.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "kit.h"

enum { SAMPLES_MAX = 4 * 1000 * 1000 };

static volatile sig_atomic_t is_over;

static void
on_signal(int number)
{
	(void)number;
	is_over = 1;
}

static int
connect_to(long port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		kit_die("nobody listens at port %ld", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void
sleep_until(int64_t ns)
{
	struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* The answers are short: one read has all of it. False: the end. */
static bool
ask(int fd, const char *request, size_t len)
{
	char answer[65536];

	return write(fd, request, len) == (ssize_t)len && read(fd, answer, sizeof(answer)) > 0;
}

static void
report(uint32_t *us, size_t n)
{
	uint64_t above = 0;

	if (n == 0)
		kit_die("no answer at all");
	qsort(us, n, sizeof(*us), kit_compare);
	for (size_t i = n; i > 0 && us[i - 1] > 2000; i--)
		above++;
	printf("{\"answers\": %zu, \"p50\": %u, \"p99\": %u, \"p999\": %u, \"max\": %u, "
	       "\"above_2ms\": %llu}\n",
	    n, us[n / 2], us[n * 99 / 100], us[n * 999 / 1000], us[n - 1],
	    (unsigned long long)above);
}

int
main(int argc, char **argv)
{
	int64_t every = kit_number(argv, "every-us", 1000) * 1000;
	uint32_t *us = xmalloc(SAMPLES_MAX * sizeof(*us));
	struct sigaction action = {.sa_handler = on_signal};
	char request[512];
	size_t n = 0;

	(void)argc;
	sigaction(SIGTERM, &action, NULL);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	int len = snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n",
	    kit_text(argv, "path", "/healthz"));
	int fd = connect_to(kit_number(argv, "port", 0));
	int64_t due = kit_now_ns() + every;
	while (!is_over && n < SAMPLES_MAX) {
		sleep_until(due);
		/* Waking up late is not the server's fault. */
		int64_t sent = kit_now_ns();
		if (is_over || !ask(fd, request, (size_t)len))
			break;
		int64_t now = kit_now_ns();
		due = sent;
		for (; due < now && n < SAMPLES_MAX; due += every)
			us[n++] = (uint32_t)((now - due) / 1000);
	}
	report(us, n);
	return is_over ? 0 : 1;
}
