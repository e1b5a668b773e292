/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each resource does with an authenticated request. They fill in the answer. */
#pragma once

struct call;

/* directory.c */
void handle_directory(struct call *c);
void handle_new_nonce(struct call *c);
void handle_terms(struct call *c);
void handle_unknown(struct call *c);
/* accounts.c */
void handle_new_account(struct call *c);
void handle_account(struct call *c);
void handle_orders(struct call *c);
/* keychange.c */
void handle_key_change(struct call *c);
/* orders.c */
void handle_new_order(struct call *c);
void handle_order(struct call *c);
/* finalize.c */
void handle_finalize(struct call *c);
/* authorizations.c */
void handle_authz(struct call *c);
void handle_challenge(struct call *c);
/* certificates.c */
void handle_cert(struct call *c);
void handle_revoke(struct call *c);
/* renewal.c */
void handle_renewal_info(struct call *c);
