/* SPDX-License-Identifier: MIT */
#include "firestore/value/json.h"

#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/text.h"
#include "base/timestamp.h"

/* The member of google.firestore.v1.Value for each type, as JSON and as the proto spell it. */
typedef struct spelling {
  const char *camel, *snake;
} spelling;

static const spelling spellings[] = {
    [PSPROBE_VALUE_NULL] = {"nullValue", "null_value"},
    [PSPROBE_VALUE_BOOLEAN] = {"booleanValue", "boolean_value"},
    [PSPROBE_VALUE_INTEGER] = {"integerValue", "integer_value"},
    [PSPROBE_VALUE_DOUBLE] = {"doubleValue", "double_value"},
    [PSPROBE_VALUE_TIMESTAMP] = {"timestampValue", "timestamp_value"},
    [PSPROBE_VALUE_STRING] = {"stringValue", "string_value"},
    [PSPROBE_VALUE_BYTES] = {"bytesValue", "bytes_value"},
    [PSPROBE_VALUE_REFERENCE] = {"referenceValue", "reference_value"},
    [PSPROBE_VALUE_GEO_POINT] = {"geoPointValue", "geo_point_value"},
    [PSPROBE_VALUE_ARRAY] = {"arrayValue", "array_value"},
    [PSPROBE_VALUE_MAP] = {"mapValue", "map_value"},
};

#define TYPES (sizeof spellings / sizeof *spellings)

/* ---- writing ---- */

static void encode_timestamp(psp_json_writer *w, psprobe_timestamp timestamp) {
  char text[PSP_TIMESTAMP_SIZE];
  psp_json_put_string(w, psp_timestamp_format(text, timestamp.seconds, timestamp.nanos));
}

static void encode_coordinate(psp_json_writer *w, const char *key, double degrees) {
  if (degrees == 0) return; /* left out, as the service does: 0/0 is {} */
  psp_json_put_key(w, key);
  psp_json_put_double(w, degrees);
}

static void encode_geo_point(psp_json_writer *w, double latitude, double longitude) {
  psp_json_begin_object(w);
  encode_coordinate(w, "latitude", latitude);
  encode_coordinate(w, "longitude", longitude);
  psp_json_end_object(w);
}

/* Empty ones as the service writes them: {} without values or fields. */
static void encode_list(psp_json_writer *w, const psprobe_value *value) {
  const psp_value_list *list = &value->as.list;
  psp_json_begin_object(w);
  if (list->count > 0 && value->type == PSPROBE_VALUE_MAP) {
    psp_json_put_key(w, "fields");
    psp_fields_encode(w, value);
  } else if (list->count > 0) {
    psp_json_begin_array_member(w, "values");
    for (size_t i = 0; i < list->count; i++)
      psp_value_encode(w, list->items[i]);
    psp_json_end_array(w);
  }
  psp_json_end_object(w);
}

static void encode_content(psp_json_writer *w, const psprobe_value *value) {
  switch (value->type) {
    case PSPROBE_VALUE_NULL:
      psp_json_put_null(w);
      break;
    case PSPROBE_VALUE_BOOLEAN:
      psp_json_put_bool(w, value->as.boolean);
      break;
    case PSPROBE_VALUE_INTEGER:
      psp_json_put_int64_text(w, value->as.integer);
      break;
    case PSPROBE_VALUE_DOUBLE:
      psp_json_put_double(w, value->as.number);
      break;
    case PSPROBE_VALUE_TIMESTAMP:
      encode_timestamp(w, value->as.timestamp);
      break;
    case PSPROBE_VALUE_STRING:
    case PSPROBE_VALUE_REFERENCE:
      psp_json_put_text(w, value->as.text.data, value->as.text.len);
      break;
    case PSPROBE_VALUE_BYTES:
      psp_json_put_base64(w, value->as.text.data, value->as.text.len);
      break;
    case PSPROBE_VALUE_GEO_POINT:
      encode_geo_point(w, value->as.geo.latitude, value->as.geo.longitude);
      break;
    case PSPROBE_VALUE_ARRAY:
    case PSPROBE_VALUE_MAP:
      encode_list(w, value);
      break;
  }
}

