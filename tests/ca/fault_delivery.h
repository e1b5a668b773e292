/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults in how an answer travels. */
#pragma once

struct answer;
struct fault;

void fault_delay(const struct fault *f, struct answer *a);
void fault_slow_head(const struct fault *f, struct answer *a);
void fault_slow_body(const struct fault *f, struct answer *a);
void fault_silence(const struct fault *f, struct answer *a);
void fault_reset(const struct fault *f, struct answer *a);
void fault_close(const struct fault *f, struct answer *a);
void fault_interim(const struct fault *f, struct answer *a);
void fault_chunked(const struct fault *f, struct answer *a);
void fault_bad_chunk(const struct fault *f, struct answer *a);
void fault_unframed(const struct fault *f, struct answer *a);
void fault_length(const struct fault *f, struct answer *a);
void fault_twice(const struct fault *f, struct answer *a);
void fault_huge_head(const struct fault *f, struct answer *a);
void fault_not_http(const struct fault *f, struct answer *a);
