/* SPDX-License-Identifier: MIT */
/** @file The route runAggregationQuery: counts, sums and averages of what a query finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/value/json.h"
#include "local/documents/rest.h"
#include "local/proto_fields.h"

#define MOST 5 /* google/firestore/v1/query.proto, StructuredAggregationQuery.aggregations */

typedef enum kind { COUNT = 1, SUM, AVERAGE } kind;

typedef struct aggregation {
  kind kind;
  char *alias;
  int64_t up_to; /* -1: no bound */
  psp_documents_path path;
} aggregation;

typedef struct aggregations {
  aggregation each[MOST];
  size_t count;
} aggregations;

static void aggregations_free(aggregations *all) {
  for (size_t i = 0; i < all->count; i++) {
    free(all->each[i].alias);
    psp_documents_path_free(&all->each[i].path);
  }
}

/* ---- reading ---- */

/* The members of an Aggregation. */
typedef struct members {
  char *alias;
  const psp_json *count, *sum, *average;
} members;

static psprobe_code read_count(const psp_json *json, aggregation *out, psprobe_error *error) {
  static const psp_field fields[] = {{"upTo", psp_read_part, 0}, {0}};
  const psp_json *up_to = NULL;
  out->kind = COUNT;
  out->up_to = -1;
  if (!psp_fields_read(json, fields, &up_to) ||
      (up_to != NULL && !psp_json_int64(up_to, &out->up_to)))
    return psp_documents_payload_invalid(error);
  if (up_to == NULL || out->up_to >= 0) return PSPROBE_OK;
  return psp_fail(
      error, PSPROBE_INVALID_ARGUMENT,
      "The `up_to` value in a COUNT aggregation must be greater than or equal to zero.");
}

static psprobe_code read_field(const psp_json *json, kind of, aggregation *out,
                               psprobe_error *error) {
  static const psp_field fields[] = {{"field", psp_read_part, 0}, {0}};
  const psp_json *field = NULL;
  out->kind = of;
  if (!psp_fields_read(json, fields, &field)) return psp_documents_payload_invalid(error);
  const char *text = psp_json_string(psp_json_get2(field, "fieldPath", "field_path"));
  if (text == NULL || *text == '\0')
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Invalid empty property path string.");
  psprobe_code code = psp_documents_path_parse(text, &out->path, error);
  if (code == PSPROBE_OK && psp_documents_path_is_name(&out->path))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Aggregations are not supported for the property: __key__");
  return code;
}

static psprobe_code read_one(const psp_json *json, aggregation *out, psprobe_error *error) {
  static const psp_field fields[] = {{"alias", psp_read_text, offsetof(members, alias)},
                                     {"count", psp_read_part, offsetof(members, count)},
                                     {"sum", psp_read_part, offsetof(members, sum)},
                                     {"avg", psp_read_part, offsetof(members, average)},
                                     {0}};
  members found = {0};
  bool ok = psp_fields_read(json, fields, &found);
  out->alias = found.alias;
  if (!ok || (found.count != NULL) + (found.sum != NULL) + (found.average != NULL) > 1)
    return psp_documents_payload_invalid(error);
  if (found.count != NULL) return read_count(found.count, out, error);
  if (found.sum != NULL) return read_field(found.sum, SUM, out, error);
  if (found.average != NULL) return read_field(found.average, AVERAGE, out, error);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Operator field in Aggregation is not set.");
}

/* Those without an alias are numbered on their own. */
static psprobe_code name_them(aggregations *all, psprobe_error *error) {
  int unnamed = 0;
  for (size_t i = 0; i < all->count; i++) {
    char made[32];
    snprintf(made, sizeof made, "field_%d", unnamed + 1);
    if (all->each[i].alias == NULL) {
      unnamed++;
      all->each[i].alias = psp_strdup(made);
    }
    const char *alias = all->each[i].alias, *why = NULL;
    if (alias == NULL) return psp_fail_memory(error, "aggregation");
    if (!psp_field_name_check(alias, &why))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The property.name \"%s\" is reserved.",
                      alias);
    for (size_t j = 0; j < i; j++)
      if (strcmp(alias, all->each[j].alias) == 0)
        return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                        "Aggregation aliases contain duplicate alias: %s.", alias);
  }
  return PSPROBE_OK;
}

static psprobe_code read_all(const psp_json *json, aggregations *out, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (json != NULL && !psp_json_is_array(json)) return psp_documents_payload_invalid(error);
  if (psp_json_count(json) == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Aggregations can not be empty.");
  if (psp_json_count(json) > MOST) /* the emulator breaks there, and says nothing */
    return psp_fail(error, PSPROBE_UNKNOWN, "%s", "");
  for (const psp_json *item = psp_json_first(json); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item))
    code = read_one(item, &out->each[out->count++], error);
  return code == PSPROBE_OK ? name_them(out, error) : code;
}

static psprobe_code check_mask(const aggregations *all, const psp_documents_mask *mask,
                               psprobe_error *error) {
  for (size_t i = 0; mask->set && i < all->count; i++) {
    const psp_documents_path *path = &all->each[i].path;
    bool there = false;
    if (path->count == 0) continue;
    for (size_t j = 0; !there && j < mask->count; j++)
      there = path->count == mask->paths[j].count &&
              strcmp(path->names[0], mask->paths[j].names[0]) == 0;
    if (!there)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "The aggregation property %s is not present in the base query's property "
                      "mask.",
                      path->names[0]);
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Cannot apply property masks when aggregation fields are present.");
  }
  return PSPROBE_OK;
}

/* ---- computing ---- */