void psp_value_encode(psp_json_writer *w, const psprobe_value *value) {
  psp_json_begin_object(w);
  psp_json_put_key(w, spellings[value->type].camel);
  encode_content(w, value);
  psp_json_end_object(w);
}

void psp_fields_encode(psp_json_writer *w, const psprobe_value *map) {
  psp_json_begin_object(w);
  for (size_t i = 0; i < map->as.list.count; i++) {
    psp_json_put_key(w, map->as.list.keys[i]);
    psp_value_encode(w, map->as.list.items[i]);
  }
  psp_json_end_object(w);
}

/* ---- reading ---- */

bool psp_timestamp_decode(const psp_json *json, psprobe_timestamp *timestamp) {
  *timestamp = (psprobe_timestamp){0};
  if (json == NULL || psp_json_is_null(json)) return true;
  const char *text = psp_json_string(json);
  return text != NULL &&
         psp_timestamp_parse(text, strlen(text), &timestamp->seconds, &timestamp->nanos);
}

static psprobe_code not_a(psprobe_error *error, psprobe_value_type type) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s that is not %s", spellings[type].camel,
                  psp_value_type_name(type));
}

static psprobe_code decode_null(const psp_json *json, psprobe_error *error) {
  int64_t number = -1;
  if (psp_json_is_null(json) || psp_text_equal(psp_json_string(json), "NULL_VALUE") ||
      (psp_json_is_number(json) && psp_json_int64(json, &number) && number == 0))
    return PSPROBE_OK;
  return not_a(error, PSPROBE_VALUE_NULL);
}

static bool decode_boolean(const psp_json *json, bool *out) {
  if (psp_json_bool(json, out)) return true;
  const char *text = psp_json_string(json);
  *out = psp_text_equal(text, "true");
  return *out || psp_text_equal(text, "false");
}

static psprobe_code decode_text(const psp_json *json, psprobe_value *value, psprobe_error *error) {
  psp_buf text = {0}, bytes = {0};
  psprobe_code code = PSPROBE_OK;
  bool is_bytes = value->type == PSPROBE_VALUE_BYTES;
  if (!psp_json_text(json, &text))
    code = text.failed ? psp_fail_memory(error, "a value") : not_a(error, value->type);
  else if (is_bytes && !psp_base64_decode(&bytes, text.data, text.len))
    code = bytes.failed
               ? psp_fail_memory(error, "a value")
               : psp_fail(error, PSPROBE_INVALID_ARGUMENT, "bytesValue that is not base64");
  if (code == PSPROBE_OK) {
    value->as.text.data = psp_buf_take(is_bytes ? &bytes : &text, &value->as.text.len);
    if (value->as.text.data == NULL) code = psp_fail_memory(error, "a value");
  }
  psp_buf_free(&text);
  psp_buf_free(&bytes);
  return code;
}

static bool decode_coordinate(const psp_json *point, const char *key, double *out) {
  const psp_json *json = psp_json_get(point, key);
  *out = 0;
  return json == NULL || psp_json_is_null(json) || psp_json_double(json, out);
}

static psprobe_code decode_geo_point(const psp_json *json, psprobe_value *value,
                                     psprobe_error *error) {
  if (!psp_json_is_object(json) || !decode_coordinate(json, "latitude", &value->as.geo.latitude) ||
      !decode_coordinate(json, "longitude", &value->as.geo.longitude))
    return not_a(error, PSPROBE_VALUE_GEO_POINT);
  return PSPROBE_OK;
}

static psprobe_code decode_values(const psp_json *json, psprobe_value *array,
                                  psprobe_error *error) {
  const psp_json *values = psp_json_get(json, "values");
  if (!psp_json_is_object(json)) return not_a(error, PSPROBE_VALUE_ARRAY);
  if (values == NULL || psp_json_is_null(values)) return PSPROBE_OK;
  if (!psp_json_is_array(values)) return not_a(error, PSPROBE_VALUE_ARRAY);
  for (const psp_json *item = psp_json_first(values); item != NULL; item = psp_json_next(item)) {
    psprobe_value *value = NULL;
    psprobe_code code = psp_value_decode(item, &value, error);
    if (code != PSPROBE_OK) return code;
    if (!psprobe_value_append(array, value)) return psp_fail_memory(error, "a value");
  }
  return PSPROBE_OK;
}

