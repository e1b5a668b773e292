/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [verification "NAME"], and which of them is the default. */
#include <stdlib.h>
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_listen.h"
#include "app/conf_value.h"
#include "base/alloc.h"

#define DEFAULT_NAME "http"

int
conf_find_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static void
build_http01(struct conf_build *b, const struct conf_section *s, struct challenge_http01_conf *out)
{
	out->listeners =
	    conf_listeners(b, s, "verification", conf_verification_types[CHALLENGE_HTTP01], true,
		&out->listener_count, &out->default_listeners);
}

static void
report_type(struct conf_build *b, const struct conf_section *s)
{
	const struct conf_entry *type = conf_entry_find(s, "type");

	if (type == NULL)
		conf_error(b, s->place, "[verification \"%s\"] has no type", s->name);
	else
		conf_error(b, type->place, "unknown type \"%s\"%s", type->value,
		    conf_did_you_mean(type->value, conf_verification_types, CHALLENGE_TYPE_COUNT));
}

static void
build_one(struct conf_build *b, const struct conf_section *s, struct challenge_conf *out)
{
	out->name = conf_keep_text(b->conf, s->name);
	if (s->type < 0) {
		report_type(b, s);
		return;
	}
	out->type = (enum challenge_type)s->type;
	switch (out->type) {
	case CHALLENGE_HTTP01:
		build_http01(b, s, &out->http01);
		break;
	case CHALLENGE_DNS01_UPDATE:
		conf_build_dns01_update(b, s, &out->dns01_update);
		break;
	case CHALLENGE_DNS01_SERVER:
		conf_build_dns01_server(b, s, &out->dns01_server);
		break;
	case CHALLENGE_DNS01_CHALLTESTSRV:
		conf_build_challtestsrv(b, s, &out->challtestsrv);
		break;
	case CHALLENGE_TYPE_COUNT:
		break;
	}
}

/* ---- the default ---- */

static int
find(const struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->verification_count; i++)
		if (strcmp(c->verifications[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int
named_default(struct conf_build *b, const struct conf_entry *given)
{
	int i = find(b->conf, given->value);

	if (given->value[0] == '\0')
		return CONF_NO_DEFAULT;
	if (i >= 0)
		return i;
	conf_error(b, given->place, "default-verification: there is no [verification \"%s\"]",
	    given->value);
	return CONF_BAD_DEFAULT;
}

static int
add_default(struct conf_build *b)
{
	struct conf *c = b->conf;
	struct challenge_conf *new = &c->verifications[c->verification_count];

	new->name = conf_keep_text(c, DEFAULT_NAME);
	c->verifications_said[c->verification_count] = conf_keep_section(c, NULL);
	new->type = CHALLENGE_HTTP01;
	build_http01(b, NULL, &new->http01);
	return (int)c->verification_count++;
}

static int
choose_default(struct conf_build *b)
{
	const struct conf_section *mgmt = conf_sections_one(&b->sections, "mgmt"), *s = NULL;
	const struct conf_entry *given = conf_entry_find(mgmt, "default-verification");

	if (given != NULL)
		return named_default(b, given);
	if (b->conf->verification_count == 1)
		return 0;
	int i = find(b->conf, DEFAULT_NAME);
	if (i < 0)
		return add_default(b);
	for (int n = 0; n <= i; n++)
		s = conf_sections_next(&b->sections, "verification", s);
	conf_note(b, s->place,
	    "this block is the default; the original replaced it by one on the listeners "
	    "0.0.0.0:1380 and [::]:1380, because default-verification is not given");
	return i;
}

void
conf_build_verifications(struct conf_build *b)
{
	struct conf *c = b->conf;
	size_t n = conf_sections_count(&b->sections, "verification");
	const struct conf_section *s = NULL;

	/* One more: the default may have to be added. */
	c->verifications = conf_keep(c, n + 1, sizeof(*c->verifications));
	c->verifications_said = conf_keep(c, n + 1, sizeof(*c->verifications_said));
	while ((s = conf_sections_next(&b->sections, "verification", s)) != NULL) {
		c->verifications_said[c->verification_count] = conf_keep_section(c, s);
		build_one(b, s, &c->verifications[c->verification_count++]);
	}
	b->default_verification = choose_default(b);
}
