/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the members of struct conf point to has one owner: conf->memory. All of it
 * is overwritten before it is freed, because keys are among it. Private to
 * app/conf*.c.
 */
#pragma once

#include <stddef.h>

#include "app/conf.h"

struct conf_section;

/* n zeroed objects; n = 0 gives a valid pointer too. */
void *conf_keep(struct conf *c, size_t n, size_t size);
char *conf_keep_text(struct conf *c, const char *text);
/* What the section says; NULL: nothing. */
char *conf_keep_section(struct conf *c, const struct conf_section *s);
/* A copy of n bytes with a NUL behind it. */
void *conf_keep_bytes(struct conf *c, const void *bytes, size_t n);
void conf_memory_free(struct conf *c);
