/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POST /revoke?reason=N (acmems(8)): a certificate in, a line that says it is revoked out. */
#pragma once

#include "acme/revoke.h"
#include "base/err.h"

struct http_exchange;

/* There is no such path where nobody may. */
bool revoke_offered(void *mgmt);
void revoke_handle(void *mgmt, struct http_exchange *x);

/* The reason a request target asks for; without a query, none. Anything else but one of the four is
 * ERR_BAD_REQUEST: a slip must not become another reason. */
bool revoke_read_reason(const char *target, enum revoke_reason *ret, struct err *e);
