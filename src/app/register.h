/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * acme-register: the account from the command line, on the engine of the daemon.
 * One line for each step; each step is one operation of acme/, and the next one
 * begins when it has ended.
 */
#pragma once

struct register_options;

/* acme-register(8) */
enum { REGISTER_OK = 0, REGISTER_FAILED = 1, REGISTER_CONFIG = 2, REGISTER_TERMS = 3 };

/* Returns the exit code. */
int register_run(const struct register_options *options);
