/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_NAMES_H
#define PSP_LOCAL_BROKER_NAMES_H
/** @file Things by name, in the order of their names: look-up and listing. Pure. */
#include <stdbool.h>
#include <stddef.h>

typedef struct psp_named {
  const char *name; /**< the thing's own */
  void *thing;
} psp_named;

/** Valid when zeroed. */
typedef struct psp_names {
  psp_named *items;
  size_t count, cap;
} psp_names;

void psp_names_free(psp_names *names); /**< the table alone */
/** The place of the first whose name is not before `name`; count: none is. */
size_t psp_names_place(const psp_names *names, const char *name);
void *psp_names_find(const psp_names *names, const char *name); /**< or NULL */
/** The thing at a place, NULL beyond the end. */
void *psp_names_at(const psp_names *names, size_t place);
/** `name` must stay as long as the thing is here, and not be here yet. False: no memory. */
bool psp_names_add(psp_names *names, const char *name, void *thing);
void *psp_names_remove(psp_names *names, const char *name); /**< @return the thing, or NULL */

#endif
