/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of listeners: HOST:PORT, [fe80::1%eth0]:PORT, unix:/path. Checked for
 * their form only; nothing is looked up or bound here. Private to app/conf*.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "app/conf_build.h"

enum { CONF_LISTENERS_MAX = 64 };

/* Whether the text is a listener; *e says what is wrong. */
bool conf_listener_check(const char *text, bool unix_too, struct err *e);
/* Whether both want the same address, or a wildcard of the one takes the other's. */
bool conf_listener_covers(const char *text, const char *other);

/* The option "listener" of the section (of that kind and type), or its defaults. */
char **conf_listeners(struct conf_build *b, const struct conf_section *s, const char *kind,
    const char *type, bool unix_too, size_t *ret_count, bool *ret_default);
