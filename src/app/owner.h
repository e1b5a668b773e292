/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files belong to whoever uses them: a program that an operator starts as root
 * writes the account's files for the daemon, which runs as somebody else.
 */
#pragma once

#include "base/err.h"

/* Root becomes user ([process] user), or if that is NULL the owner of dir, for good; anybody else
 * stays who he is, and so does root where dir is root's or not there. ERR_CONFIG, ERR_INTERNAL. */
bool owner_become(const char *user, const char *dir, struct err *e);
