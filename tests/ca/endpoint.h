/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The places a rule can name. */
#pragma once

enum endpoint {
	EP_DIRECTORY = 0,
	EP_NEW_NONCE,
	EP_NEW_ACCOUNT,
	EP_ACCOUNT,
	EP_NEW_ORDER,
	EP_ORDER,
	EP_AUTHZ,
	EP_CHALLENGE,
	EP_FINALIZE,
	EP_CERT,
	EP_REVOKE,
	EP_KEY_CHANGE,
	EP_RENEWAL_INFO,
	EP_ORDERS,
	EP_TERMS,
	EP_UNKNOWN,
	EP_CONNECTION, /* no request: when a connection is accepted */
	EP_COUNT,
	EP_ANY = EP_COUNT, /* any but EP_CONNECTION */
};

/* "new-order", "*" */
const char *endpoint_name(enum endpoint e);
/* EP_COUNT + 1 if there is none of that name. */
enum endpoint endpoint_of(const char *name);
