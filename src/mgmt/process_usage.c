/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/process_usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	STAT_MAX = 1024,
	STARTTIME = 22, /* fields of proc(5) */
	VSIZE = 23,
	RSS = 24,
};

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Field i of what stands behind the program's name (proc(5) counts that as the second). */
static unsigned long long
field(const char *fields, int i)
{
	for (; i > 3 && fields != NULL; i--)
		fields = fields[0] == '\0' ? NULL : strchr(fields + 1, ' ');
	return fields == NULL ? 0 : strtoull(fields, NULL, 10);
}

/* The name may hold blanks and brackets; behind its last bracket all is numbers. Returns "" if
 * there is nothing. */
static const char *
read_fields(char line[STAT_MAX])
{
	FILE *f = fopen("/proc/self/stat", "re");
	const char *end = NULL;

	line[0] = '\0';
	if (f == NULL)
		return line;
	if (fgets(line, STAT_MAX, f) != NULL)
		end = strrchr(line, ')');
	fclose(f);
	return end == NULL ? "" : end + 1;
}

double
process_started(void)
{
	char line[STAT_MAX];
	unsigned long long ticks = field(read_fields(line), STARTTIME);
	struct timespec now;
	struct timespec up;

	if (ticks == 0 || clock_gettime(CLOCK_REALTIME, &now) != 0 ||
	    clock_gettime(CLOCK_BOOTTIME, &up) != 0)
		return 0;
	return (double)(now.tv_sec - up.tv_sec) + (double)(now.tv_nsec - up.tv_nsec) / 1e9 +
	    (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static uint64_t
count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	if (dir == NULL)
		return 0;
	for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n - 1; /* without that of the directory */
}

void
process_usage_read(struct process_usage *ret)
{
	char line[STAT_MAX];
	const char *fields = read_fields(line);
	struct rusage usage;
	struct rlimit limit;

	*ret = (struct process_usage){0};
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		ret->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		ret->descriptors_max = limit.rlim_cur;
	ret->descriptors = count_descriptors();
	ret->virtual_bytes = field(fields, VSIZE);
	ret->resident_bytes = field(fields, RSS) * (uint64_t)sysconf(_SC_PAGESIZE);
}
