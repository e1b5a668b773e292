/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_resolve.h"

#include <stdlib.h>
#include <string.h>

#include "app/conf.h"
#include "app/conf_listen.h"
#include "app/conf_memory.h"
#include "base/alloc.h"
#include "codec/uri.h"
#include "ev/listener.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/resolve.h"

enum { NAME_MS = 5 * 1000 };

/* The listeners of one part of the configuration, and what becomes of them. */
struct list {
	char ***items;
	size_t *count;
	char **found;
	size_t found_count;
};

struct conf_resolution {
	struct op op; /* first */
	struct loop *loop;
	struct resolver *resolver;
	struct conf *conf;
	struct list *lists;
	size_t list_count;
	size_t list; /* the one at hand, */
	size_t item; /* and what of it */
	struct op *lookup;
	struct task task;
	conf_resolved_fn *done;
	void *arg;
};

/* ---- which lists there are ---- */

static void
add_list(struct conf_resolution *r, char ***items, size_t *count)
{
	r->lists[r->list_count++] = (struct list){.items = items, .count = count};
}

static void
find_lists(struct conf_resolution *r)
{
	struct conf *c = r->conf;

	r->lists = xcalloc(c->verification_count + 2, sizeof(*r->lists));
	add_list(r, &c->mgmt.listeners, &c->mgmt.listener_count);
	add_list(r, &c->status_listeners, &c->status_listener_count);
	for (size_t i = 0; i < c->verification_count; i++) {
		struct challenge_conf *v = &c->verifications[i];

		if (v->type == CHALLENGE_HTTP01)
			add_list(r, &v->http01.listeners, &v->http01.listener_count);
		else if (v->type == CHALLENGE_DNS01_SERVER)
			add_list(r, &v->dns01_server.listeners, &v->dns01_server.listener_count);
	}
}

/* ---- the end ---- */

static void
resolution_free(struct conf_resolution *r)
{
	op_cancel(&r->lookup);
	task_cancel(&r->task);
	for (size_t i = 0; i < r->list_count; i++)
		free(r->lists[i].found);
	free(r->lists);
	free(r);
}

static void
cancel(struct op *op)
{
	resolution_free((struct conf_resolution *)op);
}

static void
finish(struct conf_resolution *r, const struct err *e)
{
	conf_resolved_fn *done = r->done;
	void *arg = r->arg;

	op_end(&r->op);
	resolution_free(r);
	done(arg, e);
}

/* As conf_clash.c does it for what the files say; names have addresses only now. */
static bool
clash(const struct conf_resolution *r, const char **ret_a, const char **ret_b)
{
	char **all = NULL;
	size_t n = 0;
	bool found = false;

	for (size_t i = 0; i < r->list_count; i++)
		for (size_t k = 0; k < r->lists[i].found_count; k++) {
			char *new = r->lists[i].found[k];
			for (size_t j = 0; j < n && !found; j++) {
				found = conf_listener_covers(all[j], new) ||
				    conf_listener_covers(new, all[j]);
				*ret_a = all[j];
				*ret_b = new;
			}
			all = xreallocarray(all, n + 1, sizeof(*all));
			all[n++] = new;
		}
	free(all);
	return found;
}

static void
end(struct conf_resolution *r)
{
	const char *a, *b;
	struct err e;

	if (clash(r, &a, &b)) {
		err_set(&e, ERR_CONFIG, "two listeners on one address: %s and %s", a, b);
		finish(r, &e);
		return;
	}
	for (size_t i = 0; i < r->list_count; i++) {
		struct list *l = &r->lists[i];
		size_t bytes = l->found_count * sizeof(char *);

		*l->items = conf_keep_bytes(r->conf, l->found, bytes);
		*l->count = l->found_count;
	}
	finish(r, NULL);
}

/* ---- one by one ---- */

static void next(void *arg);

static void
take(struct conf_resolution *r, const char *text)
{
	struct list *l = &r->lists[r->list];

	for (size_t i = 0; i < l->found_count; i++)
		if (strcmp(l->found[i], text) == 0)
			return;
	l->found = xreallocarray(l->found, l->found_count + 1, sizeof(*l->found));
	l->found[l->found_count++] = conf_keep_text(r->conf, text);
}

static void
looked_up(void *arg, const struct resolved *answer, const struct err *e)
{
	struct conf_resolution *r = arg;
	struct listen_address address;

	if (e != NULL) {
		finish(r, e);
		return;
	}
	for (size_t i = 0; i < answer->count; i++) {
		listen_address_set(&address, &answer->addrs[i], answer->lens[i]);
		take(r, address.text);
	}
	r->item++;
	next(r);
}

/* A name has to be looked up; what is none, an address with a scope too, stays. */
static bool
is_name(const char *spec, struct host_port *ret)
{
	struct ip_addr ip;

	return strncmp(spec, "unix:", 5) != 0 && host_port_parse(spec, 0, ret, NULL) &&
	    strchr(ret->host, ':') == NULL && !ip_addr_parse(ret->host, strlen(ret->host), &ip);
}

static void
next(void *arg)
{
	struct conf_resolution *r = arg;
	struct host_port at;

	for (; r->list < r->list_count; r->list++, r->item = 0) {
		const struct list *l = &r->lists[r->list];

		for (; r->item < *l->count; r->item++) {
			const char *spec = (*l->items)[r->item];
			if (is_name(spec, &at)) {
				resolve_start(r->resolver, at.host, at.port, NAME_MS, looked_up, r,
				    &r->lookup);
				return;
			}
			take(r, spec);
		}
	}
	end(r);
}

void
conf_resolve_start(struct loop *loop, struct resolver *resolver, struct conf *conf,
    conf_resolved_fn *done, void *arg, struct op **slot)
{
	struct conf_resolution *r = xcalloc(1, sizeof(*r));

	r->loop = loop;
	r->resolver = resolver;
	r->conf = conf;
	r->done = done;
	r->arg = arg;
	find_lists(r);
	op_begin(&r->op, slot, cancel);
	task_post(loop, &r->task, next, r);
}
