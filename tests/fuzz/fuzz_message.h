/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_MESSAGE_H
#define FUZZ_MESSAGE_H
/** @file Reads each byte of a decoded message, so that a sanitizer sees one that is not its own. */
#include <string.h>

#include <psprobe/pubsub.h>

#include "fuzz.h"

static inline void fuzz_look_at(const psprobe_message *message) {
  FUZZ_ASSERT(message != NULL);
  size_t sum = message->data_len;
  for (size_t i = 0; i < message->data_len; i++)
    sum += ((const unsigned char *)message->data)[i];
  for (size_t i = 0; i < message->attribute_count; i++)
    sum += strlen(message->attributes[i].key) + strlen(message->attributes[i].value);
  volatile size_t read = sum;
  (void)read;
}

#endif
