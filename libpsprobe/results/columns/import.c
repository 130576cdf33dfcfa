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
      return psp_row_parse_duration(text, -PSP_MOST_NS, &answer->elapsed_ns, why);
    case PSP_ROLE_STATUS:
      row->told[source] = true;
      return set_status(text, answer, why);
    case PSP_ROLE_HANDLED:
      return psp_row_parse_duration(text, 0, &answer->handled_ns, why);
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
      if (!psp_row_parse_whole(text, &value) || value < 0 || value > UINT32_MAX) return false;
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
  if (role >= PSP_ROLE_OF_RUN && role < PSP_ROLE_ELAPSED) {
    row->tells_run = true;
    return psp_run_set_cell(&row->of_run, (size_t)(role - PSP_ROLE_OF_RUN), text, why);
  }
  switch (role) {
    case PSP_ROLE_ID:
      *why = "an id of more than 63 bytes";
      if (!set_text(row->id, sizeof row->id, text)) return false;
      *why = "an id with a character that cannot be seen";
      return row->has_id = psp_printable(text, strlen(text));
    case PSP_ROLE_RUN:
      *why = "no run's id: 1 to 32 bytes that can be printed";
      return set_text(row->run, sizeof row->run, text) &&
             psp_name_check("run", text, strlen(text), NULL) == PSPROBE_OK;
    case PSP_ROLE_SENT:
      return row->has_sent = psp_row_parse_time(text, &row->result.sent_wall_ns, why);
    case PSP_ROLE_SAVED:
      return psp_row_parse_time(text, &row->saved_wall_ns, why);
    case PSP_ROLE_LATENESS:
      return psp_row_parse_duration(text, -PSP_MOST_NS, &row->result.lateness_ns, why);
    case PSP_ROLE_CADENCE:
      *why = "none of steady, cold";
      row->result.cadence = strcmp(text, psp_cadence_names[PSPROBE_CADENCE_COLD]) == 0
                                ? PSPROBE_CADENCE_COLD
                                : PSPROBE_CADENCE_STEADY;
      return strcmp(text, psp_cadence_names[row->result.cadence]) == 0;
    case PSP_ROLE_PUBLISH:
      if (strcmp(text, PSP_PUBLISH_UNKNOWN_TEXT) != 0)
        return psp_row_parse_duration(text, 0, &row->result.publish_ns, why);
      row->result.publish_ns = PSP_PUBLISH_UNKNOWN;
      return true;
    default:
      return set_answer(row, role, source, text, why);
  }
}

/* What was never measured is no 0: a status must have its time, and a time its status. */
static bool agree(psp_import_row *row, const psp_columns *columns) {
  for (size_t k = 0; k < row->result.source_count; k++) {
    psprobe_answer *answer = &row->result.answers[k];
    const char *name = row->listed != NULL ? row->listed->sources[k] : columns->sources[k].name;
    if (!row->told[k]) answer->status = row->timed[k] ? PSPROBE_ANSWERED : PSPROBE_LOST;
    if (psprobe_answer_came(answer->status) == row->timed[k]) continue;
    snprintf(row->wrong, sizeof row->wrong, "column %.80s_status: it is '%s', and there is %s time",
             name, psp_status_name(answer->status), row->timed[k] ? "a" : "no");
    return false;
  }
  return true;
}

static bool find_run(const psp_columns *columns, const char *id, uint32_t *index) {
  if (columns->count > 0) { /* rows of a run mostly follow each other */
    *index = columns->run[columns->count - 1];
    if (strcmp(columns->runs[*index].run.id, id) == 0) return true;
  }
  for (size_t i = columns->run_count; i > 0; i--) {
    *index = (uint32_t)(i - 1);
    if (strcmp(columns->runs[i - 1].run.id, id) == 0) return true;
  }
  return false;
}

