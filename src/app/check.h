/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be tested before anything runs: directories, trust, account key, log file. */
#pragma once

struct conf;
struct ssl_ctx_st;

/* For --check and for every start alike; nothing is left behind. The account directory and every
 * storage directory can be written, by really trying; a directory that is not there yet must be
 * possible to make. The key of the account, if there is one, can be read; the log file can be
 * opened; the CA's trust store can be loaded. What cannot is a CONF_ERROR more in conf->problems,
 * where its option stands, with path, owner and the chown line of directories. */
void check_start(struct conf *conf);
/* The same; returns the trust it has loaded, or NULL if that was among the problems. */
struct ssl_ctx_st *check_reload(struct conf *conf);
