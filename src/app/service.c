/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/service.h"

#include <stdint.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "ev/listener.h"
#include "ev/timer.h"

enum { US_PER_MS = 1000 };

struct service {
	struct timer *watchdog; /* NULL: there is none */
	int64_t every_ms;
};

static void
still_here(void *arg)
{
	struct service *s = arg;

	sd_notify(0, "WATCHDOG=1");
	timer_start(s->watchdog, s->every_ms);
}

static void
begin_watchdog(struct service *s, struct loop *loop)
{
	uint64_t us = 0;

	if (sd_watchdog_enabled(1, &us) <= 0)
		return;
	s->every_ms = (int64_t)(us / 2 / US_PER_MS);
	s->watchdog = timer_new(loop, still_here, s);
	timer_start(s->watchdog, 0);
}

static bool
take_sockets(struct loop *loop, struct err *e)
{
	int n = sd_listen_fds(1);

	for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
		if (!listener_inherit(loop, fd, e))
			return err_prefix(e, "sockets from systemd");
	return true;
}

struct service *
service_new(struct loop *loop, struct err *e)
{
	struct service *s = xcalloc(1, sizeof(*s));

	if (!take_sockets(loop, e)) {
		service_free(s);
		return NULL;
	}
	begin_watchdog(s, loop);
	return s;
}

void
service_free(struct service *s)
{
	if (s == NULL)
		return;
	timer_free(s->watchdog);
	free(s);
}

void
service_ready(struct service *s, const char *status)
{
	(void)s;
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

/* systemd matches this with the moment at which it asked for a reload. */
void
service_reloading(struct service *s, const char *status)
{
	struct timespec now;

	(void)s;
	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=%s",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, status);
}

void
service_stopping(struct service *s, const char *status)
{
	(void)s;
	sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}
