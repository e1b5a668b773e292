/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last requests, for tests that want to know what was asked, when and over which connection. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

struct call;
struct journal;

struct journal *journal_new(size_t size);
void journal_free(struct journal *j);
void journal_clear(struct journal *j);
void journal_add(struct journal *j, const struct call *c, uint64_t connection);
/* Those of a number greater than since. */
json_t *journal_json(const struct journal *j, uint64_t since);
