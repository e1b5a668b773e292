/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns-01 through the HTTP interface of Let's Encrypt's challenge test server:
 * POST {"host", "value"} to set-txt, {"host"} to clear-txt beside it.
 *
 * set-txt adds a value, clear-txt removes all values of a host. So a host is
 * cleared when the last presentation at it has been withdrawn, and not before:
 * clearing and setting the others again would take their values away just when
 * the CA may be looking. A host has one call in flight at most.
 */
#pragma once

#include "challenge/challenge.h"

extern const struct challenge_kind challenge_dns01_challtestsrv;
