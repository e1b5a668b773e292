/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counts and what the process has used. */
#pragma once

#include <jansson.h>

struct ca;

json_t *stats_json(const struct ca *ca);
