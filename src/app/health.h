/* SPDX-License-Identifier: GPL-3.0-or-later */
/* acmems --health: asks a daemon whether it is alive, as a client would. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct conf;

/* GET /healthz at the first management listener; where there is none, at the first status listener.
 * A wildcard is asked at the loopback address. Blocks for a few seconds at most; what takes longer
 * ends the process with EXIT_RUNTIME. */
bool health_ask(const struct conf *conf, struct err *e);
