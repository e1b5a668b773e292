/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Built without libsystemd. */
#include <stdlib.h>

#include "app/service.h"
#include "base/alloc.h"

struct service {
	char unused;
};

struct service *
service_new(struct loop *loop, struct err *e)
{
	(void)loop;
	(void)e;
	return xcalloc(1, sizeof(struct service));
}

void
service_free(struct service *s)
{
	free(s);
}

void
service_ready(struct service *s, const char *status)
{
	(void)s;
	(void)status;
}

void
service_reloading(struct service *s, const char *status)
{
	(void)s;
	(void)status;
}

void
service_stopping(struct service *s, const char *status)
{
	(void)s;
	(void)status;
}
