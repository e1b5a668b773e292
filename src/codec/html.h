/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text for a page of HTML. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"

/* Appends text so that it stands for itself, in an element or a quoted attribute: what could be
 * markup becomes a reference; a control character other than a newline, and what is no UTF-8, a
 * "?". False: b is full. */
bool html_escape(struct buf *b, const char *text);
