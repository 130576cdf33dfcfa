/* SPDX-License-Identifier: MIT */
/** @file Findings as lines for people, and as JSON in the schema of docs/doctor.md. */
#include "base/json.h"
#include "doctor/parts.h"

#define DIAGNOSIS_SCHEMA 1

static const char *const names[] = {"ok", "warning", "failed", "skipped"};

const char *psprobe_doctor_state_name(psprobe_doctor_state state) {
  return (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

char *psprobe_finding_text(const psprobe_finding *finding, bool color) {
  static const char *const colors[] = {"\033[32m", "\033[33m", "\033[31m", "\033[2m"};
  bool known = (size_t)finding->state < sizeof colors / sizeof *colors;
  const char *on = color && known ? colors[finding->state] : "";
  const char *off = *on != 0 ? "\033[0m" : "";
  psp_buf out = {0};
  psp_buf_printf(&out, "%s%-7s%s  %-20s  %s\n", on, psprobe_doctor_state_name(finding->state), off,
                 finding->check, finding->text);
  for (size_t i = 0; i < finding->mend_count; i++)
    psp_buf_printf(&out, "%9s%s %s\n", "", i == 0 ? "mend:" : "     ", finding->mend[i]);
  return psp_buf_take(&out, NULL);
}

static void put_text(psp_json_writer *w, const char *key, const char *value) {
  psp_json_put_key(w, key);
  psp_json_put_string(w, value);
}

static void put_item(psp_json_writer *w, const psp_kept_finding *item) {
  psp_json_begin_object(w);
  put_text(w, "check", item->check);
  put_text(w, "state", psprobe_doctor_state_name(item->state));
  put_text(w, "resource", item->resource);
  put_text(w, "text", item->text);
  psp_json_begin_array_member(w, "mend");
  for (size_t i = 0; i < item->mend_count; i++)
    psp_json_put_string(w, item->mend[i]);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

char *psprobe_diagnosis_json(const psprobe_diagnosis *diagnosis) {
  psp_buf out = {0};
  psp_json_writer w = {.buf = &out, .pretty = true};
  psp_json_begin_object(&w);
  psp_json_put_int64_member(&w, "schema", DIAGNOSIS_SCHEMA);
  put_text(&w, "version", PSPROBE_VERSION);
  put_text(&w, "project", diagnosis->project);
  psp_json_begin_object_member(&w, "counts");
  for (int state = PSPROBE_DOCTOR_OK; state <= PSPROBE_DOCTOR_SKIPPED; state++) {
    psp_json_put_key(&w, names[state]);
    psp_json_put_int64(&w,
                       (int64_t)psprobe_diagnosis_count(diagnosis, (psprobe_doctor_state)state));
  }
  psp_json_end_object(&w);
  psp_json_begin_array_member(&w, "findings");
  for (size_t i = 0; i < diagnosis->count; i++)
    put_item(&w, &diagnosis->items[i]);
  psp_json_end_array(&w);
  psp_json_end_object(&w);
  return psp_buf_take(&out, NULL);
}
