/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sizes as an operator writes them: 4k, 1.5M, 64 KiB; 1024-based; any case. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool size_parse(const char *text, size_t *ret);
