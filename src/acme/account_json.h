/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payloads of RFC 8555 7.3, made from configuration and directory. The caller frees the texts.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/json.h"

struct ca;
struct ca_conf;
struct key;

char *account_lookup_payload(void);
/* NULL: ERR_ACCOUNT, the terms or the external binding that are missing, and what to set. */
char *account_register_payload(const struct ca *ca, struct err *e);
char *account_contacts_payload(char *const *contacts, size_t count);
char *account_agree_payload(void);      /* to the terms, 7.3.3 */
char *account_deactivate_payload(void); /* 7.3.6 */
/* The inner JWS of 7.3.5, signed by new_key. NULL with ERR_INTERNAL. */
char *account_key_change_payload(const struct key *old_key, const struct key *new_key,
    const char *account_url, const char *key_change_url, struct err *e);

/* An array; the caller frees it. */
struct json *account_contacts(char *const *contacts, size_t count);
/* Whether the configured contacts are just those of the array, in any order. */
bool account_contacts_equal(const struct ca_conf *conf, const struct json *array);
