/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One descriptor watched on the loop; for sockets whose protocol we speak ourselves. */
#pragma once

#include <stdbool.h>

struct io;
struct loop;

typedef void io_fn(void *arg);

/* Watches nothing yet. The descriptor stays the caller's: io_free it before closing. */
struct io *io_new(struct loop *loop, int fd, io_fn *readable, io_fn *writable, void *arg);
/* What to wait for from now on; level triggered. */
void io_want(struct io *io, bool read, bool write);
/* May be called from its own callback; no callback runs afterwards. NULL is fine. */
void io_free(struct io *io);
