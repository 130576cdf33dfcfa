/* SPDX-License-Identifier: MIT */
#include "results/columns/documents.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/name.h"
#include "base/printable.h"
#include "base/shown.h"
#include "base/text.h"
#include "prober/facts.h"
#include "results/upload/document.h"
#include "results/upload/fields.h"

static const struct first {
  const char *source, *field;
} first[] = {{PSPROBE_CLOUD_FUNCTION, "cloud_func_response_time"},
             {PSPROBE_REGULAR_SERVICE, "reg_service_response_time"}};
#define FIRST (sizeof first / sizeof *first)

const char *psp_document_run(const psprobe_value *fields) {
  const char *run = psp_field_string(fields, "run_id");
  return run != NULL ? run : "";
}

static bool is_map(const psprobe_value *value) {
  return psprobe_value_get_type(value) == PSPROBE_VALUE_MAP;
}

static bool add_sources(psp_columns *c, const psprobe_value *fields) {
  const psprobe_value *sources = psprobe_value_find(fields, "sources");
  for (size_t i = 0; !is_map(sources) && i < FIRST; i++)
    psp_columns_add_source(c, first[i].source);
  for (size_t i = 0; is_map(sources) && i < psprobe_value_count(sources); i++) {
    const char *name = "";
    psprobe_value_at(sources, i, &name);
    if (i >= PSPROBE_MAX_SOURCES ||
        psp_name_check("source", name, strlen(name), NULL) != PSPROBE_OK)
      return false;
    psp_columns_add_source(c, name);
  }
  return true;
}

/* What is in a field that is told from 1 on; 0: nothing is. */
static int64_t told(const psprobe_value *map, const char *key, int64_t most) {
  int64_t number = psp_field_number(map, key, 0);
  return number > 0 && number <= most ? number : 0;
}

static void read_facts(const psprobe_value *map, psprobe_facts *facts) {
  static const char *const stamps[PSPROBE_STAMPS] = {"t1_ns", "t2_ns", "t3_ns", "t4_ns"};
  const char *instance = psp_field_string(map, "instance");
  if (instance != NULL && psp_instance_ok(instance))
    memcpy(facts->instance, instance, strlen(instance) + 1);
  facts->invocation = (uint32_t)told(map, "invocation", UINT32_MAX);
  facts->delivery_attempt = (uint32_t)told(map, "attempt", UINT32_MAX);
  facts->age_ns = told(map, "age_ns", INT64_MAX);
  facts->ready_ns = told(map, "ready_ns", INT64_MAX);
  facts->published_wall_ns =
      psp_field_number(map, "published_ns", psp_field_moment(map, "published_at"));
  facts->arrived_wall_ns = told(map, "arrived_ns", INT64_MAX);
  facts->sent_wall_ns = told(map, "sent_ns", INT64_MAX);
  for (size_t i = 0; i < PSPROBE_STAMPS; i++)
    facts->exchange_wall_ns[i] = told(map, stamps[i], INT64_MAX);
}

/* A source's answer as today's form has it. @return false: it has no status that we know */
static bool read_answer(psp_import_row *row, size_t k, const psprobe_value *map) {
  psprobe_answer *answer = &row->result.answers[k];
  const psprobe_value *elapsed = psprobe_value_find(map, "elapsed_ns");
  row->told[k] = psp_status_named(psp_field_string(map, "status"), &answer->status);
  row->timed[k] = psprobe_value_get_integer(elapsed, &answer->elapsed_ns);
  answer->duplicates = (uint32_t)told(map, "duplicates", UINT32_MAX);
  psprobe_value_get_boolean(psprobe_value_find(map, "cold"), &answer->cold);
  int64_t handled = psp_field_number(map, "handled_ns", -1);
  answer->handled_ns = handled < 0 ? -1 : handled;
  answer->received_wall_ns = told(map, "received_ns", INT64_MAX);
  read_facts(map, &answer->facts);
  return row->told[k];
}

/* The same of the first experiment: a time, or none. */
static void read_first(psp_import_row *row, size_t k, const char *source,
                       const psprobe_value *fields) {
  for (size_t i = 0; i < FIRST; i++)
    if (psp_text_equal(source, first[i].source))
      row->timed[k] = psprobe_value_get_integer(psprobe_value_find(fields, first[i].field),
                                                &row->result.answers[k].elapsed_ns);
}

static bool read_answers(const psp_columns *c, psp_import_row *row, const psprobe_value *fields) {
  const psprobe_value *sources = psprobe_value_find(fields, "sources");
  for (size_t k = 0; k < c->source_count; k++) {
    const psprobe_value *map =
        is_map(sources) ? psprobe_value_find(sources, c->sources[k].name) : NULL;
    if (is_map(sources) && !read_answer(row, k, map)) return false;
    if (!is_map(sources)) read_first(row, k, c->sources[k].name, fields);
  }
  return true;
}

/* -1: publishing failed; PSP_PUBLISH_UNKNOWN: nobody has told. */
static int64_t read_publish(const psprobe_value *fields) {
  const psprobe_value *value = psprobe_value_find(fields, "publish_ns");
  if (value == NULL) return PSP_PUBLISH_UNKNOWN;
  int64_t ns = psp_field_number(fields, "publish_ns", -1);
  return ns < 0 ? -1 : ns;
}

static void read_row(psp_import_row *row, const psprobe_value *fields) {
  const char *id = psp_field_string(fields, "arbitrary_message_id");
  row->has_id =
      id != NULL && id[0] != '\0' && strlen(id) < sizeof row->id && psp_printable(id, strlen(id));
  if (row->has_id) memcpy(row->id, id, strlen(id) + 1);
  snprintf(row->run, sizeof row->run, "%s", psp_document_run(fields));
  row->result.sent_wall_ns =
      psp_field_number(fields, "sent_ns", psp_field_moment(fields, "probe_sent"));
  row->has_sent = row->result.sent_wall_ns != 0;
  row->saved_wall_ns = psp_field_number(fields, "saved_ns", psp_field_moment(fields, "saved_at"));
  row->result.lateness_ns = psp_field_number(fields, "lateness_ns", 0);
  row->result.publish_ns = read_publish(fields);
  if (psp_text_equal(psp_field_string(fields, PSP_CADENCE_COLUMN),
                     psp_cadence_names[PSPROBE_CADENCE_COLD]))
    row->result.cadence = PSPROBE_CADENCE_COLD;
}

static psprobe_code refuse(const psp_import *import, const psprobe_value *fields, const char *why,
                           psprobe_error *error) {
  const char *id = psp_field_string(fields, "arbitrary_message_id");
  char shown[PSP_SHOWN_SIZE];
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: probe \"%s\": %s", import->what,
                  psp_setting_shown(shown, sizeof shown, id != NULL ? id : ""), why);
}

psprobe_code psp_import_document(psp_import *import, const psprobe_value *fields,
                                 psprobe_error *error) {
  psp_columns *c = import->columns;
  psp_import_row row;
  if (c->source_count == 0 && !add_sources(c, fields))
    return refuse(import, fields, "its sources cannot be read", error);
  psp_import_begin(&row, c->source_count);
  read_row(&row, fields);
  if (psp_name_check("run", row.run, strlen(row.run), NULL) != PSPROBE_OK) row.run[0] = '\0';
  if (!read_answers(c, &row, fields)) {
    c->left_out++; /* of a run that had other sources */
    return PSPROBE_OK;
  }
  if (!psp_import_end(import, &row)) return refuse(import, fields, row.wrong, error);
  return c->failed ? psp_fail_memory(error, import->what) : PSPROBE_OK;
}
