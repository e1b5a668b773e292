/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the daemon's main does between its arguments and its exit code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_OK = 0, EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

/* Loads the files and serves until a signal ends it. Returns the exit code. */
int program_serve(char *const *paths, size_t count);
/* Loads the files, prints every problem and note, tests directories and trust. Returns the exit
 * code. */
int program_check(char *const *paths, size_t count);
/* Each loads the files and looks at what is there, beside a daemon that runs or not: what the
 * stores hold; that without the entries for name; whether a daemon answers. Returns the exit code.
 */
int program_list(char *const *paths, size_t count, bool json);
int program_forget(char *const *paths, size_t count, const char *name);
int program_health(char *const *paths, size_t count);
