/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of two configurations is the same: that goes on being used when one takes over from the
 * other. Names of blocks do not count. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conf;

bool conf_same_account(const struct conf *a, const struct conf *b);
bool conf_same_verification(const struct conf *a, size_t i, const struct conf *b, size_t j);
/* The same place, whatever else they say of it. */
bool conf_same_storage(const struct conf *a, size_t i, const struct conf *b, size_t j);
