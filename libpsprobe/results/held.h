/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_HELD_H
#define PSP_RESULTS_HELD_H
/** @file Results that the file does not take just now: a ring that drops the oldest. Pure. */
#include <psprobe/prober.h>

/** Most results held: about 80 MB. */
#define PSP_HELD_MAX 100000
/** Most that are offered to the file at once, so that a try costs the same whatever is held. */
#define PSP_HELD_PORTION 500

/** Valid when zeroed. */
typedef struct psp_held {
  psprobe_finished *items;
  size_t first, count, capacity;
  uint64_t lost; /**< for which there was no room */
} psp_held;

/** Puts results behind those that are held. What has no room is lost, the oldest first. */
void psp_held_add(psp_held *held, const psprobe_finished *finished, size_t count);
/** The oldest that stand side by side, at most PSP_HELD_PORTION. @return how many */
size_t psp_held_oldest(const psp_held *held, const psprobe_finished **oldest);
/** Forgets the oldest `count`, which are held. */
void psp_held_drop(psp_held *held, size_t count);
void psp_held_free(psp_held *held);

#endif
