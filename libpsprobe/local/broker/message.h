/* SPDX-License-Identifier: MIT */
#ifndef PSP_LOCAL_BROKER_MESSAGE_H
#define PSP_LOCAL_BROKER_MESSAGE_H
/** @file A published message: one block of memory, shared by reference count. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Keys and values in turn; texts that somebody else owns. */
typedef struct psp_pair {
  const char *key, *value;
} psp_pair;

/** What never changes once it is published, so that any thread that holds a
 * reference may read it. The pointers lead into the same block. */
typedef struct psp_letter {
  atomic_uint refs;
  uint32_t attribute_count;
  uint64_t id;          /**< 0 until published */
  int64_t published_ms; /**< Unix time */
  int64_t published_ns; /**< monotonic */
  size_t size;          /**< data, attributes, key: what counts against limits */
  size_t data_len;
  const void *data;
  const char *ordering_key; /**< NULL: none */
  const psp_pair *attributes;
} psp_letter;

/** Copies everything. `ordering_key` NULL or "": none. NULL: no memory. Holds one reference. */
psp_letter *psp_letter_new(const void *data, size_t data_len, const psp_pair *attributes,
                           size_t attribute_count, const char *ordering_key);
psp_letter *psp_letter_ref(psp_letter *letter); /**< @return letter */
void psp_letter_unref(psp_letter *letter);      /**< NULL is fine */

#endif
