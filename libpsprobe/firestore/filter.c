/* SPDX-License-Identifier: MIT */
#include "firestore/filter.h"

#include <math.h>

#include "base/error.h"
#include "firestore/document.h"
#include "firestore/path.h"

enum { DISJUNCTIONS_MAX = 30, NOT_IN_MAX = 10, DEEPEST = 20 };

/* What is asked of a filter's value. */
typedef enum operand { NONE, ONE, MANY, PARTS } operand;

/* How the proto calls an operator. */
static const struct {
  const char *name;
  operand operand;
  bool inequality;
} ops[] = {
    [PSPROBE_FILTER_NONE] = {"OPERATOR_UNSPECIFIED", NONE, false},
    [PSPROBE_EQUAL] = {"EQUAL", ONE, false},
    [PSPROBE_NOT_EQUAL] = {"NOT_EQUAL", ONE, true},
    [PSPROBE_LESS] = {"LESS_THAN", ONE, true},
    [PSPROBE_LESS_OR_EQUAL] = {"LESS_THAN_OR_EQUAL", ONE, true},
    [PSPROBE_GREATER] = {"GREATER_THAN", ONE, true},
    [PSPROBE_GREATER_OR_EQUAL] = {"GREATER_THAN_OR_EQUAL", ONE, true},
    [PSPROBE_ARRAY_CONTAINS] = {"ARRAY_CONTAINS", ONE, false},
    [PSPROBE_ARRAY_CONTAINS_ANY] = {"ARRAY_CONTAINS_ANY", MANY, false},
    [PSPROBE_IN] = {"IN", MANY, false},
    [PSPROBE_NOT_IN] = {"NOT_IN", MANY, true},
    [PSPROBE_IS_NULL] = {"IS_NULL", NONE, false},
    [PSPROBE_IS_NOT_NULL] = {"IS_NOT_NULL", NONE, true},
    [PSPROBE_IS_NAN] = {"IS_NAN", NONE, false},
    [PSPROBE_IS_NOT_NAN] = {"IS_NOT_NAN", NONE, true},
    [PSPROBE_AND] = {"AND", PARTS, false},
    [PSPROBE_OR] = {"OR", PARTS, false},
};

bool psp_filter_is_inequality(psprobe_filter_op op) {
  return ops[op].inequality;
}

/* ---- checking ---- */

static psprobe_code refuse(psprobe_error *error, const char *rule) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s", rule);
}

static psprobe_code check_many(const psprobe_where *filter, psprobe_error *error) {
  size_t count = psprobe_value_count(filter->value);
  int most = filter->op == PSPROBE_NOT_IN ? NOT_IN_MAX : DISJUNCTIONS_MAX;
  if (psprobe_value_get_type(filter->value) == PSPROBE_VALUE_ARRAY && count > 0 &&
      count <= (size_t)most)
    return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s takes an array of 1 to %d values",
                  ops[filter->op].name, most);
}

static psprobe_code check_leaf(const psprobe_where *filter, psprobe_error *error) {
  operand wanted = ops[filter->op].operand;
  psprobe_code code = psp_field_path_parse(filter->field, NULL, error);
  if (code == PSPROBE_OK && wanted == NONE && filter->value != NULL)
    code = refuse(error, "a filter for null or NaN has no value");
  if (code == PSPROBE_OK && wanted != NONE) code = psp_value_check(filter->value, error);
  if (code == PSPROBE_OK && wanted == MANY) code = check_many(filter, error);
  return code;
}

/* What is known of a filter and all its parts. */
typedef struct sum {
  size_t leaves;
  size_t disjunctions; /* of its disjunctive normal form; saturated past the bound */
} sum;

static psprobe_code check(const psprobe_where *filter, int depth, sum *out, psprobe_error *error);

