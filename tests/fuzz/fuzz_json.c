/* SPDX-License-Identifier: MIT */
/**
 * @file
 * JSON's two readers over one check. What the strict one takes the other takes too, and sees the
 * same in it, all the way down; what is written out again reads back as the same text.
 */
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/json_view.h"
#include "fuzz.h"

static void compare_strings(psp_view view, const psp_json *json) {
  char *mine = psp_view_strdup(view);
  const char *other = psp_json_string(json);
  FUZZ_ASSERT(mine != NULL && other != NULL && strcmp(mine, other) == 0);
  FUZZ_ASSERT(strlen(mine) == psp_view_length(view) && psp_view_equals(view, other));
  free(mine);
}

static void compare_numbers(psp_view view, const psp_json *json) {
  double mine, other;
  FUZZ_ASSERT(psp_view_number(view, &mine));
  if (psp_json_double(json, &other))
    FUZZ_ASSERT(mine == other);
  else
    FUZZ_ASSERT(isinf(mine));
  int64_t whole, exact;
  if (psp_view_int64(view, &whole)) FUZZ_ASSERT(psp_json_int64(json, &exact) && whole == exact);
}

static bool next(psp_view list, psp_view_cursor *cursor, psp_view *name, psp_view *item) {
  if (list.type == PSP_VIEW_ARRAY) return psp_view_next(list, cursor, item);
  return psp_view_next_member(list, cursor, name, item);
}

/* Recursion ends with the depth that the strict reader allows. */
static void compare(psp_view view, const psp_json *json) {
  bool list = view.type == PSP_VIEW_OBJECT || view.type == PSP_VIEW_ARRAY;
  FUZZ_ASSERT((view.type == PSP_VIEW_OBJECT) == psp_json_is_object(json));
  FUZZ_ASSERT((view.type == PSP_VIEW_ARRAY) == psp_json_is_array(json));
  FUZZ_ASSERT((view.type == PSP_VIEW_STRING) == psp_json_is_string(json));
  FUZZ_ASSERT((view.type == PSP_VIEW_NUMBER) == psp_json_is_number(json));
  FUZZ_ASSERT((view.type == PSP_VIEW_NULL) == psp_json_is_null(json));
  if (view.type == PSP_VIEW_STRING) compare_strings(view, json);
  if (view.type == PSP_VIEW_NUMBER) compare_numbers(view, json);
  if (!list) return;
  psp_view name, item;
  psp_view_cursor cursor = {0};
  const psp_json *other = psp_json_first(json);
  for (; next(view, &cursor, &name, &item); other = psp_json_next(other)) {
    FUZZ_ASSERT(other != NULL);
    if (view.type == PSP_VIEW_OBJECT) FUZZ_ASSERT(psp_view_equals(name, psp_json_key(other)));
    compare(item, other);
  }
  FUZZ_ASSERT(other == NULL);
}

static void write_text(const psp_json *json, psp_buf *out) {
  psp_json_writer w = {.buf = out};
  psp_json_put_json(&w, json);
}

static void write_and_read(const psp_json *json) {
  psp_buf first = {0}, second = {0};
  psp_json *again = NULL;
  write_text(json, &first);
  FUZZ_ASSERT(!first.failed);
  FUZZ_ASSERT(psp_json_parse(first.data, first.len, "again", &again, NULL) == PSPROBE_OK);
  write_text(again, &second);
  FUZZ_ASSERT(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
  psp_json_free(again);
  psp_buf_free(&first);
  psp_buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data, *why = NULL;
  psp_view object;
  psp_json *json = NULL;
  bool strict = psp_view_object(text, size, &object, &why);
  bool loose = psp_json_parse(text, size, "fuzz", &json, NULL) == PSPROBE_OK;
  FUZZ_ASSERT(strict ? loose : why != NULL);
  if (strict) compare(object, json);
  if (loose) write_and_read(json);
  psp_json_free(json);
  return 0;
}
