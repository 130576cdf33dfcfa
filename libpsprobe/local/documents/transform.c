/* SPDX-License-Identifier: MIT */
/** @file Field transforms: what the server makes of a field by itself. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "local/documents/query.h"
#include "local/documents/write.h"
#include "local/proto_fields.h"

/* ---- reading ---- */

static psprobe_code need_number(const psp_transform *transform, psprobe_error *error) {
  psprobe_value_type type = psprobe_value_get_type(transform->operand);
  if (type == PSPROBE_VALUE_INTEGER || type == PSPROBE_VALUE_DOUBLE) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Input must be int64 or double.");
}

static psprobe_code read_time(const psp_json *json, psp_transform *out, psprobe_error *error) {
  out->kind = PSP_TRANSFORM_TIME;
  if (psp_enumerator_is(json, "REQUEST_TIME", 1)) return PSPROBE_OK;
  if (!psp_enumerator_is(json, "SERVER_VALUE_UNSPECIFIED", 0))
    return psp_documents_payload_invalid(error);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "ServerValue type must be specified for set_to_server_value transformation.");
}

/* The operand of a transform of arrays is an ArrayValue, not a Value. */
static psprobe_code read_array(const psp_json *json, psp_transform *out, psprobe_error *error) {
  const psp_json *values = psp_json_get(json, "values");
  out->operand = psprobe_value_array();
  if (!psp_json_is_object(json) || (values != NULL && !psp_json_is_array(values)))
    return psp_documents_payload_invalid(error);
  for (const psp_json *item = psp_json_first(values); item != NULL; item = psp_json_next(item)) {
    psprobe_value *value = NULL;
    psprobe_code code = psp_documents_value_read(item, &value, error);
    if (code != PSPROBE_OK) return code;
    if (!psprobe_value_append(out->operand, value)) return psp_fail_memory(error, "transform");
  }
  return out->operand != NULL ? PSPROBE_OK : psp_fail_memory(error, "transform");
}

static psprobe_code read_operation(const psp_json *member, psp_transform *out,
                                   psprobe_error *error) {
  static const struct {
    const char *name;
    psp_transform_kind kind;
  } kinds[] = {{"increment", PSP_TRANSFORM_INCREMENT},
               {"maximum", PSP_TRANSFORM_MAXIMUM},
               {"minimum", PSP_TRANSFORM_MINIMUM},
               {"appendMissingElements", PSP_TRANSFORM_APPEND},
               {"removeAllFromArray", PSP_TRANSFORM_REMOVE}};
  if (out->kind) return psp_documents_payload_invalid(error); /* one at most */
  if (psp_field_is(psp_json_key(member), "setToServerValue")) return read_time(member, out, error);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (psp_field_is(psp_json_key(member), kinds[i].name)) out->kind = kinds[i].kind;
  if (!out->kind) return psp_documents_payload_invalid(error);
  if (out->kind >= PSP_TRANSFORM_APPEND) return read_array(member, out, error);
  psprobe_code code = psp_documents_value_read(member, &out->operand, error);
  return code != PSPROBE_OK ? code : need_number(out, error);
}

static psprobe_code read_one(const psp_json *json, psp_transform *out, psprobe_error *error) {
  const char *path = "";
  psprobe_code code = PSPROBE_OK;
  if (!psp_json_is_object(json)) return psp_documents_payload_invalid(error);
  for (const psp_json *member = psp_json_first(json); member != NULL && code == PSPROBE_OK;
       member = psp_json_next(member)) {
    if (!psp_field_is(psp_json_key(member), "fieldPath"))
      code = read_operation(member, out, error);
    else if ((path = psp_json_string(member)) == NULL)
      code = psp_documents_payload_invalid(error);
  }
  if (code == PSPROBE_OK && !out->kind)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Operation type must be specified for field transformation.");
  return code != PSPROBE_OK ? code : psp_documents_path_parse(path, &out->path, error);
}

psprobe_code psp_transforms_read(const psp_json *json, psp_local_write *out, psprobe_error *error) {
  if (json == NULL || psp_json_is_null(json)) return PSPROBE_OK;
  if (!psp_json_is_array(json)) return psp_documents_payload_invalid(error);
  out->transforms = calloc(psp_json_count(json) + 1, sizeof *out->transforms);
  if (out->transforms == NULL) return psp_fail_memory(error, "transforms");
  psprobe_code code = PSPROBE_OK;
  for (const psp_json *item = psp_json_first(json); item != NULL && code == PSPROBE_OK;
       item = psp_json_next(item))
    code = read_one(item, &out->transforms[out->transform_count++], error);
  return code;
}

