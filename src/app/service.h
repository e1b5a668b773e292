/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Life as a service of systemd: what it is told (sd_notify(3)), its watchdog, and
 * the sockets it has bound for us. Where it is not systemd that has started us, or
 * in a build without libsystemd, all of this does nothing.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct loop;
struct service;

/* Takes the sockets over (ev/listener.h), which wait for those who open their addresses. From now
 * on the watchdog, if there is one, hears twice in its time that the loop turns. ERR_CONFIG. */
struct service *service_new(struct loop *loop, struct err *e);
void service_free(struct service *s); /* NULL is fine */

/* Each with a line that says how things are. */
void service_ready(struct service *s, const char *status);
void service_reloading(struct service *s, const char *status); /* service_ready follows */
void service_stopping(struct service *s, const char *status);
