/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * acme-get(1): one certificate, on the engine of the daemon and without its
 * configuration file. A state machine of its own leads through it: order ->
 * (pause -> order, twice at most) -> revoke -> serve -> flush -> over.
 * --revoke-cert begins with revoke.
 */
#pragma once

struct get_options;

/* Runs until it is done or told to end; says on stdout how far it is and on stderr why it failed.
 * Returns the exit code (app/program.h). */
int get_run(const struct get_options *o);
