/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 400 << 20 };

/* Whether a blank separated list has this word. */
static bool
has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == '\0' || p[n] == ' '))
			return true;
	return false;
}

static enum fault_id
find(const char *name)
{
	enum fault_id id = 0;

	while (id < FAULT_COUNT && strcmp(fault_kinds[id].name, name) != 0)
		id++;
	return id;
}

static bool
fits_endpoint(const struct fault_kind *kind, enum endpoint e)
{
	if (kind->endpoints != NULL)
		return has_word(kind->endpoints, endpoint_name(e));
	return e != EP_CONNECTION;
}

/* What stands behind "name:" in the parameters of a fault, or NULL. */
static const char *
spec_of(const struct fault_kind *kind, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = kind->params; *p != '\0'; p += strspn(p, " ")) {
		if (strncmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1;
		p += strcspn(p, " ");
	}
	return NULL;
}

/* Whether a list like =a|b|c, which ends at a blank, has this word. */
static bool
is_choice(const char *list, const char *word)
{
	size_t n = strlen(word), len;

	for (const char *p = list + 1;; p += len + 1) {
		len = strcspn(p, "| ");
		if (len == n && strncmp(p, word, n) == 0)
			return true;
		if (p[len] != '|')
			return false;
	}
}

static bool
is_bounded(const json_t *value, json_int_t least)
{
	json_int_t n = json_integer_value(value);

	return json_is_integer(value) && n >= least && n <= NUMBER_MAX;
}

static bool
fits_spec(const json_t *value, const char *spec)
{
	switch (*spec) {
	case 'n':
		return is_bounded(value, 0);
	case 'i':
		return is_bounded(value, -NUMBER_MAX);
	case 's':
		return json_is_string(value);
	case 'b':
		return json_is_boolean(value);
	case 'l':
		return json_is_array(value);
	case '=':
		return json_is_string(value) && is_choice(spec, json_string_value(value));
	default:
		return true;
	}
}

static bool
check_param(const struct fault_kind *kind, const char *name, const json_t *value, struct err *e)
{
	const char *spec = spec_of(kind, name);

	if (strcmp(name, "name") == 0)
		return true;
	if (spec == NULL)
		return err_set(
		    e, ERR_BAD_REQUEST, "fault %s has no parameter %s", kind->name, name);
	return fits_spec(value, spec) ||
	    err_set(e, ERR_BAD_REQUEST, "%s of fault %s cannot be that", name, kind->name);
}

bool
fault_parse(struct fault *f, const json_t *object, enum endpoint e, struct err *err)
{
	const char *name = json_string_value(json_object_get(object, "name"));
	enum fault_id id = name != NULL ? find(name) : FAULT_COUNT;
	const char *key;
	json_t *value;

	if (id == FAULT_COUNT)
		return err_set(err, ERR_BAD_REQUEST, "there is no fault \"%s\"; see --list-faults",
		    name != NULL ? name : "");
	if (!fits_endpoint(&fault_kinds[id], e))
		return err_set(err, ERR_BAD_REQUEST, "fault %s does not go with endpoint %s", name,
		    endpoint_name(e));
	json_object_foreach((json_t *)object, key,
	    value) if (!check_param(&fault_kinds[id], key, value, err)) return false;
	*f = (struct fault){.id = id, .kind = &fault_kinds[id], .params = json_deep_copy(object)};
	return true;
}

void
fault_done(struct fault *f)
{
	json_decref(f->params);
	f->params = NULL;
}

long
fault_number(const struct fault *f, const char *param, long otherwise)
{
	const json_t *value = json_object_get(f->params, param);

	return value != NULL ? (long)json_integer_value(value) : otherwise;
}

const char *
fault_string(const struct fault *f, const char *param, const char *otherwise)
{
	const char *s = json_string_value(json_object_get(f->params, param));

	return s != NULL ? s : otherwise;
}

bool
fault_flag(const struct fault *f, const char *param)
{
	return json_is_true(json_object_get(f->params, param));
}

static json_t *
endpoints_of(const struct fault_kind *kind)
{
	json_t *list = json_array();

	for (enum endpoint e = 0; e < EP_COUNT; e++)
		if (fits_endpoint(kind, e))
			json_array_append_new(list, json_string(endpoint_name(e)));
	return list;
}

static json_t *
examples_of(const struct fault_kind *kind)
{
	json_t *list = json_loads(kind->examples, 0, NULL), *example;
	size_t i;

	if (list == NULL)
		abort();
	json_array_foreach(list, i, example)
	    json_object_set_new(example, "name", json_string(kind->name));
	return list;
}

json_t *
fault_list(void)
{
	json_t *list = json_array();

	for (enum fault_id id = 0; id < FAULT_COUNT; id++) {
		const struct fault_kind *k = &fault_kinds[id];

		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b, s:s, s:s, s:o, s:o}", "name", k->name, "group",
			k->group, "instead", k->stage == FAULT_INSTEAD, "params", k->params,
			"summary", k->summary, "endpoints", endpoints_of(k), "examples",
			examples_of(k)));
	}
	return list;
}
