/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files belong to whoever uses them: a program that an operator starts as root
 * writes the account's files for the daemon, which runs as somebody else.
 */
#pragma once

#include "base/err.h"

/* As root, becomes the owner of dir, for good; as anybody else, or if dir is root's or not there,
 * stays what it is. ERR_CONFIG. */
bool owner_become(const char *dir, struct err *e);
