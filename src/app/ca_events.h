/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a CA tells about itself becomes log lines, each with what to do. */
#pragma once

#include "acme/ca.h"

/* For ca_conf.event; arg is not used. */
void ca_events_log(void *arg, enum ca_event event, const char *text, const struct err *e);
