/* SPDX-License-Identifier: MIT */
/** @file Reads a query's filters. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "local/documents/query.h"
#include "local/proto_fields.h"

#define MAX_IN    30
#define MAX_DEPTH 16

void psp_filter_clear(psp_filter *filter) {
  for (size_t i = 0; i < filter->count; i++)
    psp_filter_clear(&filter->parts[i]);
  free(filter->parts);
  psp_documents_path_free(&filter->path);
  psprobe_value_free(filter->value);
}

psprobe_code psp_field_reference_read(const psp_json *json, psp_documents_path *path,
                                      psprobe_error *error) {
  const char *text =
      json != NULL ? psp_json_string(psp_json_get2(json, "fieldPath", "field_path")) : "";
  if (text == NULL || (json != NULL && psp_json_count(json) != 1))
    return psp_documents_payload_invalid(error);
  return psp_documents_path_parse(text, path, error);
}

/* An operator of google.firestore.v1.StructuredQuery. */
typedef struct enumerator {
  const char *name;
  int64_t number;
  psp_filter_kind kind;
} enumerator;

static const enumerator field_ops[] = {{"LESS_THAN", 1, PSP_WHERE_LESS},
                                       {"LESS_THAN_OR_EQUAL", 2, PSP_WHERE_LESS_OR_EQUAL},
                                       {"GREATER_THAN", 3, PSP_WHERE_GREATER},
                                       {"GREATER_THAN_OR_EQUAL", 4, PSP_WHERE_GREATER_OR_EQUAL},
                                       {"EQUAL", 5, PSP_WHERE_EQUAL},
                                       {"NOT_EQUAL", 6, PSP_WHERE_NOT_EQUAL},
                                       {"ARRAY_CONTAINS", 7, PSP_WHERE_ARRAY_CONTAINS},
                                       {"IN", 8, PSP_WHERE_IN},
                                       {"ARRAY_CONTAINS_ANY", 9, PSP_WHERE_ARRAY_CONTAINS_ANY},
                                       {"NOT_IN", 10, PSP_WHERE_NOT_IN},
                                       {0}};
static const enumerator unary_ops[] = {{"IS_NAN", 2, PSP_WHERE_IS_NAN},
                                       {"IS_NULL", 3, PSP_WHERE_IS_NULL},
                                       {"IS_NOT_NAN", 4, PSP_WHERE_IS_NOT_NAN},
                                       {"IS_NOT_NULL", 5, PSP_WHERE_IS_NOT_NULL},
                                       {0}};
static const enumerator composite_ops[] = {{"AND", 1, PSP_WHERE_AND}, {"OR", 2, PSP_WHERE_OR}, {0}};

bool psp_enumerator_is(const psp_json *json, const char *name, int64_t number) {
  int64_t given;
  return psp_text_equal(psp_json_string(json), name) ||
         (psp_json_int64(json, &given) && given == number);
}

/* `name` receives what the operator is called. */
static psprobe_code read_op(const psp_json *json, const enumerator *ops, const char *what,
                            psp_filter_kind *kind, const char **name, psprobe_error *error) {
  int64_t number;
  bool none = json == NULL || psp_enumerator_is(json, "OPERATOR_UNSPECIFIED", 0);
  while (!none && ops->name != NULL && !psp_enumerator_is(json, ops->name, ops->number))
    ops++;
  if (none || (ops->name == NULL && psp_json_int64(json, &number)))
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s operator.", what);
  if (ops->name == NULL) return psp_documents_payload_invalid(error);
  *kind = ops->kind;
  *name = ops->name;
  return PSPROBE_OK;
}

/* The members of any of the three kinds of filter. */
typedef struct members {
  const psp_json *op, *field, *value, *filters;
} members;

static bool read_members(const psp_json *json, members *out) {
  static const psp_field fields[] = {{"op", psp_read_part, offsetof(members, op)},
                                     {"field", psp_read_part, offsetof(members, field)},
                                     {"value", psp_read_part, offsetof(members, value)},
                                     {"filters", psp_read_part, offsetof(members, filters)},
                                     {0}};
  *out = (members){0};
  return psp_fields_read(json, fields, out);
}

