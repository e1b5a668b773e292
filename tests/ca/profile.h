/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificate profiles: names with a lifetime. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

struct options;

json_t *profiles_json(const struct options *o);
/* Seconds; name NULL: without a profile. False if there is none of that name. */
bool profile_validity(const struct options *o, const char *name, long *ret_seconds);
