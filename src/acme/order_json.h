/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The payloads of RFC 8555 7.4. The caller frees the texts. */
#pragma once

#include "codec/csr.h"

/* profile (draft-ietf-acme-profiles) and replaces (RFC 9773) may be NULL. */
char *order_new_payload(const struct identifiers *names, const char *profile, const char *replaces);
char *order_finalize_payload(const struct csr *csr);
