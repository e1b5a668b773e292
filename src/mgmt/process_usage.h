/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this process uses, as the kernel tells in /proc/self. */
#pragma once

#include <stdint.h>

struct process_usage {
	double cpu_seconds;
	double started; /* seconds since 1970 */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t descriptors;
	uint64_t descriptors_max;
};

/* What is not to be had is 0. Does not wait for anything but the kernel. */
void process_usage_read(struct process_usage *ret);
