/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/ini.h"

static void
check_report(void *arg, enum ini_severity severity, const char *path, int line, const char *message)
{
	must(line > 0 && *message != '\0' && strchr(message, '\n') == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"listener", "max-size", "domain"};
	struct ini_file *file = ini_parse((const char *)data, size, "fuzz", check_report, NULL);
	const struct ini_section *s;

	for (size_t i = 0; i < file->section_count; i++) {
		s = &file->sections[i];
		must(*s->kind != '\0' && (s->name == NULL || *s->name != '\0'));
		for (size_t j = 0; j < s->option_count; j++) {
			must(*s->options[j].key != '\0' && s->options[j].value != NULL);
			must(s->options[j].line > s->line);
			ini_closest(s->options[j].key, names, 3);
		}
	}
	ini_free(file);
	return 0;
}
