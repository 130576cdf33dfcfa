/* SPDX-License-Identifier: MIT */
#include "results/columns/import.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/name.h"
#include "base/printable.h"
#include "base/shown.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "prober/facts.h"
#include "results/upload/document.h"
#include "stats/sample.h"

const char *const psp_cadence_names[2] = {
    [PSPROBE_CADENCE_STEADY] = "steady", [PSPROBE_CADENCE_COLD] = "cold"};

const psp_fact_column psp_fact_columns[PSP_FACT_COLUMNS] = {
    {"_instance", PSPROBE_HEADER_INSTANCE},  {"_invocation", PSPROBE_HEADER_INVOCATION},
    {"_attempt", PSPROBE_HEADER_ATTEMPT},    {"_age_ns", PSPROBE_HEADER_AGE},
    {"_ready_ns", PSPROBE_HEADER_READY},     {"_published_at", PSPROBE_HEADER_PUBLISHED},
    {"_arrived_ns", PSPROBE_HEADER_ARRIVED}, {"_sent_ns", PSPROBE_HEADER_SENT},
    {"_exchange", PSPROBE_HEADER_EXCHANGE}};

void psp_import_begin(psp_import_row *row, size_t source_count) {
  *row =
      (psp_import_row){.result = {.source_count = source_count, .publish_ns = PSP_PUBLISH_UNKNOWN}};
  for (size_t k = 0; k < source_count; k++)
    row->result.answers[k] = (psprobe_answer){.status = PSPROBE_LOST, .handled_ns = -1};
}

/* A time as people write it, too: "2026-11-24 10:00:05z" (RFC 3339, 5.6: its T and Z may be lower
 * case, and a blank may part the date from the time). */
static bool set_time(const char *given, int64_t *ns, const char **why) {
  char text[PSP_TIMESTAMP_SIZE + 16];
  int64_t seconds = 0;
  int32_t nanos = 0;
  *why = "not an RFC 3339 time such as 2026-11-24T22:10:05Z";
  size_t len = strlen(given);
  if (len >= sizeof text) return false;
  memcpy(text, given, len + 1);
  if (len > 10 && (text[10] == 't' || text[10] == ' ')) text[10] = 'T';
  if (len > 0 && text[len - 1] == 'z') text[len - 1] = 'Z';
  if (!psp_timestamp_parse(text, len, &seconds, &nanos)) return false;
  *why = "a year that is out of range (1678 to 2261)";
  if (seconds < -PSP_COLUMN_TIME_MOST / 1000000000 || seconds > PSP_COLUMN_TIME_MOST / 1000000000)
    return false;
  *ns = seconds * 1000000000 + nanos;
  return true;
}

/* A whole number, also as spreadsheets write one: "45000000.0", "4.5E+07". */
static bool parse_whole(const char *text, int64_t *value) {
  if (psp_parse_int64(text, INT64_MIN, INT64_MAX, value)) return true;
  char *end = NULL;
  if (text[strspn(text, "0123456789.eE+-")] != '\0' || strpbrk(text, "0123456789") == NULL)
    return false;
  double number = strtod(text, &end);
  if (*end != '\0' || fabs(number) > 9007199254740992.0 || number != floor(number)) return false;
  *value = (int64_t)number;
  return true;
}

/* A duration; `min` is 0, or less for what a clock that was put back can have made of it. */
static bool set_int(const char *text, int64_t min, int64_t *value, const char **why) {
  *why = min < 0 ? "not a whole number of nanoseconds" : "not a whole number from 0 on";
  if (!parse_whole(text, value) || (min == 0 && *value < 0)) return false;
  *why = "longer than eighteen years in nanoseconds";
  return *value >= min && *value <= PSP_MOST_NS;
}

static bool set_status(const char *text, psprobe_answer *answer, const char **why) {
  *why = "none of answered, late, lost, interrupted, uncertain";
  return psp_status_named(text, &answer->status);
}

