/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers from the kernel (getrandom); failure aborts. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *p, size_t n);
/* Uniform in 0 .. bound-1; bound > 0. */
uint32_t random_below(uint32_t bound);
