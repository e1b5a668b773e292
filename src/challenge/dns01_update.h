/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns-01 (RFC 8555 8.4) by dynamic UPDATE (RFC 2136): a TXT record for each
 * value that is presented, shared by all who present it, and deleted when the
 * last of them withdraws.
 */
#pragma once

#include "challenge/challenge.h"

extern const struct challenge_kind challenge_dns01_update;