/* As the answer's header had it. */
static bool set_fact(psprobe_answer *answer, const psp_fact_column *column, const char *text,
                     const char **why) {
  psp_told told = {.facts = answer->facts};
  psp_told_take(&told, column->header, text);
  answer->facts = told.facts;
  *why = "nothing that a responder can have told (docs/results.md)";
  return told.wrong == 0;
}

static bool set_answer(psp_import_row *row, psp_role role, size_t source, const char *text,
                       const char **why) {
  psprobe_answer *answer = &row->result.answers[source];
  int64_t value = 0;
  if (role >= PSP_ROLE_FACT)
    return set_fact(answer, &psp_fact_columns[role - PSP_ROLE_FACT], text, why);
  switch (role) {
    case PSP_ROLE_ELAPSED:
      *why = "a second time of this source";
      if (row->timed[source]) return false;
      row->timed[source] = true;
      return set_int(text, -PSP_MOST_NS, &answer->elapsed_ns, why);
    case PSP_ROLE_STATUS:
      row->told[source] = true;
      return set_status(text, answer, why);
    case PSP_ROLE_HANDLED:
      return set_int(text, 0, &answer->handled_ns, why);
    case PSP_ROLE_RECEIVED:
      *why = "no time in nanoseconds since 1970";
      return psp_parse_int64(text, 0, PSP_COLUMN_TIME_MOST, &answer->received_wall_ns);
    case PSP_ROLE_COLD:
      *why = "neither 0 nor 1";
      if (!psp_parse_int64(text, 0, 1, &value)) return false;
      answer->cold = value == 1;
      return true;
    default:
      *why = "not a whole number from 0 on";
      if (!parse_whole(text, &value) || value < 0 || value > UINT32_MAX) return false;
      answer->duplicates = (uint32_t)value;
      return true;
  }
}

/* Copies a text that is kept as it is. */
static bool set_text(char *to, size_t size, const char *text) {
  if (strlen(text) >= size) return false;
  memcpy(to, text, strlen(text) + 1);
  return true;
}

bool psp_import_set(psp_import_row *row, psp_role role, size_t source, const char *text,
                    const char **why) {
  if (role == PSP_ROLE_PUBLISH)
    row->result.publish_ns = -1; /* it failed, unless there is a number */
  if (text[0] == '\0' || role == PSP_ROLE_NONE) return true;
  switch (role) {
    case PSP_ROLE_ID:
      *why = "an id of more than 63 bytes";
      return row->has_id = set_text(row->id, sizeof row->id, text);
    case PSP_ROLE_RUN:
      *why = "no run's id: 1 to 32 bytes that can be printed";
      return set_text(row->run, sizeof row->run, text) &&
             psp_name_check("run", text, strlen(text), NULL) == PSPROBE_OK;
    case PSP_ROLE_SENT:
      return row->has_sent = set_time(text, &row->result.sent_wall_ns, why);
    case PSP_ROLE_SAVED:
      return set_time(text, &row->saved_wall_ns, why);
    case PSP_ROLE_LATENESS:
      return set_int(text, -PSP_MOST_NS, &row->result.lateness_ns, why);
    case PSP_ROLE_CADENCE:
      *why = "none of steady, cold";
      row->result.cadence = strcmp(text, psp_cadence_names[PSPROBE_CADENCE_COLD]) == 0
                                ? PSPROBE_CADENCE_COLD
                                : PSPROBE_CADENCE_STEADY;
      return strcmp(text, psp_cadence_names[row->result.cadence]) == 0;
    case PSP_ROLE_PUBLISH:
      if (strcmp(text, PSP_PUBLISH_UNKNOWN_TEXT) != 0)
        return set_int(text, 0, &row->result.publish_ns, why);
      row->result.publish_ns = PSP_PUBLISH_UNKNOWN;
      return true;
    default:
      return set_answer(row, role, source, text, why);
  }
}

/* What was never measured is no 0: a status must have its time, and a time its status. */
static bool agree(psp_import_row *row, const psp_columns *columns) {
  for (size_t k = 0; k < columns->source_count; k++) {
    psprobe_answer *answer = &row->result.answers[k];
    if (!row->told[k]) answer->status = row->timed[k] ? PSPROBE_ANSWERED : PSPROBE_LOST;
    if (psprobe_answer_came(answer->status) == row->timed[k]) continue;
    snprintf(row->wrong, sizeof row->wrong, "column %.80s_status: it is '%s', and there is %s time",
             columns->sources[k].name, psp_status_name(answer->status), row->timed[k] ? "a" : "no");
    return false;
  }
  return true;
}

