/* SPDX-License-Identifier: MIT */
#ifndef PSP_RESULTS_COLUMNS_INTERNED_H
#define PSP_RESULTS_COLUMNS_INTERNED_H
/** @file Names that many rows have, each kept once and known by a number. Pure. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Valid when zeroed. */
typedef struct psp_interned {
  char **items;
  uint32_t *places; /**< by hash: a number; 0: free */
  size_t count, size;
} psp_interned;

void psp_interned_free(psp_interned *names);
/** The number of a name, from 1; 0: "". False: no memory. */
bool psp_interned_number(psp_interned *names, const char *name, uint32_t *number);
/** The name of a number; "" for 0. */
const char *psp_interned_at(const psp_interned *names, uint32_t number);
/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), folded. */
uint64_t psp_interned_hash(const char *text);

#endif
