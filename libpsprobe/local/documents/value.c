/* SPDX-License-Identifier: MIT */
#include "local/documents/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/value/json.h"
#include "local/proto_fields.h"

#define DEEPEST 20 /* https://cloud.google.com/firestore/quotas */

psprobe_code psp_documents_payload_invalid(psprobe_error *error) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Payload isn't valid for request.");
}

/* ---- reading ---- */

/* What is wrong with what is read so far. A broken payload is told before anything else. */
typedef struct reading {
  bool broken, unset;
} reading;

static psprobe_value *read_value(const psp_json *json, reading *state);

static psprobe_value *broken(reading *state, psprobe_value *value) {
  state->broken = true;
  psprobe_value_free(value);
  return NULL;
}

/* The only member of an arrayValue or mapValue, which may be missing. False: something else is
 * there. */
static bool only_member(const psp_json *json, const char *name, const psp_json **out) {
  *out = NULL;
  if (!psp_json_is_object(json)) return false;
  for (const psp_json *item = psp_json_first(json); item != NULL; item = psp_json_next(item)) {
    if (strcmp(psp_json_key(item), name) != 0) return false;
    *out = psp_json_is_null(item) ? NULL : item; /* said twice: the last counts */
  }
  return true;
}

static psprobe_value *read_array(const psp_json *json, reading *state) {
  const psp_json *items;
  psprobe_value *array = psprobe_value_array();
  if (!only_member(json, "values", &items) || (items != NULL && !psp_json_is_array(items)))
    return broken(state, array);
  for (const psp_json *item = psp_json_first(items); item != NULL; item = psp_json_next(item))
    if (!psprobe_value_append(array, read_value(item, state))) return broken(state, array);
  return array;
}

static psprobe_value *read_members(const psp_json *json, reading *state) {
  psprobe_value *map = psprobe_value_map();
  if (json != NULL && !psp_json_is_object(json)) return broken(state, map);
  for (const psp_json *item = psp_json_first(json); item != NULL; item = psp_json_next(item))
    if (!psprobe_value_set(map, psp_json_key(item), read_value(item, state)))
      return broken(state, map);
  return map;
}

static psprobe_value *read_map(const psp_json *json, reading *state) {
  const psp_json *fields;
  if (!only_member(json, "fields", &fields)) return broken(state, NULL);
  return read_members(fields, state);
}

/* proto3 takes numbers and booleans for texts. */
static psprobe_value *read_text(const psp_json *json, psprobe_value_type type) {
  char *text = NULL;
  psprobe_value *value = NULL;
  if (psp_read_json(json, &text)) value = psp_value_new_text(type, text, strlen(text));
  free(text);
  return value;
}

/* proto3's reader takes integers in more forms than we write: "1e3", "+5". NULL: none of them. */
static psprobe_value *read_integer(const psp_json *json) {
  const char *text = psp_json_string(json);
  double number;
  int64_t integer;
  if (text == NULL) return NULL;
  if (text[0] == '+' && psp_parse_int64(text + 1, 0, INT64_MAX, &integer))
    return psprobe_value_integer(integer);
  if (!psp_json_double(json, &number) || !(fabs(number) < 0x1p63) || number != trunc(number))
    return NULL;
  return psprobe_value_integer((int64_t)number);
}

static bool read_degrees(const psp_json *json, void *out) {
  return psp_json_double(json, out);
}

/* Numbers and booleans stand for texts. NULL: not here. */
static psprobe_value *read_as_text(const char *name, const psp_json *content) {
  if (!psp_json_is_number(content) && !psp_json_is_bool(content)) return NULL;
  if (psp_field_is(name, "stringValue")) return read_text(content, PSPROBE_VALUE_STRING);
  if (psp_field_is(name, "referenceValue")) return read_text(content, PSPROBE_VALUE_REFERENCE);
  return NULL;
}

static psprobe_value *read_geo_point(const psp_json *json) {
  double degrees[2] = {0};
  static const psp_field fields[] = {
      {"latitude", read_degrees, 0}, {"longitude", read_degrees, sizeof *degrees}, {NULL, NULL, 0}};
  return psp_fields_read(json, fields, degrees) ? psprobe_value_geo_point(degrees[0], degrees[1])
                                                : NULL;
}

