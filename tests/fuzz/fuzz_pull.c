/* SPDX-License-Identifier: MIT */
/** @file The answer to a pull. */
#include "fuzz_message.h"
#include "pubsub/parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psprobe_batch *batch = NULL;
  psprobe_error error = {0};
  if (psp_pull_decode((const char *)data, size, &batch, &error) == PSPROBE_OK) {
    for (size_t i = 0; i < psprobe_batch_count(batch); i++)
      fuzz_look_at(psprobe_batch_message(batch, i));
    psprobe_batch_free(batch);
  } else {
    FUZZ_ASSERT(error.message[0] != '\0');
  }
  return 0;
}
