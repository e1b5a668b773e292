/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/listeners.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "ev/listener.h"

static bool
open_one(struct listeners *list, struct loop *loop, const struct listen_address *addr,
    bool is_default, struct err *e)
{
	bool no_family = false;
	struct listener *l = listener_open(loop, addr, &no_family, e);

	if (l == NULL && no_family && is_default) {
		log_warning(NULL, "default listener left out: %s", e->detail);
		return true;
	}
	if (l == NULL)
		return false;
	list->items = xreallocarray(list->items, list->count + 1, sizeof(struct listener *));
	list->items[list->count++] = l;
	return true;
}

static bool
open_spec(
    struct listeners *list, struct loop *loop, const char *spec, bool is_default, struct err *e)
{
	struct listen_address *addrs = NULL;
	size_t n = 0;
	bool ok = listen_addresses(spec, &addrs, &n, e);

	for (size_t i = 0; ok && i < n; i++)
		ok = open_one(list, loop, &addrs[i], is_default, e);
	free(addrs);
	return ok;
}

bool
listeners_open(struct listeners *list, struct loop *loop, char *const *specs, size_t count,
    bool are_default, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (!open_spec(list, loop, specs[i], are_default, e))
			return false;
	return true;
}

void
listeners_close(struct listeners *list)
{
	for (size_t i = 0; i < list->count; i++)
		listener_free(list->items[i]);
	free(list->items);
	*list = (struct listeners){0};
}
