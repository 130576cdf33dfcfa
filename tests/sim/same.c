/* SPDX-License-Identifier: MIT */
#include "same.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/json.h"
#include "firestore/document.h"

bool sim_same(const psprobe_value *given, const psprobe_value *kept) {
  psprobe_timestamp a, b;
  if (kept == NULL || psprobe_value_get_type(given) != psprobe_value_get_type(kept)) return false;
  if (psprobe_value_get_timestamp(given, &a) && psprobe_value_get_timestamp(kept, &b))
    return a.seconds == b.seconds && a.nanos / 1000 == b.nanos / 1000;
  if (psprobe_value_get_type(given) != PSPROBE_VALUE_MAP) return psprobe_value_equal(given, kept);
  bool same = psprobe_value_count(given) == psprobe_value_count(kept);
  for (size_t i = 0; same && i < psprobe_value_count(given); i++) {
    const char *key = NULL;
    const psprobe_value *item = psprobe_value_at(given, i, &key);
    same = sim_same(item, psprobe_value_find(kept, key));
  }
  return same;
}

void sim_show(const char *where, const psprobe_value *fields) {
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text};
  psp_document_encode(&w, NULL, fields);
  fprintf(stderr, "    %s: %s\n", where, text.data != NULL ? text.data : "");
  psp_buf_free(&text);
}
