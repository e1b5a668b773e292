/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The domains of an [auth] block: globs over DNS names, or addresses. One that
 * can match nothing only keeps people out, so it is a warning that says why.
 */
#include <ctype.h>
#include <string.h>

#include "app/conf_build.h"
#include "app/conf_value.h"

/* Why the glob can match no name, or NULL. */
static const char *
why_never(const char *glob)
{
	size_t len = strlen(glob);

	if (strstr(glob, "://") != NULL)
		return "it is a URL; write the name alone";
	if (strchr(glob, ',') != NULL || strpbrk(glob, " \t") != NULL)
		return "give each name an option of its own";
	if (strchr(glob, ':') != NULL)
		return "names have no port";
	if (glob[len - 1] == '.')
		return "write it without the dot at the end";
	if (glob[0] == '.' || strstr(glob, "..") != NULL)
		return "a name has no empty labels; write *.example.org";
	return NULL;
}

static const char *
why_never_char(const char *glob)
{
	for (const unsigned char *p = (const unsigned char *)glob; *p != '\0'; p++) {
		if (*p >= 0x80)
			return "write it in its ASCII form (xn--...)";
		if (!isalnum(*p) && strchr("-.*?[]!^\\", *p) == NULL)
			return "names consist of letters, digits, hyphens and dots";
	}
	return NULL;
}

/* Meant as an address or network, to judge by its signs. */
static bool
is_like_address(const char *value)
{
	const char *colon = strchr(value, ':');

	if (strstr(value, "://") != NULL)
		return false;
	return strchr(value, '/') != NULL || (colon != NULL && strchr(colon + 1, ':') != NULL) ||
	    value[strspn(value, "0123456789.")] == '\0';
}

static void
check(struct conf_build *b, const struct conf_entry *in)
{
	struct ip_range range;
	struct err e;
	const char *why = why_never(in->value);

	if (ip_range_parse(in->value, &range, &e))
		return;
	if (is_like_address(in->value))
		why = e.detail;
	else if (why == NULL)
		why = why_never_char(in->value);
	if (why != NULL)
		conf_warn(b, in->place, "domain \"%s\" can never match: %s", in->value, why);
}

static char *
lower(struct conf_build *b, const struct conf_entry *in)
{
	char *text = conf_keep_text(b->conf, in->value);
	bool changed = false;

	for (char *p = text; *p != '\0'; p++) {
		changed = changed || isupper((unsigned char)*p);
		*p = (char)tolower((unsigned char)*p);
	}
	if (changed)
		conf_note(b, in->place,
		    "domain \"%s\" matches in any case; the original minded the case", in->value);
	return text;
}

void
conf_build_domains(struct conf_build *b, const struct conf_section *s, struct auth_block *out)
{
	size_t n;
	struct conf_entry *in = conf_list(b, s, "auth", NULL, "domain", &n, NULL);

	out->domains = conf_keep(b->conf, n, sizeof(*out->domains));
	for (size_t i = 0; i < n; i++) {
		check(b, &in[i]);
		out->domains[out->domain_count++] = lower(b, &in[i]);
	}
	if (n == 0)
		conf_warn(b, s->place, "[auth \"%s\"] has no domain: it admits nobody", s->name);
}
