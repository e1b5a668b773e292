/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POST /sign (acmems(8)): a CSR in, a chain out. */
#pragma once

struct http_exchange;

void sign_handle(void *server, struct http_exchange *x);