static psprobe_code check_parts(const psprobe_where *filter, int depth, sum *out,
                                psprobe_error *error) {
  bool is_or = filter->op == PSPROBE_OR;
  psprobe_code code = PSPROBE_OK;
  if (filter->part_count == 0 || filter->parts == NULL)
    return refuse(error, "AND and OR take one part or more");
  if (depth == DEEPEST) return refuse(error, "filters are nested more than 20 deep");
  *out = (sum){.disjunctions = is_or ? 0 : 1};
  for (size_t i = 0; code == PSPROBE_OK && i < filter->part_count; i++) {
    sum part = {0};
    code = check(&filter->parts[i], depth + 1, &part, error);
    out->leaves += part.leaves;
    out->disjunctions =
        is_or ? out->disjunctions + part.disjunctions : out->disjunctions * part.disjunctions;
    if (out->disjunctions > DISJUNCTIONS_MAX) out->disjunctions = DISJUNCTIONS_MAX + 1;
  }
  return code;
}

static psprobe_code check(const psprobe_where *filter, int depth, sum *out, psprobe_error *error) {
  if ((unsigned)filter->op > PSPROBE_OR || filter->op == PSPROBE_FILTER_NONE)
    return refuse(error, "an unknown filter operator");
  if (ops[filter->op].operand == PARTS) return check_parts(filter, depth, out, error);
  bool any = filter->op == PSPROBE_IN || filter->op == PSPROBE_ARRAY_CONTAINS_ANY;
  *out = (sum){.leaves = 1, .disjunctions = any ? psprobe_value_count(filter->value) : 1};
  return check_leaf(filter, error);
}

psprobe_code psp_filter_check(const psprobe_where *filter, size_t *leaves, psprobe_error *error) {
  sum all = {0};
  *leaves = 0;
  if (filter->op == PSPROBE_FILTER_NONE) return PSPROBE_OK;
  psprobe_code code = check(filter, 0, &all, error);
  if (code == PSPROBE_OK && all.disjunctions > DISJUNCTIONS_MAX)
    code = refuse(error, "it comes to more than 30 disjunctions, the service's limit");
  if (code != PSPROBE_OK && error != NULL) psp_fail_in(error, "where");
  *leaves = all.leaves;
  return code;
}

/* ---- writing ---- */

void psp_json_put_field(psp_json_writer *w, const char *path) {
  psp_json_begin_object_member(w, "field");
  psp_json_put_key(w, "fieldPath");
  psp_json_put_name(w, path);
  psp_json_end_object(w);
}

static bool is_nan(const psprobe_value *value) {
  double number;
  return psprobe_value_get_double(value, &number) && isnan(number);
}

/* Whether something is null or NaN the service asks in a form of its own. */
static psprobe_filter_op unary_of(const psprobe_where *filter) {
  bool equal = filter->op == PSPROBE_EQUAL;
  if (ops[filter->op].operand == NONE) return filter->op;
  if (!equal && filter->op != PSPROBE_NOT_EQUAL) return PSPROBE_FILTER_NONE;
  if (filter->value->type == PSPROBE_VALUE_NULL)
    return equal ? PSPROBE_IS_NULL : PSPROBE_IS_NOT_NULL;
  if (is_nan(filter->value)) return equal ? PSPROBE_IS_NAN : PSPROBE_IS_NOT_NAN;
  return PSPROBE_FILTER_NONE;
}

static void encode_parts(psp_json_writer *w, const psprobe_where *filter) {
  psp_json_begin_object_member(w, "compositeFilter");
  psp_json_put_member(w, "op", ops[filter->op].name);
  psp_json_begin_array_member(w, "filters");
  for (size_t i = 0; i < filter->part_count; i++)
    psp_filter_encode(w, &filter->parts[i]);
  psp_json_end_array(w);
  psp_json_end_object(w);
}

static void encode_leaf(psp_json_writer *w, const psprobe_where *filter) {
  psprobe_filter_op unary = unary_of(filter);
  bool is_unary = unary != PSPROBE_FILTER_NONE;
  psp_json_begin_object_member(w, is_unary ? "unaryFilter" : "fieldFilter");
  psp_json_put_field(w, filter->field);
  psp_json_put_member(w, "op", ops[is_unary ? unary : filter->op].name);
  if (!is_unary) {
    psp_json_put_key(w, "value");
    psp_value_encode(w, filter->value);
  }
  psp_json_end_object(w);
}

void psp_filter_encode(psp_json_writer *w, const psprobe_where *filter) {
  psp_json_begin_object(w);
  if (ops[filter->op].operand == PARTS)
    encode_parts(w, filter);
  else
    encode_leaf(w, filter);
  psp_json_end_object(w);
}
