/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ldns, and the one way to include it: without <stdbool.h> before it, its
 * headers define _Bool as signed char, and a struct with a bool in it then
 * means something else in this file than in the others. Only for this room.
 */
#pragma once

#include <stdbool.h>

#include <ldns/ldns.h>
