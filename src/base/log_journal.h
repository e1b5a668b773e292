/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The systemd journal as a destination; built only with libsystemd. For base/log.c. */
#pragma once

#include "base/log.h"

/* priority as for syslog(3); the context also goes into fields of its own (ACMEMS_PEER=...). */
void log_journal_write(int priority, const struct log_context *ctx, const char *message);
