/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps nothing: every request orders a certificate. */
#include <stdlib.h>

#include "base/alloc.h"
#include "issue/store.h"

static void
none_flush(struct store *s)
{
	(void)s;
}

static void
none_free(struct store *s)
{
	free(s->name);
	free(s);
}

static const struct store_kind none_kind = {
    .config_name = "none",
    .keeps = false,
    .flush = none_flush,
    .free = none_free,
};

struct store *
store_none_new(const char *name)
{
	struct store *s = xcalloc(1, sizeof(*s));

	s->kind = &none_kind;
	s->name = xstrdup(name);
	return s;
}
