/* SPDX-License-Identifier: MIT */
/** @file Results as CSV: what is read is written and read back the same, and so it is as JSON
 * lines.
 */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_import_any(data, size);
  return 0;
}
