/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payloads of RFC 8555 7.3, made from configuration and directory. The caller frees the texts.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "codec/json.h"

struct ca;
struct ca_conf;

char *account_lookup_payload(void);
/* NULL: ERR_ACCOUNT, the terms or the external binding that are missing, and what to set. */
char *account_register_payload(const struct ca *ca, struct err *e);
char *account_contacts_payload(const struct ca_conf *conf);

struct json *account_contacts(const struct ca_conf *conf); /* an array; the caller frees it */
/* Whether the configured contacts are just those of the array, in any order. */
bool account_contacts_equal(const struct ca_conf *conf, const struct json *array);