/* Only documents that have every field which is aggregated count for any of them. */
static bool counts(const aggregations *all, const psp_stored_document *document) {
  for (size_t i = 0; i < all->count; i++)
    if (all->each[i].path.count > 0 &&
        psp_documents_path_find(document->fields, &all->each[i].path) == NULL)
      return false;
  return true;
}

/* Numbers so far. */
typedef struct tally {
  int64_t count, numbers;
  int64_t integers; /* the sum as long as it is one */
  double sum;
  bool is_double;
} tally;

static void add(tally *t, const psprobe_value *value) {
  int64_t integer = 0;
  double number = 0;
  bool is_integer = psprobe_value_get_integer(value, &integer);
  if (!is_integer && !psprobe_value_get_double(value, &number)) return;
  t->numbers++;
  t->sum += is_integer ? (double)integer : number;
  if (!is_integer || __builtin_add_overflow(t->integers, integer, &t->integers))
    t->is_double = true;
}

static tally count_up(const aggregation *a, const aggregations *all, const psp_query_found *found) {
  tally t = {0};
  for (size_t i = 0; i < found->count; i++) {
    const psp_stored_document *document = &found->items[i];
    if (!counts(all, document)) continue;
    if (a->kind == COUNT)
      t.count++;
    else
      add(&t, psp_documents_path_find(document->fields, &a->path));
  }
  return t;
}

static psprobe_value *result_of(const aggregation *a, const tally *t) {
  if (a->kind == COUNT)
    return psprobe_value_integer(a->up_to >= 0 && t->count > a->up_to ? a->up_to : t->count);
  if (a->kind == AVERAGE)
    return t->numbers == 0 ? psprobe_value_null()
                           : psprobe_value_double(t->sum / (double)t->numbers);
  return t->is_double ? psprobe_value_double(t->sum) : psprobe_value_integer(t->integers);
}

static psprobe_code put_result(psp_documents_session *session, const aggregations *all,
                               const psp_query_found *found, psprobe_error *error) {
  psp_json_writer *w = &session->w;
  psprobe_value *map = psprobe_value_map();
  bool ok = map != NULL;
  for (size_t i = 0; ok && i < all->count; i++) {
    tally t = count_up(&all->each[i], all, found);
    ok = psprobe_value_set(map, all->each[i].alias, result_of(&all->each[i], &t));
  }
  if (ok) {
    psp_json_begin_object(w);
    psp_json_begin_object_member(w, "result");
    psp_json_put_key(w, "aggregateFields");
    psp_fields_encode(w, map);
    psp_json_end_object(w);
    psp_documents_put_time(w, "readTime", session->now);
    psp_json_put_bool_member(w, "done", true);
    psp_json_end_object(w);
    session->any = true;
  }
  psprobe_value_free(map);
  return ok ? PSPROBE_OK : psp_fail_memory(error, "aggregation");
}

/* ---- the route ---- */

typedef struct body {
  const psp_json *structured, *query, *aggregations;
  psp_documents_when when;
} body;

static psprobe_code read_body(const psp_documents_request *request, body *out,
                              psprobe_error *error) {
  static const psp_field fields[] = {
      {"structuredAggregationQuery", psp_read_part, offsetof(body, structured)},
      {"transaction", psp_read_text, offsetof(body, when.transaction)},
      {"newTransaction", psp_read_part, offsetof(body, when.begin)},
      {"readTime", psp_read_part, offsetof(body, when.read_time)},
      {"explainOptions", NULL, 0},
      {0}};
  static const psp_field inner[] = {{"structuredQuery", psp_read_part, offsetof(body, query)},
                                    {"aggregations", psp_read_part, offsetof(body, aggregations)},
                                    {0}};
  if ((request->json != NULL && !psp_fields_read(request->json, fields, out)) ||
      (out->structured != NULL && !psp_fields_read(out->structured, inner, out)))
    return psp_documents_payload_invalid(error);
  return PSPROBE_OK;
}

static psprobe_code read_query(const psp_documents_request *request, const body *found,
                               psp_local_query *query, aggregations *all, psprobe_error *error) {
  if (found->structured == NULL)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Only structured aggregation queries are supported.");
  psprobe_code code = psp_documents_parent_check(request->name, error);
  if (code == PSPROBE_OK) code = read_all(found->aggregations, all, error);
  if (code == PSPROBE_OK && found->query != NULL)
    code = psp_local_query_read(found->query, query, error);
  else if (code == PSPROBE_OK)
    query->descendants = true; /* every document */
  if (code == PSPROBE_OK && found->query == NULL) code = psp_local_query_imply(query, error);
  return code == PSPROBE_OK ? check_mask(all, &query->select, error) : code;
}

void psp_documents_run_aggregation(psp_documents_request *request) {
  psprobe_error error = {0};
  body found = {0};
  aggregations all = {0};
  psp_local_query query = {.limit = -1};
  psp_query_found documents = {0};
  psp_documents_session session = {0};
  psprobe_code code = read_body(request, &found, &error);
  if (code == PSPROBE_OK) code = psp_documents_enter(request, &found.when, &session, &error);
  if (code == PSPROBE_OK) code = read_query(request, &found, &query, &all, &error);
  if (code == PSPROBE_OK)
    code = psp_local_query_run(request->documents, request->name, &query, &documents, &error);
  if (code == PSPROBE_OK) code = put_result(&session, &all, &documents, &error);
  if (code == PSPROBE_OK && session.transaction != NULL &&
      !psp_transaction_note_query(session.transaction, request->name, &query, &documents))
    code = psp_fail_memory(&error, "transaction");
  psp_documents_leave(request, &session, code, &error);
  psp_query_found_free(&documents);
  psp_local_query_free(&query);
  aggregations_free(&all);
  free(found.when.transaction);
}
