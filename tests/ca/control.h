/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control interface: rules, knobs, what was seen. Plain HTTP, JSON both ways. */
#pragma once

#include "base/err.h"

struct ca;
struct control;

struct control *control_new(struct ca *ca, const char *address, struct err *e);
void control_free(struct control *c);
const char *control_address(const struct control *c);
/* A scenario: {"knobs": {...}, "rules": [...]}; both may be missing. */
bool control_load(struct ca *ca, const char *path, struct err *e);
