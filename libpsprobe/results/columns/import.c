/* SPDX-License-Identifier: MIT */
#include "results/columns/import.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "results/columns/old_names.h"
#include "results/upload/document.h"

void psp_import_begin(psp_import_row *row, size_t source_count) {
  *row =
      (psp_import_row){.result = {.source_count = source_count, .publish_ns = PSP_PUBLISH_UNKNOWN}};
  for (size_t k = 0; k < source_count; k++)
    row->result.answers[k] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
}

static bool set_time(const char *text, int64_t *ns, const char **why) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  *why = "not an RFC 3339 time such as 2026-11-24T22:10:05Z";
  if (!psp_timestamp_parse(text, strlen(text), &seconds, &nanos)) return false;
  *why = "a year that is out of range (1678 to 2261)";
  if (seconds < -9200000000 || seconds > 9200000000) return false;
  *ns = seconds * 1000000000 + nanos;
  return true;
}

/** Three years: no answer was waited for longer, and sums and differences stay in range. */
#define LONGEST_NS INT64_C(100000000000000000)

/** A duration; `min` is 0, or less for what a clock that was put back can have made of it. */
static bool set_int(const char *text, int64_t min, int64_t *value, const char **why) {
  *why = min < 0 ? "not a whole number of nanoseconds" : "not a whole number from 0 on";
  if (!psp_parse_int64(text, INT64_MIN, INT64_MAX, value) || (min == 0 && *value < 0)) return false;
  *why = "longer than three years in nanoseconds";
  return *value >= min && *value <= LONGEST_NS;
}

static bool set_status(const char *text, psprobe_answer *answer, const char **why) {
  *why = "none of answered, late, lost";
  for (int status = PSPROBE_LOST; status <= PSPROBE_LATE; status++) {
    if (strcmp(text, psp_status_name((psprobe_status)status)) != 0) continue;
    answer->status = (psprobe_status)status;
    return true;
  }
  return false;
}

static bool set_answer(psprobe_answer *answer, psp_role role, const char *text, const char **why) {
  int64_t value = 0;
  switch (role) {
    case PSP_ROLE_ELAPSED:
      if (!set_int(text, -LONGEST_NS, &answer->elapsed_ns, why)) return false;
      if (answer->status == PSPROBE_LOST) answer->status = PSPROBE_ANSWERED;
      return true;
    case PSP_ROLE_STATUS:
      return set_status(text, answer, why);
    case PSP_ROLE_HANDLED:
      return set_int(text, 0, &answer->handled_ns, why);
    case PSP_ROLE_COLD:
      *why = "neither 0 nor 1";
      if (!psp_parse_int64(text, 0, 1, &value)) return false;
      answer->cold = value == 1;
      return true;
    default:
      *why = "not a whole number from 0 on";
      if (!psp_parse_int64(text, 0, UINT32_MAX, &value)) return false;
      answer->duplicates = (uint32_t)value;
      return true;
  }
}

bool psp_import_set(psp_import_row *row, psp_role role, size_t source, const char *text,
                    const char **why) {
  if (role == PSP_ROLE_PUBLISH)
    row->result.publish_ns = -1; /* it failed, unless there is a number */
  if (text[0] == '\0' || role == PSP_ROLE_NONE) return true;
  switch (role) {
    case PSP_ROLE_ID:
      *why = "an id of more than 63 bytes";
      row->has_id = strlen(text) < sizeof row->id;
      snprintf(row->id, sizeof row->id, "%s", text);
      return row->has_id;
    case PSP_ROLE_SENT:
      row->has_sent = set_time(text, &row->result.sent_wall_ns, why);
      return row->has_sent;
    case PSP_ROLE_SAVED:
      return set_time(text, &row->saved_wall_ns, why);
    case PSP_ROLE_LATENESS:
      return set_int(text, 0, &row->result.lateness_ns, why);
    case PSP_ROLE_PUBLISH:
      return set_int(text, 0, &row->result.publish_ns, why);
    default:
      return set_answer(&row->result.answers[source], role, text, why);
  }
}

bool psp_import_end(psp_import_row *row, psp_columns *columns, const psprobe_filter *filter,
                    const char **why) {
  *why = "arbitrary_message_id is missing";
  if (!row->has_id) return false;
  *why = "probe_sent is missing";
  if (!row->has_sent) return false;
  int64_t sent = row->result.sent_wall_ns;
  if (filter != NULL && filter->since_wall_ns != 0 && sent < filter->since_wall_ns) return true;
  if (filter != NULL && filter->until_wall_ns != 0 && sent >= filter->until_wall_ns) return true;
  psp_columns_add_foreign(columns, 0, row->id, &row->result, row->saved_wall_ns);
  return true;
}

static size_t find_source(const psp_columns *c, const char *name, size_t len) {
  size_t k = 0;
  while (k < c->source_count &&
         (strlen(c->sources[k].name) != len || strncmp(c->sources[k].name, name, len) != 0))
    k++;
  return k;
}

psp_role psp_import_role(const psp_columns *columns, const char *name, size_t *source) {
  static const struct {
    const char *name;
    psp_role role;
  } whole[] = {{"arbitrary_message_id", PSP_ROLE_ID},
               {"probe_sent", PSP_ROLE_SENT},
               {"saved_at", PSP_ROLE_SAVED},
               {"lateness_ns", PSP_ROLE_LATENESS},
               {"publish_ns", PSP_ROLE_PUBLISH}},
    ends[] = {{"_status", PSP_ROLE_STATUS},
              {"_cold", PSP_ROLE_COLD},
              {"_duplicates", PSP_ROLE_DUPLICATES},
              {"_handled_ns", PSP_ROLE_HANDLED}};
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
    if (strcmp(name, whole[i].name) == 0) return whole[i].role;
  psp_buf of = {0};
  if (psp_response_source(&of, name) && !of.failed) {
    *source = find_source(columns, of.data, of.len);
    psp_buf_free(&of);
    return *source < columns->source_count ? PSP_ROLE_ELAPSED : PSP_ROLE_NONE;
  }
  psp_buf_free(&of);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    if (!psp_text_ends(name, ends[i].name)) continue;
    *source = find_source(columns, name, strlen(name) - strlen(ends[i].name));
    return *source < columns->source_count ? ends[i].role : PSP_ROLE_NONE;
  }
  return PSP_ROLE_NONE;
}

bool psp_import_source(psp_columns *columns, const char *column) {
  psp_buf of = {0};
  bool ok = true;
  if (psp_response_source(&of, column) && !of.failed &&
      find_source(columns, of.data, of.len) == columns->source_count) {
    ok = columns->source_count < PSPROBE_MAX_SOURCES;
    if (ok) psp_columns_add_source(columns, of.data);
  }
  psp_buf_free(&of);
  return ok;
}