/* Whether a later member of the same name takes the place of this one. */
static bool said_again(const psp_json *member) {
  for (const psp_json *next = psp_json_next(member); next != NULL; next = psp_json_next(next))
    if (strcmp(psp_json_key(next), psp_json_key(member)) == 0) return true;
  return false;
}

/* The one member that a value has. What is said twice under one name counts as it was said last, as
 * Google's emulator has it, and null is as good as absent. @return NULL: none; *several: more */
static const psp_json *content_of(const psp_json *json, bool *several) {
  const psp_json *content = NULL;
  *several = false;
  for (const psp_json *item = psp_json_first(json); item != NULL; item = psp_json_next(item)) {
    const bool absent = psp_json_is_null(item) && !psp_field_is(psp_json_key(item), "nullValue");
    if (absent || said_again(item)) continue;
    *several = content != NULL;
    content = item;
    if (*several) return NULL;
  }
  return content;
}

static psprobe_value *read_value(const psp_json *json, reading *state) {
  bool several = !psp_json_is_object(json);
  const psp_json *content = several ? NULL : content_of(json, &several);
  if (several) return broken(state, NULL);
  if (content == NULL) {
    state->unset = true;
    return psprobe_value_null();
  }
  const char *name = psp_json_key(content);
  if (psp_field_is(name, "arrayValue")) return read_array(content, state);
  if (psp_field_is(name, "mapValue")) return read_map(content, state);
  psprobe_value *value =
      psp_field_is(name, "geoPointValue") ? read_geo_point(content) : read_as_text(name, content);
  if (value != NULL) return value;
  if (psp_field_is(name, "geoPointValue")) return broken(state, NULL);
  if (psp_value_decode_member(name, content, &value, NULL) == PSPROBE_OK) return value;
  if (psp_field_is(name, "integerValue")) value = read_integer(content);
  return value != NULL ? value : broken(state, NULL);
}

/* ---- checking ---- */

static psprobe_code check_degrees(const char *what, double degrees, double limit,
                                  psprobe_error *error) {
  if (degrees >= -limit && degrees <= limit) return PSPROBE_OK;
  psp_buf text = {0};
  psp_json_writer w = {.buf = &text, .pretty = true};
  psp_json_put_double(&w, degrees);
  bool quoted = text.data != NULL && text.data[0] == '"';
  psprobe_code code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                               "Geo point %s '%.*s' outside permitted range -%.1f to %.1f.", what,
                               (int)text.len - (quoted ? 2 : 0),
                               text.data != NULL ? text.data + quoted : "", limit, limit);
  psp_buf_free(&text);
  return code;
}

static bool reserved(const char *name) {
  size_t len = strlen(name);
  return len >= 4 && psp_text_starts(name, "__") && psp_text_ends(name, "__");
}

static psprobe_code nested_invalid(const char *field, psprobe_error *error) {
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "Property %s contains an invalid nested entity.",
                  field);
}

/* "projects/p/databases/d" is a name, and of no document. */
static bool names_database(const char *name) {
  const char *database = psp_text_starts(name, "projects/") ? strstr(name, "/databases/") : NULL;
  return database != NULL && strchr(database + strlen("/databases/"), '/') == NULL;
}

/* Where a value stands. */
typedef struct place {
  const char *field; /* of the document */
  int depth;         /* in how many maps */
  bool in_array;
} place;

static psprobe_code check_value(psprobe_value *value, place at, psprobe_error *error);

static psprobe_code check_map(psprobe_value *map, place at, psprobe_error *error) {
  if (at.depth >= DEEPEST) return nested_invalid(at.field, error);
  at.in_array = false;
  at.depth++;
  for (size_t i = 0; i < map->as.list.count; i++) {
    const char *name = map->as.list.keys[i];
    if (!*name || strlen(name) > PSP_FIELD_NAME_MAX) return nested_invalid(at.field, error);
    if (reserved(name))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "field name '%s' is reserved.", name);
    psprobe_code code = check_value(map->as.list.items[i], at, error);
    if (code != PSPROBE_OK) return code;
  }
  return PSPROBE_OK;
}

