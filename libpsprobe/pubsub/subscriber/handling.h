/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_SUBSCRIBER_HANDLING_H
#define PSP_PUBSUB_SUBSCRIBER_HANDLING_H
/** @file How long messages take from their receipt to their settlement, in whole seconds as leases
 * are: what a lease is to be asked for. Pure. */
#include <stdint.h>

#define PSP_HANDLING_MAX_S 600

/** Zeroed: nothing is known. */
typedef struct psp_handling {
  uint32_t seconds[PSP_HANDLING_MAX_S + 1]; /**< how many took so many, rounded up */
  uint32_t total;
} psp_handling;

void psp_handling_add(psp_handling *handling, int64_t ns);
/** What 99 of 100 do not exceed, from `least` to 600; `least` where nothing is known. */
int psp_handling_lease_s(const psp_handling *handling, int least);

#endif
