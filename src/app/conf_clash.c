/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listeners of ours that would take the same address. */
#include <stdlib.h>
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_listen.h"
#include "base/alloc.h"

enum { OWNER_MAX = 160 };

/* One listener, and who wants it. */
struct claim {
	const char *text;
	const char *owner; /* "[mgmt]" */
	struct conf_place place;
};

struct claims {
	struct claim *items;
	size_t count;
};

/* Where the value stands; a default stands where its section begins. */
static struct conf_place
place_of(const struct conf_build *b, const struct conf_section *s, const char *text)
{
	for (size_t i = 0; s != NULL && i < s->count; i++)
		if (strcmp(s->entries[i].value, text) == 0)
			return s->entries[i].place;
	return s != NULL ? s->place : b->start;
}

static void
report(struct conf_build *b, const struct claim *have, const struct claim *want)
{
	conf_error(b, want->place, "%s: listener %s: taken by listener %s of %s (%s:%d)",
	    want->owner, want->text, have->text, have->owner, have->place.path, have->place.line);
}

static void
add(struct conf_build *b, struct claims *all, const struct claim *new)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct claim *have = &all->items[i];

		if (conf_listener_covers(have->text, new->text) ||
		    conf_listener_covers(new->text, have->text)) {
			report(b, have, new);
			return;
		}
	}
	all->items = xreallocarray(all->items, all->count + 1, sizeof(*all->items));
	all->items[all->count++] = *new;
}

static void
add_list(struct conf_build *b, struct claims *all, const struct conf_section *s, const char *owner,
    char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(b, all, &(struct claim){list[i], owner, place_of(b, s, list[i])});
}

/* s is NULL for the block that was added as the default. */
static void
add_verification(struct conf_build *b, struct claims *all, const struct conf_section *s,
    const struct challenge_conf *conf)
{
	char *owner = xasprintf("[verification \"%.*s\"]", OWNER_MAX, conf->name);
	const char *kept = conf_keep_text(b->conf, owner);

	free(owner);
	if (conf->type == CHALLENGE_HTTP01)
		add_list(b, all, s, kept, conf->http01.listeners, conf->http01.listener_count);
	else if (conf->type == CHALLENGE_DNS01_SERVER)
		add_list(b, all, s, kept, conf->dns01_server.listeners,
		    conf->dns01_server.listener_count);
}

void
conf_check_listeners(struct conf_build *b)
{
	const struct conf *c = b->conf;
	const struct conf_section *s = NULL;
	struct claims all = {0};

	add_list(b, &all, conf_sections_one(&b->sections, "mgmt"), "[mgmt]", c->mgmt.listeners,
	    c->mgmt.listener_count);
	for (size_t i = 0; i < c->verification_count; i++) {
		/* In the order of their sections; what was added has none. */
		s = i == 0 || s != NULL ? conf_sections_next(&b->sections, "verification", s)
					: NULL;
		add_verification(b, &all, s, &c->verifications[i]);
	}
	add_list(b, &all, conf_sections_one(&b->sections, "status"), "[status]",
	    c->status_listeners, c->status_listener_count);
	free(all.items);
}
