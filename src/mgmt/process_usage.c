/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mgmt/process_usage.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { STAT_MAX = 1024 };

static double
seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Behind the program's name, which may hold blanks and brackets, the fields are numbers. */
static void
read_stat(struct process_usage *u)
{
	FILE *f = fopen("/proc/self/stat", "re");
	char line[STAT_MAX] = "";
	unsigned long long start = 0;
	unsigned long long size = 0;
	long long pages = 0;

	if (f == NULL)
		return;
	const char *end = fgets(line, sizeof(line), f) == NULL ? NULL : strrchr(line, ')');
	fclose(f);
	if (end == NULL ||
	    sscanf(end + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
		"%llu %llu %lld",
		&start, &size, &pages) != 3)
		return;
	struct timespec up;
	clock_gettime(CLOCK_BOOTTIME, &up);
	u->started =
	    (double)clock_wall() - (double)up.tv_sec + (double)start / (double)sysconf(_SC_CLK_TCK);
	u->virtual_bytes = size;
	u->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
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
	struct rusage usage;
	struct rlimit limit;

	*ret = (struct process_usage){0};
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		ret->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		ret->descriptors_max = limit.rlim_cur;
	ret->descriptors = count_descriptors();
	read_stat(ret);
}
