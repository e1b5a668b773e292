/* SPDX-License-Identifier: GPL-3.0-or-later */
/* POST /sign (acmems(8)): a CSR in, a chain out. */
#pragma once

struct http_exchange;
struct mgmt;

void sign_handle(struct mgmt *m, struct http_exchange *x);
