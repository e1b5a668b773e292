/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names between text and ldns; only for this room. */
#pragma once

#include "dns/ldns.h"
#include "dns/name.h"

/* The caller frees it with ldns_rdf_deep_free. NULL if text is no domain name. */
ldns_rdf *rdf_from_name(const char *text);
/* Normal form of a name from the wire; false if rdf is none. */
bool rdf_to_name(const ldns_rdf *rdf, char out[DNS_NAME_TEXT]);
/* ldns tells of missing memory by NULL; like everywhere else that ends the process. */
void *rdf_check(void *p) __attribute__((returns_nonnull));