static uint32_t run_of(psp_columns *columns, const char *id) {
  if (columns->count > 0) { /* rows of a run mostly follow each other */
    uint32_t last = columns->run[columns->count - 1];
    if (strcmp(columns->runs[last].run.id, id) == 0) return last;
  }
  for (size_t i = 0; i < columns->run_count; i++)
    if (strcmp(columns->runs[i].run.id, id) == 0) return (uint32_t)i;
  psprobe_run run = {.project = NULL};
  memcpy(run.id, id, strlen(id) + 1);
  return psp_columns_add_run(columns, &run);
}

bool psp_import_end(psp_import *import, psp_import_row *row) {
  const psprobe_filter *filter = import->filter;
  int64_t sent = row->result.sent_wall_ns;
  if (!row->has_id || !row->has_sent) {
    snprintf(row->wrong, sizeof row->wrong, "%s is missing",
             row->has_id ? "probe_sent" : "arbitrary_message_id");
    return false;
  }
  if (!agree(row, import->columns)) return false;
  if (filter != NULL && filter->since_wall_ns != 0 && sent < filter->since_wall_ns) return true;
  if (filter != NULL && filter->until_wall_ns != 0 && sent >= filter->until_wall_ns) return true;
  uint32_t run = run_of(import->columns, row->run);
  psp_columns_add_foreign(import->columns, run, row->id, &row->result, row->saved_wall_ns);
  return true;
}

/* The run that was sent last. */
static uint32_t newest(const psp_columns *c) {
  size_t last = 0;
  for (size_t i = 1; i < c->count; i++)
    if (c->sent_wall_ns[i] >= c->sent_wall_ns[last]) last = i;
  return c->run[last];
}

/* A probe that is there twice would count twice. */
static psprobe_code check_ids(const psp_import *import, psprobe_error *error) {
  const psp_columns *c = import->columns;
  size_t size = 64;
  while (size < c->count * 2)
    size *= 2;
  uint32_t *places = calloc(size, sizeof *places); /* index plus one; 0: free */
  psprobe_code code = places == NULL ? psp_fail_memory(error, import->what) : PSPROBE_OK;
  for (size_t i = 0; code == PSPROBE_OK && i < c->count; i++) {
    size_t at = psp_interned_hash(c->id[i]) & (size - 1);
    while (places[at] != 0 && strcmp(c->id[places[at] - 1], c->id[i]) != 0)
      at = (at + 1) & (size - 1);
    char shown[PSP_IMPORT_SHOWN];
    psp_printable_text(shown, sizeof shown, c->id[i]);
    if (places[at] != 0)
      code =
          psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: probes %lu and %zu have the same id, '%s'",
                   import->what, (unsigned long)places[at], i + 1, shown);
    places[at] = (uint32_t)(i + 1);
  }
  free(places);
  return code;
}

static psprobe_code choose_run(const psp_import *import, psprobe_error *error) {
  psp_columns *c = import->columns;
  const char *wanted = import->filter == NULL ? NULL : import->filter->run;
  uint32_t found = 0;
  size_t count = 0;
  if (wanted == NULL) return PSPROBE_OK;
  for (size_t i = 0; i < c->run_count; i++) {
    if (!psp_text_starts(c->runs[i].run.id, wanted)) continue;
    found = (uint32_t)i;
    count++;
  }
  if (strcmp(wanted, "last") == 0 && c->count > 0) {
    found = newest(c);
    count = 1;
  }
  char shown[PSP_SHOWN_SIZE];
  if (count == 0 || wanted[0] == '\0')
    return psp_fail(error, PSPROBE_NOT_FOUND, "no run in %s has an id that begins with \"%s\"",
                    import->what, psp_setting_shown(shown, sizeof shown, wanted));
  if (count > 1)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "the ids of %zu runs in %s begin with \"%s\": give more of it", count,
                    import->what, psp_setting_shown(shown, sizeof shown, wanted));
  psp_columns_keep_run(c, found);
  return PSPROBE_OK;
}

