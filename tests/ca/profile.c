/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

#include "options.h"

/* As Let's Encrypt has them. */
static char *usual[] = {"classic=7776000", "tlsserver=3888000", "shortlived=576000"};

static char *const *
all(const struct options *o, size_t *ret_count)
{
	*ret_count = o->profiles.count > 0 ? o->profiles.count : sizeof(usual) / sizeof(*usual);
	return o->profiles.count > 0 ? o->profiles.values : usual;
}

json_t *
profiles_json(const struct options *o)
{
	json_t *object = json_object();
	size_t count;
	char *const *list = all(o, &count);

	for (size_t i = 0; i < count; i++)
		json_object_setn_new(object, list[i], strcspn(list[i], "="),
		    json_sprintf("https://testca.example/profiles#%d", (int)i));
	return object;
}

bool
profile_validity(const struct options *o, const char *name, long *ret_seconds)
{
	size_t count;
	char *const *list = all(o, &count);

	if (name == NULL) {
		*ret_seconds = o->validity;
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		size_t n = strcspn(list[i], "=");

		if (strlen(name) == n && strncmp(name, list[i], n) == 0) {
			*ret_seconds = list[i][n] == '=' ? atol(list[i] + n + 1) : o->validity;
			return true;
		}
	}
	return false;
}
