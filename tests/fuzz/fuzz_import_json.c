/* SPDX-License-Identifier: MIT */
/** @file Results as JSON lines or an array: what is read comes back the same through CSV. */
#include <string.h>

#include "fuzz.h"
#include "results/columns/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  psp_columns first = {0}, second = {0};
  psp_import import = {.columns = &first, .what = "x"};
  char *text = malloc(size + 1); /* as psp_columns_open hands it over */
  FUZZ_ASSERT(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  if (psp_import_json(&import, text, size, NULL) == PSPROBE_OK) {
    char *csv = psp_columns_csv(&first);
    psp_import again = {.columns = &second, .what = "x"};
    FUZZ_ASSERT(csv != NULL);
    FUZZ_ASSERT(psp_import_csv(&again, csv, strlen(csv), NULL) == PSPROBE_OK);
    FUZZ_ASSERT(first.count == second.count);
    free(csv);
  }
  free(text);
  psp_columns_free(&first);
  psp_columns_free(&second);
  return 0;
}
