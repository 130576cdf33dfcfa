/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_HELD_H
#define PSP_RESULTS_HELD_H
/** @file Results that the file does not take just now: a ring that drops the oldest, each with the
 * answers that it has alone. Pure. */
#include <psprobe/prober.h>

/** Most results held: about 50 MB with two sources. */
#define PSP_HELD_MAX 100000
/** Most that are offered to the file at once, so that a try costs the same whatever is held. */
#define PSP_HELD_PORTION 500

/** Valid when zeroed. */
typedef struct psp_held {
  char *items;
  size_t size; /**< of one: all have as many sources */
  size_t first, count, capacity;
  psprobe_finished *portion; /**< what psp_held_oldest hands out */
  uint64_t lost;             /**< for which there was no room */
} psp_held;

/** Puts results, all with as many sources, behind those that are held. What has no room is lost,
 * the oldest first. */
void psp_held_add(psp_held *held, const psprobe_finished *finished, size_t count);
/** The oldest, at most PSP_HELD_PORTION, side by side; valid until the next call of it. @return how
 * many */
size_t psp_held_oldest(psp_held *held, const psprobe_finished **oldest);
/** Forgets the oldest `count`, which are held. */
void psp_held_drop(psp_held *held, size_t count);
void psp_held_free(psp_held *held);

#endif
