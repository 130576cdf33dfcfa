/* SPDX-License-Identifier: MIT */
/** @file Results as CSV: what is read is written and read back the same. */
#include <string.h>

#include "fuzz.h"
#include "results/columns/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_columns first = {0}, second = {0};
  psp_import import = {.columns = &first, .what = "x"};
  if (psp_import_csv(&import, (const char *)data, size, NULL) == PSPROBE_OK) {
    char *csv = psp_columns_csv(&first);
    psp_import again = {.columns = &second, .what = "x"};
    FUZZ_ASSERT(csv != NULL);
    FUZZ_ASSERT(psp_import_csv(&again, csv, strlen(csv), NULL) == PSPROBE_OK);
    char *other = psp_columns_csv(&second);
    FUZZ_ASSERT(other != NULL && strcmp(csv, other) == 0);
    free(csv);
    free(other);
  }
  psp_columns_free(&first);
  psp_columns_free(&second);
  return 0;
}
