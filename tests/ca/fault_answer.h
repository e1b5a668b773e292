/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults in what an answer says. */
#pragma once

struct answer;
struct fault;

void fault_status(const struct fault *f, struct answer *a);
void fault_problem(const struct fault *f, struct answer *a);
void fault_busy(const struct fault *f, struct answer *a);
void fault_bad_nonce(const struct fault *f, struct answer *a);
void fault_html(const struct fault *f, struct answer *a);
void fault_empty(const struct fault *f, struct answer *a);
void fault_huge(const struct fault *f, struct answer *a);
void fault_nested(const struct fault *f, struct answer *a);
void fault_garbage(const struct fault *f, struct answer *a);
void fault_json(const struct fault *f, struct answer *a);
void fault_cut_json(const struct fault *f, struct answer *a);
void fault_nul(const struct fault *f, struct answer *a);
void fault_content_type(const struct fault *f, struct answer *a);
void fault_header(const struct fault *f, struct answer *a);
void fault_no_header(const struct fault *f, struct answer *a);
void fault_no_nonce(const struct fault *f, struct answer *a);
void fault_used_nonce(const struct fault *f, struct answer *a);
