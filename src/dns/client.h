/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every question needs: the loop, and a look-up for servers given by name. */
#pragma once

#include "base/err.h"

struct dns_client;
struct loop;
struct resolver;

struct dns_client *dns_client_new(struct loop *loop, struct err *e);
/* NULL is fine. No operation on it may be in flight. */
void dns_client_free(struct dns_client *c);
struct loop *dns_client_loop(const struct dns_client *c);
struct resolver *dns_client_resolver(const struct dns_client *c);
