/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the refusals of name servers usually mean, for people. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* ERR_CONFIG where the server's or our configuration has to change, else ERR_UPSTREAM. */
enum err_kind dns_rcode_kind(unsigned rcode);
/* The usual cause when an UPDATE was answered so; with_key: we signed it. Never empty. */
const char *dns_rcode_hint(unsigned rcode, bool with_key);
/* "BADKEY"; RFC 8945 3 */
const char *tsig_error_text(unsigned error);
const char *tsig_error_hint(unsigned error);
