/* SPDX-License-Identifier: MIT */
#include "local/broker/message.h"

#include <stdlib.h>
#include <string.h>

/* Copies a text to *at and moves *at beyond it. */
static const char *put_text(char **at, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = memcpy(*at, text, size);
  *at += size;
  return copy;
}

psp_letter *psp_letter_new(const void *data, size_t data_len, const psp_pair *attributes,
                           size_t attribute_count, const char *ordering_key) {
  if (ordering_key != NULL && !*ordering_key) ordering_key = NULL;
  size_t texts = data_len; /* without the zeros */
  for (size_t i = 0; i < attribute_count; i++)
    texts += strlen(attributes[i].key) + strlen(attributes[i].value);
  if (ordering_key != NULL) texts += strlen(ordering_key);
  psp_letter *letter = malloc(sizeof(psp_letter) + attribute_count * (sizeof(psp_pair) + 2) +
                              texts + (ordering_key != NULL));
  if (letter == NULL) return NULL;

  psp_pair *pairs = (psp_pair *)(letter + 1);
  char *at = (char *)(pairs + attribute_count);
  *letter = (psp_letter){.attribute_count = (uint32_t)attribute_count,
                         .size = texts,
                         .data_len = data_len,
                         .attributes = pairs};
  atomic_init(&letter->refs, 1);
  for (size_t i = 0; i < attribute_count; i++) {
    pairs[i].key = put_text(&at, attributes[i].key);
    pairs[i].value = put_text(&at, attributes[i].value);
  }
  if (ordering_key != NULL) letter->ordering_key = put_text(&at, ordering_key);
  letter->data = at;
  if (data_len) memcpy(at, data, data_len);
  return letter;
}

psp_letter *psp_letter_ref(psp_letter *letter) {
  atomic_fetch_add_explicit(&letter->refs, 1, memory_order_relaxed);
  return letter;
}

void psp_letter_unref(psp_letter *letter) {
  if (letter != NULL && atomic_fetch_sub_explicit(&letter->refs, 1, memory_order_acq_rel) == 1)
    free(letter);
}