static psprobe_code check_array(psprobe_value *array, place at, psprobe_error *error) {
  if (at.in_array)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Cannot convert an array value in an array value.");
  at.in_array = true;
  for (size_t i = 0; i < array->as.list.count; i++) {
    psprobe_code code = check_value(array->as.list.items[i], at, error);
    if (code != PSPROBE_OK) return code;
  }
  return PSPROBE_OK;
}

static psprobe_code check_text(const psprobe_value *value, place at, psprobe_error *error) {
  if (value->as.text.len <= PSP_VALUE_TEXT_MAX) return PSPROBE_OK;
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                  "The value of property \"%s\" is longer than %d bytes.", at.field,
                  PSP_VALUE_TEXT_MAX);
}

static psprobe_code check_value(psprobe_value *value, place at, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  switch (value->type) {
    case PSPROBE_VALUE_DOUBLE:
      if (value->as.number == 0) value->as.number = 0; /* -0.0 is stored as 0.0 */
      break;
    case PSPROBE_VALUE_TIMESTAMP:
      value->as.timestamp.nanos -= value->as.timestamp.nanos % 1000; /* cut to microseconds */
      break;
    case PSPROBE_VALUE_STRING:
    case PSPROBE_VALUE_BYTES:
      code = check_text(value, at, error);
      break;
    case PSPROBE_VALUE_REFERENCE:
      if (names_database(value->as.text.data))
        code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                        "Non-document resource reference value not supported.");
      else
        code = psp_documents_name_check("Resource name", value->as.text.data, error);
      break;
    case PSPROBE_VALUE_GEO_POINT:
      code = check_degrees("latitude", value->as.geo.latitude, 90, error);
      if (code == PSPROBE_OK)
        code = check_degrees("longitude", value->as.geo.longitude, 180, error);
      break;
    case PSPROBE_VALUE_ARRAY:
      code = check_array(value, at, error);
      break;
    case PSPROBE_VALUE_MAP:
      code = check_map(value, at, error);
      break;
    case PSPROBE_VALUE_NULL:
    case PSPROBE_VALUE_BOOLEAN:
    case PSPROBE_VALUE_INTEGER:
      break;
  }
  return code;
}

static psprobe_code check_fields(psprobe_value *map, psprobe_error *error) {
  for (size_t i = 0; i < map->as.list.count; i++) {
    const char *name = map->as.list.keys[i];
    if (!*name)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The property.name is the empty string.");
    if (reserved(name))
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "field name %s is reserved", name);
    if (strlen(name) > PSP_FIELD_NAME_MAX)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "The property.name is longer than %d bytes.",
                      PSP_FIELD_NAME_MAX);
    psprobe_code code = check_value(map->as.list.items[i], (place){.field = name}, error);
    if (code != PSPROBE_OK) return code;
  }
  return PSPROBE_OK;
}

static psprobe_code finish(psprobe_value *value, const reading *state, bool fields,
                           psprobe_value **out, psprobe_error *error) {
  psprobe_code code = PSPROBE_OK;
  if (state->broken || value == NULL)
    code = psp_documents_payload_invalid(error);
  else if (state->unset)
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                    "Cannot convert firestore.v1.Value with type unset.");
  else
    code = fields ? check_fields(value, error) : check_value(value, (place){.field = ""}, error);
  if (code != PSPROBE_OK)
    psprobe_value_free(value);
  else
    *out = value;
  return code;
}

psprobe_code psp_documents_fields_read(const psp_json *json, psprobe_value **map,
                                       psprobe_error *error) {
  reading state = {0};
  psprobe_value *value = read_members(psp_json_is_null(json) ? NULL : json, &state);
  return finish(value, &state, true, map, error);
}

psprobe_code psp_documents_value_read(const psp_json *json, psprobe_value **value,
                                      psprobe_error *error) {
  reading state = {0};
  psprobe_value *read = read_value(json, &state);
  return finish(read, &state, false, value, error);
}
