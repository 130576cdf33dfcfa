/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_REPLYING_H
#define PSP_PROBER_REPLYING_H
/** @file What responders are told. */
#include "prober/parts.h"

/**
 * Its answer has been taken; who told when it sent it learns when that came and when it is
 * answered, so that it can tell us of the whole exchange the next time. All is noted by then: this
 * is no part of any time, and may allocate.
 */
void psp_reply_taken(const psprobe_prober *prober, psp_exchange *exchange, bool stamped);
/** It is to come again. */
void psp_reply_again(psp_exchange *exchange);

#endif