static psprobe_code decode_members(const psp_json *fields, psprobe_value *map,
                                   psprobe_error *error) {
  if (fields == NULL || psp_json_is_null(fields)) return PSPROBE_OK;
  if (!psp_json_is_object(fields)) return not_a(error, PSPROBE_VALUE_MAP);
  for (const psp_json *item = psp_json_first(fields); item != NULL; item = psp_json_next(item)) {
    psprobe_value *value = NULL;
    psprobe_code code = psp_value_decode(item, &value, error);
    if (code != PSPROBE_OK) {
      if (error != NULL) psp_fail_in(error, "field %s", psp_json_key(item));
      return code;
    }
    if (!psprobe_value_set(map, psp_json_key(item), value))
      return psp_fail_memory(error, "a value");
  }
  return PSPROBE_OK;
}

static psprobe_code decode_content(const psp_json *json, psprobe_value *value,
                                   psprobe_error *error) {
  bool ok = true;
  switch (value->type) {
    case PSPROBE_VALUE_NULL:
      return decode_null(json, error);
    case PSPROBE_VALUE_BOOLEAN:
      ok = decode_boolean(json, &value->as.boolean);
      break;
    case PSPROBE_VALUE_INTEGER:
      ok = psp_json_int64(json, &value->as.integer);
      break;
    case PSPROBE_VALUE_DOUBLE:
      ok = psp_json_double(json, &value->as.number);
      break;
    case PSPROBE_VALUE_TIMESTAMP:
      ok = !psp_json_is_null(json) && psp_timestamp_decode(json, &value->as.timestamp);
      break;
    case PSPROBE_VALUE_STRING:
    case PSPROBE_VALUE_BYTES:
    case PSPROBE_VALUE_REFERENCE:
      return decode_text(json, value, error);
    case PSPROBE_VALUE_GEO_POINT:
      return decode_geo_point(json, value, error);
    case PSPROBE_VALUE_ARRAY:
      return decode_values(json, value, error);
    case PSPROBE_VALUE_MAP:
      if (!psp_json_is_object(json)) return not_a(error, PSPROBE_VALUE_MAP);
      return decode_members(psp_json_get(json, "fields"), value, error);
  }
  return ok ? PSPROBE_OK : not_a(error, value->type);
}

psprobe_code psp_value_decode(const psp_json *json, psprobe_value **out, psprobe_error *error) {
  if (!psp_json_is_object(json) || psp_json_count(json) != 1)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a value is an object with one member");
  const psp_json *content = psp_json_first(json);
  return psp_value_decode_member(psp_json_key(content), content, out, error);
}

psprobe_code psp_value_decode_member(const char *name, const psp_json *content, psprobe_value **out,
                                     psprobe_error *error) {
  size_t type = 0;
  while (type < TYPES && !psp_text_equal(name, spellings[type].camel) &&
         !psp_text_equal(name, spellings[type].snake))
    type++;
  if (type == TYPES)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a value of unknown type %.40s", name);
  psprobe_value *value = psp_value_new((psprobe_value_type)type);
  if (value == NULL) return psp_fail_memory(error, "a value");
  psprobe_code code = decode_content(content, value, error);
  if (code != PSPROBE_OK) {
    psprobe_value_free(value);
    return code;
  }
  *out = value;
  return PSPROBE_OK;
}

psprobe_code psp_fields_decode(const psp_json *json, psprobe_value **out, psprobe_error *error) {
  psprobe_value *map = psp_value_new(PSPROBE_VALUE_MAP);
  if (map == NULL) return psp_fail_memory(error, "a document");
  psprobe_code code = decode_members(json, map, error);
  if (code != PSPROBE_OK) {
    psprobe_value_free(map);
    return code;
  }
  *out = map;
  return PSPROBE_OK;
}
