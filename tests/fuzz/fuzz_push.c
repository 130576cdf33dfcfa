/* SPDX-License-Identifier: MIT */
/** @file The body of a push request, from whoever reaches the port. */
#include "fuzz_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psprobe_push *push = NULL;
  psprobe_error error = {0};
  if (psprobe_push_decode((const char *)data, size, &push, &error) == PSPROBE_OK) {
    fuzz_look_at(psprobe_push_message(push));
    psprobe_push_free(push);
  } else {
    FUZZ_ASSERT(error.message[0] != '\0');
  }
  return 0;
}
