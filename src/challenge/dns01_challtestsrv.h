/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns-01 through the HTTP interface of Let's Encrypt's challenge test server:
 * POST {"host", "value"} to set-txt, {"host"} to clear-txt beside it. What is
 * done when is in challtestsrv.h.
 */
#pragma once

#include "challenge/challenge.h"

extern const struct challenge_kind challenge_dns01_challtestsrv;
