/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket of a listener. Internal to listener.c. */
#pragma once

#include <stdbool.h>

#include "ev/listener.h"

/* Bound and listening, or -1; see listener_open. */
int listen_socket(const struct listen_address *a, bool *ret_no_family, struct err *e);
