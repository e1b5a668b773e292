/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/date.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	char out[DATE_TEXT];
	int64_t t, again;

	date_parse_http(text, size, &t);
	if (date_parse_rfc3339(text, size, &t)) {
		date_format_rfc3339(t, out);
		/* An offset may lead out of the four-digit years. */
		if (strlen(out) == strlen("1970-01-01T00:00:00Z") && out[0] != '-')
			must(date_parse_rfc3339(out, strlen(out), &again) && again == t);
	}
	if (date_parse_retry_after(text, size, 1795224845, &t))
		must(t >= 0 && t <= 365 * 24 * 3600);
	return 0;
}
