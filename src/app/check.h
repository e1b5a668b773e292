/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be tested before anything runs: directories and trust. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct conf;

/* The account directory and every storage directory can be written, by really trying; a directory
 * that is not there yet must be possible to make. ERR_CONFIG with path, owner and the chown line of
 * each that cannot. */
bool check_directories(const struct conf *conf, struct err *e);
