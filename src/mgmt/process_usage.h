/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this process uses, as the kernel tells in /proc/self. */
#pragma once

#include <stdint.h>

struct process_usage {
	double cpu_seconds;
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t descriptors;
	uint64_t descriptors_max;
};

/* What is not to be had is 0. Does not wait for anything but the kernel. */
void process_usage_read(struct process_usage *ret);
/* When it was started, in seconds since 1970, by the clock as it is set now: to be asked once,
 * since whoever watches takes another value for another process. 0: not to be had. */
double process_started(void);
