/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/held_forget.h"

#include <string.h>

#include "app/held.h"
#include "codec/ip.h"
#include "issue/store.h"

struct forgetting {
	const struct identifier *name;
	FILE *out;
	size_t count;
};

bool
held_name(const char *text, struct identifier *ret, struct err *e)
{
	struct ip_addr ip;

	if (ip_addr_parse(text, strlen(text), &ip)) {
		identifier_ip(&ip, ret);
		return true;
	}
	if (identifier_dns(text, strlen(text), ret, e))
		return true;
	if (e != NULL)
		e->kind = ERR_CONFIG;
	return false;
}

static void
look_at(void *arg, struct held *h)
{
	struct forgetting *f = arg;

	for (size_t i = 0; i < h->names.count && !h->remove; i++)
		h->remove = identifier_equal(&h->names.items[i], f->name);
	if (!h->remove)
		return;
	f->count++;
	fprintf(f->out, "forgotten: %s, serial %s\n", h->path, h->entry->meta.leaf.serial);
}

bool
held_forget(const struct conf *conf, const struct identifier *name, FILE *out, size_t *ret_count,
    struct err *e)
{
	struct forgetting f = {.name = name, .out = out};
	bool ok = held_each(conf, look_at, &f, e);

	*ret_count = f.count;
	return ok;
}
