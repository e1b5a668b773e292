/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/conf_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/identifier.h"
#include "codec/ini.h"
#include "codec/size.h"

/* An empty value of an option that may be empty is its default. */
static struct conf_entry
entry_or_default(struct conf_build *b, const struct conf_section *s, const struct conf_option *o)
{
	const struct conf_entry *given = conf_entry_find(s, o->name);

	if (given != NULL && given->value[0] != '\0')
		return *given;
	return (struct conf_entry){
	    .option = o, .value = o->fallback, .place = s != NULL ? s->place : b->start};
}

void
conf_set(struct conf_build *b, const struct conf_section *s, const char *kind, const char *type,
    const struct conf_setter *table, size_t n, void *object)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_option *o = conf_option_find(kind, type, table[i].name);
		struct conf_entry in = entry_or_default(b, s, o);

		if (in.value != NULL)
			table[i].set(b, &in, &table[i], (char *)object + table[i].offset);
	}
}

bool
conf_parse_bool(const char *text, bool *ret)
{
	bool yes = strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0;

	if (!yes && strcasecmp(text, "no") != 0 && strcasecmp(text, "false") != 0)
		return false;
	*ret = yes;
	return true;
}

bool
conf_set_bool(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	if (conf_parse_bool(in->value, out))
		return true;
	conf_error(b, in->place, "%s: \"%s\" is neither yes nor no", how->name, in->value);
	return false;
}

bool
conf_set_number(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	char *end;

	errno = 0;
	long long n = strtoll(in->value, &end, 10);
	bool digits = strspn(in->value, "0123456789") == strlen(in->value);
	if (!digits || *end != '\0' || errno != 0 || n < how->min || n > how->max) {
		conf_error(b, in->place,
		    "%s: \"%s\" is not a whole number from %" PRId64 " to %" PRId64, how->name,
		    in->value, how->min, how->max);
		return false;
	}
	*(int64_t *)out = n * how->unit;
	return true;
}

bool
conf_set_count(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	int64_t n;

	if (!conf_set_number(b, in, how, &n))
		return false;
	*(size_t *)out = (size_t)n;
	return true;
}

bool
conf_set_size(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	size_t n;

	if (!size_parse(in->value, &n)) {
		conf_error(b, in->place, "%s: \"%s\" is not a size such as 4k or 1.5M", how->name,
		    in->value);
		return false;
	}
	if (n < (size_t)how->min || n > (size_t)how->max) {
		conf_error(b, in->place,
		    "%s: \"%s\" is not between %" PRId64 " and %" PRId64 " bytes", how->name,
		    in->value, how->min, how->max);
		return false;
	}
	*(size_t *)out = n;
	return true;
}

bool
conf_set_text(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	*(char **)out = conf_keep_text(b->conf, in->value);
	return true;
}

bool
conf_set_name(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	struct identifier id;
	struct err e;
	size_t len = strlen(in->value);

	if (len > 0 && in->value[len - 1] == '.')
		len--;
	if (!identifier_dns(in->value, len, &id, &e)) {
		conf_error(b, in->place, "%s: %s", how->name, e.detail);
		return false;
	}
	*(char **)out = conf_keep_text(b->conf, id.value);
	return true;
}

/* ---- lists ---- */

static size_t
count_parts(const char *text)
{
	size_t n = 1;

	while ((text = strstr(text, ", ")) != NULL) {
		text += 2;
		n++;
	}
	return n;
}

static struct conf_entry *
default_list(
    struct conf_build *b, const struct conf_option *o, struct conf_place place, size_t *ret)
{
	if (o->fallback == NULL) {
		*ret = 0;
		return conf_keep(b->conf, 0, sizeof(struct conf_entry));
	}
	char *text = conf_keep_text(b->conf, o->fallback), *next;
	struct conf_entry *list = conf_keep(b->conf, count_parts(text), sizeof(*list));

	for (*ret = 0; text != NULL; text = next) {
		next = strstr(text, ", ");
		if (next != NULL) {
			*next = '\0';
			next += 2;
		}
		list[(*ret)++] = (struct conf_entry){.option = o, .value = text, .place = place};
	}
	return list;
}

struct conf_entry *
conf_list(struct conf_build *b, const struct conf_section *s, const char *kind, const char *type,
    const char *name, size_t *ret_count, bool *ret_default)
{
	const struct conf_option *o = conf_option_find(kind, type, name);
	const struct conf_entry *e = conf_entry_find(s, name), *empty = NULL;
	size_t n = conf_entry_count(s, name);

	if (ret_default != NULL)
		*ret_default = e == NULL;
	if (e == NULL)
		return default_list(b, o, s != NULL ? s->place : b->start, ret_count);
	struct conf_entry *list = conf_keep(b->conf, n, sizeof(*list));
	*ret_count = 0;
	for (; e != NULL; e = conf_entry_next(s, name, e)) {
		if (e->value[0] == '\0')
			empty = e;
		else
			list[(*ret_count)++] = *e;
	}
	if (empty != NULL && n > 0)
		conf_warn(b, empty->place, "empty \"%s\" beside others is ignored", name);
	return list;
}

const char *
conf_did_you_mean(const char *word, const char *const *candidates, size_t count)
{
	static char text[128];
	const char *closest = ini_closest(word, candidates, count);

	if (closest == NULL)
		return "";
	snprintf(text, sizeof(text), "; did you mean \"%s\"?", closest);
	return text;
}

struct conf_at
conf_at(const struct conf_build *b, const struct conf_section *s, const char *name)
{
	const struct conf_entry *e = conf_entry_find(s, name);
	struct conf_place place = e != NULL ? e->place : s != NULL ? s->place : b->start;

	return (struct conf_at){conf_keep_text(b->conf, place.path), place.line};
}
