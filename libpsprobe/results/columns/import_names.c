/* SPDX-License-Identifier: MIT */
/** @file What the names of columns and members mean, and the sources that they tell. */
#include <string.h>

#include "base/error.h"
#include "base/name.h"
#include "base/text.h"
#include "results/columns/import.h"

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

/* What the columns of a source end in, but for facts and times. */
static const struct {
  const char *suffix;
  psp_role role;
} parts[] = {{"_status", PSP_ROLE_STATUS},
             {"_cold", PSP_ROLE_COLD},
             {"_duplicates", PSP_ROLE_DUPLICATES},
             {"_handled_ns", PSP_ROLE_HANDLED},
             {PSP_RECEIVED_SUFFIX, PSP_ROLE_RECEIVED}};
#define PARTS (sizeof parts / sizeof *parts)

psp_role psp_import_role(const psp_import *import, const char *name, size_t *source) {
  const psp_columns *columns = import->columns;
  static const struct {
    const char *name;
    psp_role role;
  } whole[] = {{"arbitrary_message_id", PSP_ROLE_ID}, {"probe_sent", PSP_ROLE_SENT},
               {"saved_at", PSP_ROLE_SAVED},          {"run_id", PSP_ROLE_RUN},
               {"lateness_ns", PSP_ROLE_LATENESS},    {"publish_ns", PSP_ROLE_PUBLISH},
               {PSP_CADENCE_COLUMN, PSP_ROLE_CADENCE}};
  for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
    if (strcmp(name, whole[i].name) == 0) return whole[i].role;
  for (size_t i = 0; i < PSP_RUN_COLUMNS; i++)
    if (strcmp(name, psp_run_columns[i].name) == 0) return (psp_role)(PSP_ROLE_OF_RUN + i);
  psp_buf of = {0};
  if (psp_response_source(&of, &import->old_names, name) && !of.failed) {
    *source = find_source(columns, of.data, of.len);
    psp_buf_free(&of);
    return *source < columns->source_count ? PSP_ROLE_ELAPSED : PSP_ROLE_NONE;
  }
  psp_buf_free(&of);
  for (size_t i = 0; i < PARTS; i++)
    if (is_of_source(columns, name, parts[i].suffix, source)) return parts[i].role;
  for (size_t i = 0; i < PSP_FACT_COLUMNS; i++)
    if (is_of_source(columns, name, psp_fact_columns[i].suffix, source))
      return (psp_role)(PSP_ROLE_FACT + i);
  return PSP_ROLE_NONE;
}

psp_role psp_import_answer_role(const char *member) {
  if (strcmp(member, "elapsed_ns") == 0) return PSP_ROLE_ELAPSED;
  for (size_t i = 0; i < PARTS; i++)
    if (strcmp(member, parts[i].suffix + 1) == 0) return parts[i].role;
  for (size_t i = 0; i < PSP_FACT_COLUMNS; i++)
    if (strcmp(member, psp_fact_columns[i].suffix + 1) == 0) return (psp_role)(PSP_ROLE_FACT + i);
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
