/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two servers of acme-get itself: the certificate over HTTPS, and the
 * control port, where GET /shutdown ends the program.
 *
 * Both sockets are open from the start, so that a taken port shows before
 * anything is ordered; who connects for the certificate waits until it is there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct chain;
struct get_options;
struct get_serve;
struct key;
struct loop;

/* The control port works as soon as the loop runs; shutdown may be called several times. o is
 * borrowed for the call. ERR_CONFIG, or ERR_INTERNAL if a port is taken. */
struct get_serve *get_serve_new(struct loop *loop, const struct get_options *o,
    void (*shutdown)(void *arg), void *arg, struct err *e);
void get_serve_free(struct get_serve *s); /* NULL is fine */

/* Begins with the certificate; nothing is borrowed. ERR_CONFIG, ERR_INTERNAL. */
bool get_serve_certificate(struct get_serve *s, const struct chain *chain, const struct key *key,
    bool revoked, struct err *e);
/* Where they listen, as HOST:PORT; NULL past the end. */
const char *get_serve_https(const struct get_serve *s, size_t i);
const char *get_serve_control(const struct get_serve *s, size_t i);

/* No further connections. */
void get_serve_stop(struct get_serve *s);
/* Requests that are not answered to the last byte. */
size_t get_serve_pending(const struct get_serve *s);
