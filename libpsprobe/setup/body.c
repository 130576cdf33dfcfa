/* SPDX-License-Identifier: MIT */
/** @file The label that says what is ours, and what is there beside what is to be. */
#include <stdio.h>

#include "base/text.h"
#include "setup/parts.h"

void psp_setup_put_labels(const psprobe_setup *setup, bool region, psp_json_writer *w) {
  psp_json_begin_object_member(w, "labels");
  psp_json_put_member(w, PSPROBE_SETUP_LABEL, setup->o.topic);
  if (region) psp_json_put_member(w, PSP_SETUP_REGION_LABEL, setup->region);
  psp_json_end_object(w);
}

const char *psp_setup_strange(const psprobe_setup *setup, const psp_json *seen) {
  const psp_json *labels = psp_json_get(seen, "labels");
  const char *label = psp_json_string(psp_json_get(labels, PSPROBE_SETUP_LABEL));
  return psp_text_equal(label, setup->o.topic) ? NULL : "it does not bear our label";
}

void psp_setup_body(const psprobe_setup *setup, const psp_thing *thing, psp_buf *out) {
  psp_json_writer w = {.buf = out};
  if (thing->kind->body != NULL) {
    thing->kind->body(setup, thing, &w);
  } else {
    psp_json_begin_object(&w);
    psp_json_end_object(&w);
  }
}

static bool is_nothing(const psp_json *json) {
  int64_t number = 1;
  bool flag = true;
  if (json == NULL || psp_json_is_null(json)) return true;
  if (psp_json_is_object(json) || psp_json_is_array(json)) return psp_json_count(json) == 0;
  if (psp_json_is_string(json)) return psp_text_equal(psp_json_string(json), "");
  if (psp_json_bool(json, &flag)) return !flag;
  return psp_json_int64(json, &number) && number == 0;
}

static bool has_members(const psp_json *found, const psp_json *wanted) {
  for (const psp_json *m = psp_json_first(wanted); m != NULL; m = psp_json_next(m))
    if (!psp_setup_has(psp_json_get(found, psp_json_key(m)), m)) return false;
  return true;
}

static bool has_items(const psp_json *found, const psp_json *wanted) {
  if (psp_json_count(found) != psp_json_count(wanted)) return false;
  const psp_json *there = psp_json_first(found);
  for (const psp_json *item = psp_json_first(wanted); item != NULL; item = psp_json_next(item)) {
    if (!psp_setup_has(there, item)) return false;
    there = psp_json_next(there);
  }
  return true;
}

bool psp_setup_has(const psp_json *found, const psp_json *wanted) {
  int64_t a, b;
  bool x, y;
  if (is_nothing(wanted)) return is_nothing(found) || psp_json_is_object(found);
  if (psp_json_is_object(wanted)) return psp_json_is_object(found) && has_members(found, wanted);
  if (psp_json_is_array(wanted)) return psp_json_is_array(found) && has_items(found, wanted);
  if (psp_json_is_string(wanted))
    return psp_text_equal(psp_json_string(found), psp_json_string(wanted));
  if (psp_json_bool(wanted, &x)) return psp_json_bool(found, &y) && x == y;
  return psp_json_int64(wanted, &a) && psp_json_int64(found, &b) && a == b;
}

static psp_json *parsed_body(const psprobe_setup *setup, const psp_thing *thing) {
  psp_buf text = {0};
  psp_json *wanted = NULL;
  psp_setup_body(setup, thing, &text);
  if (!text.failed) psp_json_parse(text.data, text.len, "body", &wanted, NULL);
  psp_buf_free(&text);
  return wanted;
}

bool psp_setup_same(const psprobe_setup *setup, const psp_thing *thing, const psp_json *seen) {
  psp_json *wanted = parsed_body(setup, thing);
  bool same = wanted != NULL && psp_setup_has(seen, wanted);
  psp_json_free(wanted);
  return same;
}

bool psp_setup_is_old(const psprobe_setup *setup, const psp_thing *thing, const psp_json *seen) {
  if (thing->kind->fixed == NULL) return false;
  psp_json *wanted = parsed_body(setup, thing);
  bool old = !psp_text_equal(psp_json_string(psp_json_get(wanted, thing->kind->fixed)),
                             psp_json_string(psp_json_get(seen, thing->kind->fixed)));
  psp_json_free(wanted);
  return old;
}
