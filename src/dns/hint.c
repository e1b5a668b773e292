/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/hint.h"

#include <stddef.h>

#include "dns/message.h"

/* BIND refuses an UPDATE without its key with REFUSED, Knot with NOTAUTH. A zone section that is
 * not the apex is NOTAUTH on BIND, Knot and PowerDNS. */
static const struct rcode_hint {
	unsigned rcode;
	enum err_kind kind;
	const char *without_key;
	const char *with_key;
} rcodes[] = {
    {LDNS_RCODE_NOERROR, ERR_UPSTREAM, "", "an answer to a signed request has to be signed"},
    {LDNS_RCODE_FORMERR, ERR_UPSTREAM, "the server did not understand the message",
	"the server did not understand the message; does it know TSIG?"},
    {LDNS_RCODE_SERVFAIL, ERR_UPSTREAM, "its log says why; often it cannot write the zone",
	"its log says why; often it cannot write the zone"},
    {LDNS_RCODE_NOTIMPL, ERR_CONFIG, "dynamic updates are not switched on there",
	"dynamic updates are not switched on there"},
    {LDNS_RCODE_REFUSED, ERR_CONFIG,
	"the server wants a key: set tsig-key-file, or allow this address to update the zone",
	"the server's policy does not let this key change this record (BIND: update-policy, Knot: "
	"acl, PowerDNS: TSIG-ALLOW-DNSUPDATE and ALLOW-DNSUPDATE-FROM)"},
    {LDNS_RCODE_NOTAUTH, ERR_CONFIG,
	"the server is not primary for this zone (check zone and dns-server), or wants a key: set "
	"tsig-key-file",
	"the server is not primary for this zone (check zone and dns-server), or does not accept "
	"this key for it"},
    {LDNS_RCODE_NOTZONE, ERR_CONFIG, "the name is not in this zone: check zone",
	"the name is not in this zone: check zone"},
};

static const struct tsig_hint {
	unsigned error;
	const char *text;
	const char *hint;
} tsigs[] = {
    {TSIG_BADSIG, "BADSIG", "the secret here and on the server are not the same"},
    {TSIG_BADKEY, "BADKEY", "the server knows no key of this name with this algorithm"},
    {TSIG_BADTIME, "BADTIME", "the clocks here and on the server differ too much"},
    {TSIG_BADTRUNC, "BADTRUNC", "the server wants a longer signature"},
};

static const struct rcode_hint *
find(unsigned rcode)
{
	for (size_t i = 0; i < sizeof(rcodes) / sizeof(rcodes[0]); i++)
		if (rcodes[i].rcode == rcode)
			return &rcodes[i];
	return NULL;
}

enum err_kind
dns_rcode_kind(unsigned rcode)
{
	const struct rcode_hint *hint = find(rcode);

	return hint == NULL ? ERR_UPSTREAM : hint->kind;
}

const char *
dns_rcode_hint(unsigned rcode, bool with_key)
{
	const struct rcode_hint *hint = find(rcode);

	if (hint == NULL)
		return "the server's log may say why";
	return with_key ? hint->with_key : hint->without_key;
}

const char *
tsig_error_text(unsigned error)
{
	for (size_t i = 0; i < sizeof(tsigs) / sizeof(tsigs[0]); i++)
		if (tsigs[i].error == error)
			return tsigs[i].text;
	return "unknown";
}

const char *
tsig_error_hint(unsigned error)
{
	for (size_t i = 0; i < sizeof(tsigs) / sizeof(tsigs[0]); i++)
		if (tsigs[i].error == error)
			return tsigs[i].hint;
	return "the server's log may say why";
}