static psprobe_code check_operand(const psp_filter *filter, const char *op, psprobe_error *error) {
  bool several = filter->kind == PSP_WHERE_IN || filter->kind == PSP_WHERE_NOT_IN ||
                 filter->kind == PSP_WHERE_ARRAY_CONTAINS_ANY;
  bool is_name = psp_documents_path_is_name(&filter->path);
  if (!several && is_name && filter->value->type != PSPROBE_VALUE_REFERENCE)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "__key__ filter value must be a Key");
  if (!several) return PSPROBE_OK;
  if (filter->value->type != PSPROBE_VALUE_ARRAY)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' requires an ArrayValue.", op);
  size_t count = psprobe_value_count(filter->value);
  if (count == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' requires an non-empty ArrayValue.", op);
  if (count > MAX_IN)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "'%s' supports up to %d comparison values.",
                    op, MAX_IN);
  return PSPROBE_OK;
}

static psprobe_code read_comparison(const members *found, psp_filter *out, psprobe_error *error) {
  const char *op = NULL;
  psprobe_code code = read_op(found->op, field_ops, "Unknown FieldFilter", &out->kind, &op, error);
  if (code == PSPROBE_OK) code = psp_field_reference_read(found->field, &out->path, error);
  if (code == PSPROBE_OK && found->value == NULL)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Cannot convert firestore.v1.Value with type unset.");
  if (code == PSPROBE_OK) code = psp_documents_value_read(found->value, &out->value, error);
  return code != PSPROBE_OK ? code : check_operand(out, op, error);
}

static psprobe_code read_filter(const psp_json *json, psp_filter *out, int depth,
                                psprobe_error *error);

static psprobe_code read_composite(const members *found, psp_filter *out, int depth,
                                   psprobe_error *error) {
  const char *op = NULL;
  psprobe_code code =
      read_op(found->op, composite_ops, "Unsupported CompositeFilter", &out->kind, &op, error);
  size_t count = psp_json_count(found->filters);
  if (code == PSPROBE_OK && count == 0 && out->kind == PSP_WHERE_OR)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Composite filter must have at least one sub-filter.");
  if (code != PSPROBE_OK || count == 0) return code;
  if (!psp_json_is_array(found->filters) || depth > MAX_DEPTH)
    return psp_documents_payload_invalid(error);
  out->parts = calloc(count, sizeof *out->parts);
  if (out->parts == NULL) return psp_fail_memory(error, "filter");
  for (const psp_json *item = psp_json_first(found->filters); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item))
    code = read_filter(item, &out->parts[out->count++], depth + 1, error);
  return code;
}

static psprobe_code read_filter(const psp_json *json, psp_filter *out, int depth,
                                psprobe_error *error) {
  const psp_json *content = psp_json_first(json);
  members found;
  if (!psp_json_is_object(json) || psp_json_count(json) > 1)
    return psp_documents_payload_invalid(error);
  if (content == NULL) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Unknown Filter type.");
  const char *kind = psp_json_key(content);
  if (!read_members(content, &found)) return psp_documents_payload_invalid(error);
  if (psp_field_is(kind, "fieldFilter")) return read_comparison(&found, out, error);
  if (psp_field_is(kind, "compositeFilter")) return read_composite(&found, out, depth, error);
  if (!psp_field_is(kind, "unaryFilter")) return psp_documents_payload_invalid(error);
  const char *op = NULL;
  psprobe_code code = read_op(found.op, unary_ops, "Unknown UnaryFilter", &out->kind, &op, error);
  return code != PSPROBE_OK ? code : psp_field_reference_read(found.field, &out->path, error);
}

psprobe_code psp_filter_read(const psp_json *json, psp_filter *out, psprobe_error *error) {
  return read_filter(json, out, 0, error);
}
