/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_CHOSEN_H
#define PSP_RESULTS_COLUMNS_CHOSEN_H
/** @file Which of the sources that there are somebody asked for. Pure. */
#include <stddef.h>

#include <psprobe/error.h>

/** Names that were asked for, in this order; borrowed. None: all that there are. */
typedef struct psp_chosen {
  const char *const *names;
  size_t count;
} psp_chosen;

/** Finds each among the names that there are; `which` (of PSPROBE_MAX_SOURCES) receives where, and
 * `*count` how many. @return PSPROBE_OK; NOT_FOUND names one that is not there */
psprobe_code psp_chosen_find(const psp_chosen *chosen, const char *const *there, size_t there_count,
                             size_t *which, size_t *count, psprobe_error *error);

#endif
