/* SPDX-License-Identifier: GPL-3.0-or-later */
/* acmems --list: what is held, as a table for people or as JSON. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

struct conf;

/* What could be read is printed in any case. */
bool held_list(const struct conf *conf, bool json, FILE *out, struct err *e);
