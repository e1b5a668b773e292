/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns-01 on the built-in name server (dns/responder.h): the value is there at
 * once, at _acme-challenge.NAME and, where a zone is configured, at NAME.ZONE,
 * to which the operator points a CNAME (acmems.conf(5)).
 *
 * Owns the responder. Each presentation has records of its own, so what two
 * orders share stays until both have withdrawn it.
 */
#pragma once

#include "challenge/challenge.h"

extern const struct challenge_kind challenge_dns01_server;
