/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_STORE_FURTHER_H
#define PSP_RESULTS_STORE_FURTHER_H
/** @file Answers to what was answered already: a message that was delivered again. Pure. */
#include <stddef.h>
#include <stdint.h>

#include <psprobe/results.h>

/** An answer after the first of its source. */
typedef struct psp_further {
  size_t source;     /**< its place in the run */
  uint32_t delivery; /**< from 2 */
  psprobe_answer answer;
} psp_further;

/** Those of a probe, by source and delivery. Valid when zeroed. */
typedef struct psp_further_list {
  psp_further *items;
  size_t count, room;
} psp_further_list;

/** Adds one. @return false: no memory */
bool psp_further_add(psp_further_list *list, const psp_further *further);
void psp_further_free(psp_further_list *list);

#endif
