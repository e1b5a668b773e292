/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The names that have TXT values now: of challenges that are active, whichever
 * responder presented them. Private to dns/, but that who makes several responders
 * gives them one of these. Owns its names and their records.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct responder_key;
struct responder_name;
struct responder_record;
struct responder_records;

struct responder_records *responder_records_new(void);
void responder_records_free(struct responder_records *r); /* NULL is fine */

/* owner in presentation form, with or without the last dot. NULL: ERR_INTERNAL for what is no name
 * or no value, ERR_BUSY when the name has too many values already. */
struct responder_record *responder_records_add(struct responder_records *r, const char *owner,
    const char *value, void (*fetched)(void *arg), void *arg, struct err *e);
void responder_records_remove(struct responder_records *r, struct responder_record *record);

/* The name with its values, or NULL. */
struct responder_name *responder_records_find(
    const struct responder_records *r, const struct responder_key *key);
/* Whether a name below this one has values: an empty non-terminal (RFC 8020). */
bool responder_records_below(const struct responder_records *r, const struct responder_key *key);
uint32_t responder_records_serial(const struct responder_records *r); /* grows with every change */
