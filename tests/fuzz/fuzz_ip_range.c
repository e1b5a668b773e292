/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/ip.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = as_text(data, size);
	char out[IP_ADDR_TEXT];
	struct ip_addr addr, again;
	struct ip_range range;
	struct err e;

	if (ip_addr_parse((const char *)data, size, &addr)) {
		ip_addr_format(&addr, out);
		must(ip_addr_parse(out, strlen(out), &again) && ip_addr_equal(&addr, &again));
	}
	if (ip_range_parse(text, &range, &e)) {
		must(range.first.len == range.last.len);
		must(ip_range_contains(&range, &range.first) &&
		    ip_range_contains(&range, &range.last));
	} else {
		must(e.kind == ERR_CONFIG && e.detail[0] != '\0');
	}
	return 0;
}
