/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates that were issued, and the chains they are handed out in. */
#pragma once

#include <stddef.h>

#include "der.h"
#include "state.h"

struct ca;
struct call;

/* Makes one; the faults of the call say what is wrong with it. */
struct cert *cert_new(struct call *c, struct order *o, struct der spki);
/* Of the identifier of RFC 9773 4.1, or NULL. */
struct cert *cert_by_id(const struct ca *ca, const char *id);
/* Of these very bytes, or NULL. */
struct cert *cert_by_der(const struct ca *ca, struct der der);
/* Appends leaf and intermediate as PEM; form is that of the fault "chain" or NULL. */
void cert_chain(const struct ca *ca, const struct cert *cert, const char *form, struct buf *out);
