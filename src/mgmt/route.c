/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/route.h"

#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "http/server.h"
#include "mgmt/reply.h"

static bool
path_is(const char *target, const char *path)
{
	size_t n = strlen(path);

	return strncmp(target, path, n) == 0 && (target[n] == '\0' || target[n] == '?');
}

static bool
method_allowed(const char *method, const char *allow)
{
	const char *at = strstr(allow, method);

	return at != NULL && (at[strlen(method)] == '\0' || at[strlen(method)] == ',');
}

static void
refuse(struct http_exchange *x, const struct err *e, const char *allow)
{
	log_info(&(struct log_context){.peer = http_exchange_peer_text(x)}, "refused (%s): %s %s",
	    err_kind_name(e->kind), http_exchange_method(x), http_exchange_target(x));
	reply_error(x, e, allow);
}

const struct route *
route_find(const struct route_table *table, void *server, const char *target)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct route *r = &table->routes[i];
		if (path_is(target, r->path))
			return r->offered == NULL || r->offered(server) ? r : NULL;
	}
	return NULL;
}

void
route_dispatch(const struct route_table *table, void *server, struct http_exchange *x)
{
	const struct route *r = route_find(table, server, http_exchange_target(x));
	struct err e;

	if (r == NULL) {
		err_set(&e, ERR_NOT_FOUND, "%s", table->not_found);
		refuse(x, &e, NULL);
	} else if (!method_allowed(http_exchange_method(x), r->allow)) {
		err_set(&e, ERR_METHOD, "%s takes %s only", r->path, r->allow);
		refuse(x, &e, r->allow);
	} else {
		r->handle(server, x);
	}
}
