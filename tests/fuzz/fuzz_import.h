/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_IMPORT_H
#define FUZZ_IMPORT_H
/** @file What is read goes round in both forms: written, read and written it is the same. */
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "results/columns/export.h"
#include "results/columns/import.h"

static inline bool fuzz_read(const char *bytes, size_t len, psp_columns *columns) {
  psp_import import = {.columns = columns, .what = "x"};
  psp_text text;
  psp_text_of(&text, "x", bytes, len);
  psprobe_code code = psp_import_text(&import, &text, false, NULL);
  if (code == PSPROBE_OK) code = psp_import_finish(&import, NULL);
  psp_import_free(&import);
  return code == PSPROBE_OK;
}

/* Written in one form, read and written in the other: as it would have been written at once. */
static inline void fuzz_round(const psp_columns *first, psprobe_report_form form,
                              psprobe_report_form last) {
  psp_columns second = {0};
  char *text = psp_columns_export(first, form), *want = psp_columns_export(first, last);
  FUZZ_ASSERT(text != NULL && want != NULL);
  FUZZ_ASSERT(fuzz_read(text, strlen(text), &second));
  char *got = psp_columns_export(&second, last);
  FUZZ_ASSERT(got != NULL && strcmp(got, want) == 0);
  free(text);
  free(want);
  free(got);
  psp_columns_free(&second);
}

/** Reads bytes as an import does, and sends what they are round. */
static inline void fuzz_import_any(const uint8_t *data, size_t size) {
  psp_columns columns = {0};
  char *text = malloc(size > 0 ? size : 1);
  FUZZ_ASSERT(text != NULL);
  memcpy(text, data, size);
  /* A file is looked at before (results/columns/text.h). */
  if (psp_utf8_valid(text, size) && fuzz_read(text, size, &columns)) {
    fuzz_round(&columns, PSPROBE_REPORT_CSV, PSPROBE_REPORT_CSV);
    fuzz_round(&columns, PSPROBE_REPORT_JSON_LINES, PSPROBE_REPORT_JSON_LINES);
    fuzz_round(&columns, PSPROBE_REPORT_JSON_LINES, PSPROBE_REPORT_CSV);
  }
  free(text);
  psp_columns_free(&columns);
}

#endif