psprobe_code psp_import_finish(const psp_import *import, psprobe_error *error) {
  psprobe_code code = check_ids(import, error);
  if (code == PSPROBE_OK) code = choose_run(import, error);
  if (code == PSPROBE_OK && import->columns->run_count == 0)
    psp_columns_add_run(import->columns, &(psprobe_run){.project = NULL}); /* of no probe */
  return code;
}

static size_t find_source(const psp_columns *c, const char *name, size_t len) {
  size_t k = 0;
  while (k < c->source_count &&
         (strlen(c->sources[k].name) != len || strncmp(c->sources[k].name, name, len) != 0))
    k++;
  return k;
}

/* Whether a column's name is that of a source and `suffix`. */
static bool is_of_source(const psp_columns *c, const char *name, const char *suffix,
                         size_t *source) {
  if (!psp_text_ends(name, suffix)) return false;
  *source = find_source(c, name, strlen(name) - strlen(suffix));
  return *source < c->source_count;
}

psp_role psp_import_role(const psp_import *import, const char *name, size_t *source) {
  const psp_columns *columns = import->columns;
  static const struct {
    const char *name;
    psp_role role;
  } whole[] = {{"arbitrary_message_id", PSP_ROLE_ID}, {"probe_sent", PSP_ROLE_SENT},
               {"saved_at", PSP_ROLE_SAVED},          {"run_id", PSP_ROLE_RUN},
               {"lateness_ns", PSP_ROLE_LATENESS},    {"publish_ns", PSP_ROLE_PUBLISH},
               {PSP_CADENCE_COLUMN, PSP_ROLE_CADENCE}},
    ends[] = {{"_status", PSP_ROLE_STATUS},
              {"_cold", PSP_ROLE_COLD},
              {"_duplicates", PSP_ROLE_DUPLICATES},
              {"_handled_ns", PSP_ROLE_HANDLED},
              {PSP_RECEIVED_SUFFIX, PSP_ROLE_RECEIVED}};
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
    if (strcmp(name, whole[i].name) == 0) return whole[i].role;
  psp_buf of = {0};
  if (psp_response_source(&of, &import->old_names, name) && !of.failed) {
    *source = find_source(columns, of.data, of.len);
    psp_buf_free(&of);
    return *source < columns->source_count ? PSP_ROLE_ELAPSED : PSP_ROLE_NONE;
  }
  psp_buf_free(&of);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (is_of_source(columns, name, ends[i].name, source)) return ends[i].role;
  for (size_t i = 0; i < PSP_FACT_COLUMNS; i++)
    if (is_of_source(columns, name, psp_fact_columns[i].suffix, source))
      return (psp_role)(PSP_ROLE_FACT + i);
  return PSP_ROLE_NONE;
}

static psprobe_code add_source(psp_import *import, const char *name, psprobe_error *error) {
  psp_columns *c = import->columns;
  if (find_source(c, name, strlen(name)) < c->source_count) return PSPROBE_OK;
  if (c->source_count == PSPROBE_MAX_SOURCES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: more than %d sources", import->what,
                    PSPROBE_MAX_SOURCES);
  psprobe_code code = psp_name_check("source", name, strlen(name), error);
  if (code != PSPROBE_OK) {
    if (error != NULL) psp_fail_in(error, "%s", import->what);
    return code;
  }
  psp_columns_add_source(c, name);
  return c->failed ? psp_fail_memory(error, import->what) : PSPROBE_OK;
}

psprobe_code psp_import_source(psp_import *import, const char *column, psprobe_error *error) {
  psp_buf of = {0};
  psprobe_code code = PSPROBE_OK;
  if (psp_response_source(&of, &import->old_names, column))
    code = of.failed ? psp_fail_memory(error, import->what) : add_source(import, of.data, error);
  psp_buf_free(&of);
  return code;
}
