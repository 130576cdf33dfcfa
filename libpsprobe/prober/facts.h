/* SPDX-License-Identifier: MIT */
#ifndef PSP_PROBER_FACTS_H
#define PSP_PROBER_FACTS_H
/** @file What the headers of an answer tell (PSPROBE_HEADER_*). Pure; nothing is allocated. */
#include <stdbool.h>

#include <psprobe/answer.h>

/** What was read so far. */
typedef struct psp_told {
  psprobe_facts facts;
  bool cold;
  int64_t handled_ns; /**< -1: not told */
  bool any;           /**< of the facts */
  unsigned seen;      /**< bit i: the header i of our list was there */
  unsigned wrong;     /**< facts that were not of their form, or told twice: as if not told */
} psp_told;

/** Nothing, yet. */
void psp_told_init(psp_told *told);
/** Takes one header line; any other than ours is let be. `arg` is a psp_told. */
void psp_told_take(void *arg, const char *name, const char *value);

/** Whether a text can be an instance's name. */
bool psp_instance_ok(const char *text);

#endif
