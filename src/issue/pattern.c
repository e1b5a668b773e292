/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "issue/pattern.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char SPECIAL[] = "*?[\\";

static char *
lower_copy(const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

void
pattern_init(struct pattern *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	if (ip_range_parse(text, &p->range, NULL)) {
		p->kind = PATTERN_IP;
	} else if (strpbrk(text, SPECIAL) == NULL) {
		p->kind = PATTERN_EXACT;
	} else if (text[0] == '*' && strpbrk(text + 1, SPECIAL) == NULL) {
		p->kind = PATTERN_SUFFIX;
		text++;
	} else {
		p->kind = PATTERN_GLOB;
	}
	p->text = lower_copy(text);
	p->len = strlen(text);
}

void
pattern_done(struct pattern *p)
{
	free(p->text);
}

static bool
matches_name(const struct pattern *p, const char *name)
{
	size_t len = strlen(name);

	switch (p->kind) {
	case PATTERN_EXACT:
		return len == p->len && memcmp(name, p->text, len) == 0;
	case PATTERN_SUFFIX:
		return len >= p->len && memcmp(name + len - p->len, p->text, p->len) == 0;
	case PATTERN_GLOB:
		return fnmatch(p->text, name, 0) == 0;
	case PATTERN_IP:
		break;
	}
	return false;
}

bool
pattern_matches(const struct pattern *p, const struct identifier *id)
{
	if (id->kind == IDENTIFIER_IP)
		return p->kind == PATTERN_IP && ip_range_contains(&p->range, &id->ip);
	return matches_name(p, id->value);
}