/* The row's run, with what the row tells of it. False: two rows tell different things. */
static bool take_run(psp_import *import, psp_import_row *row, uint32_t *index) {
  psp_columns *columns = import->columns;
  size_t column = 0;
  memcpy(row->of_run.run.id, row->run, sizeof row->run);
  if (!find_run(columns, row->run, index)) {
    *index = psp_columns_add_run(columns, &row->of_run.run);
    return true;
  }
  if (!row->tells_run || psp_run_merge(&columns->runs[*index], &row->of_run.run, &column))
    return true;
  snprintf(row->wrong, sizeof row->wrong,
           "column %s: an earlier row tells something else of this run",
           psp_run_columns[column].name);
  return false;
}

static bool is_asked_for(const psp_import *import, const psp_import_row *row) {
  const psprobe_filter *filter = import->filter;
  int64_t sent = row->result.sent_wall_ns;
  uint32_t index;
  if (filter != NULL && filter->since_wall_ns != 0 && sent < filter->since_wall_ns) return false;
  if (filter != NULL && filter->until_wall_ns != 0 && sent >= filter->until_wall_ns) return false;
  return !import->chosen || row->listed != NULL || find_run(import->columns, row->run, &index);
}

/* The row's run with its sources, which are the columns' where it has no line. */
static psprobe_run with_sources(const psp_import *import, const psp_import_row *row,
                                uint32_t index) {
  return row->listed != NULL ? *row->listed : psp_columns_run(import->columns, index);
}

static void hand_on(psp_import *import, psp_import_row *row, uint32_t index) {
  const psprobe_run run = with_sources(import, row, index);
  psp_result_bound(&row->result);
  for (size_t i = 0; i < import->further.count; i++)
    psp_answer_bound(&import->further.items[i].answer);
  import->ended = !import->take(import->arg, &(psp_row){.run = &run,
                                                        .id = row->id,
                                                        .result = &row->result,
                                                        .saved_wall_ns = row->saved_wall_ns,
                                                        .further = &import->further});
}

static bool add_row(psp_import *import, psp_import_row *row) {
  uint32_t index = 0;
  if (!row->has_id || !row->has_sent) {
    snprintf(row->wrong, sizeof row->wrong, "%s is missing",
             row->has_id ? "probe_sent" : "arbitrary_message_id");
    return false;
  }
  if (!agree(row, import->columns)) return false;
  if (!is_asked_for(import, row)) return true;
  if (import->whole && row->listed != NULL) {
    hand_on(import, row, 0);
    return true;
  }
  if (!take_run(import, row, &index)) return false;
  if (import->columns->failed) return true;
  if (import->rows++ == 0 || row->result.sent_wall_ns >= import->newest_ns) {
    import->newest_ns = row->result.sent_wall_ns;
    import->newest = index;
  }
  if (import->take != NULL)
    hand_on(import, row, index);
  else
    psp_columns_add_foreign(import->columns, index, row->id, &row->result, row->saved_wall_ns);
  return true;
}

void psp_import_drop(psp_import_row *row) {
  psp_run_copy_free(&row->of_run);
}

bool psp_import_end(psp_import *import, psp_import_row *row) {
  bool good = add_row(import, row);
  psp_import_drop(row);
  import->further.count = 0;
  return good;
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
  if (strcmp(wanted, "last") == 0 && c->run_count > 0) {
    found = import->newest;
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

static bool is_sorted(const psp_columns *c) {
  for (size_t i = 1; i < c->count; i++)
    if (c->sent_wall_ns[i] < c->sent_wall_ns[i - 1]) return false;
  return c->apart == NULL || is_sorted(c->apart);
}

psprobe_code psp_import_finish(psp_import *import, psprobe_error *error) {
  psprobe_code code = check_ids(import, error);
  if (code == PSPROBE_OK && !import->chosen) code = choose_run(import, error);
  if (code == PSPROBE_OK && import->columns->run_count == 0)
    psp_columns_add_run(import->columns, &(psprobe_run){.project = NULL}); /* of no probe */
  if (code != PSPROBE_OK || is_sorted(import->columns)) return code;
  return psp_columns_sort(import->columns, error);
}

void psp_import_free(psp_import *import) {
  psp_run_list_free(&import->runs);
  psp_further_free(&import->further);
}
