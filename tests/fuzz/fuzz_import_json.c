/* SPDX-License-Identifier: MIT */
/** @file Results as JSON lines or an array: what is read goes round in both forms. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_import_any(data, size);
  return 0;
}
