/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/problem.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem p;

	if (problem_parse((const char *)data, size, &p)) {
		char *text = problem_text(500, p.instance, p.detail);

		must(p.type != PROBLEM_NONE && p.detail[0] != '\0' &&
		    p.sub_count <= PROBLEM_SUB_MAX);
		free(text);
		problem_done(&p);
	}
	return 0;
}