/* ---- doing ---- */

static bool is_number(const psprobe_value *value) {
  return value != NULL &&
         (value->type == PSPROBE_VALUE_INTEGER || value->type == PSPROBE_VALUE_DOUBLE);
}

static double number(const psprobe_value *value) {
  return value->type == PSPROBE_VALUE_INTEGER ? (double)value->as.integer : value->as.number;
}

/* Integers stop at the ends of their range (document.proto, FieldTransform.increment). */
static psprobe_value *sum(const psprobe_value *old, const psprobe_value *by) {
  if (!is_number(old)) return psp_value_copy(by);
  if (old->type != PSPROBE_VALUE_INTEGER || by->type != PSPROBE_VALUE_INTEGER)
    return psprobe_value_double(number(old) + number(by));
  int64_t total;
  if (__builtin_add_overflow(old->as.integer, by->as.integer, &total))
    total = by->as.integer > 0 ? INT64_MAX : INT64_MIN;
  return psprobe_value_integer(total);
}

/* Of two that are equal the old one stays. */
static psprobe_value *extreme(const psprobe_value *old, const psprobe_value *other, int sign) {
  bool keep = is_number(old) && sign * psp_value_compare(old, other) >= 0;
  return psp_value_copy(keep ? old : other);
}

static bool contains(const psprobe_value *array, const psprobe_value *item) {
  const psprobe_value *each;
  for (size_t i = 0; (each = psprobe_value_at(array, i, NULL)) != NULL; i++)
    if (psp_value_compare(each, item) == 0) return true;
  return false;
}

/* Adds to `to` each item of `from` that `unless` has not. */
static bool add_items(psprobe_value *to, const psprobe_value *from, const psprobe_value *unless) {
  const psprobe_value *item;
  for (size_t i = 0; (item = psprobe_value_at(from, i, NULL)) != NULL; i++)
    if (!contains(unless, item) && !psprobe_value_append(to, psp_value_copy(item))) return false;
  return true;
}

static psprobe_value *changed_array(const psprobe_value *old, const psp_transform *transform) {
  psprobe_value *array = psprobe_value_array(), *none = psprobe_value_array();
  if (old != NULL && old->type != PSPROBE_VALUE_ARRAY) old = NULL;
  bool append = transform->kind == PSP_TRANSFORM_APPEND;
  bool ok = array != NULL && none != NULL &&
            add_items(array, old, append ? none : transform->operand) &&
            (!append || add_items(array, transform->operand, array));
  psprobe_value_free(none);
  if (ok) return array;
  psprobe_value_free(array);
  return NULL;
}

psprobe_code psp_transform_apply(const psp_transform *transform, int64_t now_us,
                                 psprobe_value *fields, psprobe_value **result,
                                 psprobe_error *error) {
  const psprobe_value *old = psp_documents_path_find(fields, &transform->path);
  psprobe_value *made = NULL;
  switch (transform->kind) {
    case PSP_TRANSFORM_TIME: /* to the millisecond, as the emulator stores it */
      made = psprobe_value_timestamp((psprobe_timestamp){
          .seconds = now_us / 1000000, .nanos = (int32_t)(now_us % 1000000 / 1000 * 1000000)});
      break;
    case PSP_TRANSFORM_INCREMENT:
      made = sum(old, transform->operand);
      break;
    case PSP_TRANSFORM_MAXIMUM:
      made = extreme(old, transform->operand, 1);
      break;
    case PSP_TRANSFORM_MINIMUM:
      made = extreme(old, transform->operand, -1);
      break;
    case PSP_TRANSFORM_APPEND:
    case PSP_TRANSFORM_REMOVE:
      made = changed_array(old, transform);
      break;
  }
  *result = transform->kind >= PSP_TRANSFORM_APPEND ? psprobe_value_null() : psp_value_copy(made);
  if (made != NULL && *result != NULL && psp_documents_path_put(fields, &transform->path, made))
    return PSPROBE_OK;
  if (*result == NULL) psprobe_value_free(made);
  return psp_fail_memory(error, "transform");
}
