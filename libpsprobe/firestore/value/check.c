/* SPDX-License-Identifier: MIT */
/** @file A value against the service's limits. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "firestore/path.h"
#include "firestore/value/value.h"

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z (google/protobuf/timestamp.proto). */
#define TIMESTAMP_MIN INT64_C(-62135596800)
#define TIMESTAMP_MAX INT64_C(253402300799)

/* Where in the document a value stands, told only when something is wrong with it. */
typedef struct place {
  const struct place *in;
  const char *key; /* NULL: an item of an array */
  size_t index;
} place;

typedef struct place_text {
  char text[160];
} place_text;

static void tell(const place *at, place_text *out) {
  size_t used = 0;
  if (at->in != NULL) tell(at->in, out);
  if (at->in != NULL) used = strlen(out->text);
  size_t room = sizeof out->text - used;
  if (at->key != NULL)
    snprintf(out->text + used, room, "%s%s", used ? "." : "field ", at->key);
  else
    snprintf(out->text + used, room, "[%zu]", at->index);
}

static psprobe_code refuse(psprobe_error *error, const place *at, const char *rule) {
  place_text where = {"the value"};
  if (at != NULL) tell(at, &where);
  return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: %s", where.text, rule);
}

static bool is_list(const psprobe_value *value) {
  return value->type == PSPROBE_VALUE_ARRAY || value->type == PSPROBE_VALUE_MAP;
}

bool psp_field_name_check(const char *name, const char **why) {
  size_t len = strlen(name);
  *why = NULL;
  if (len == 0) *why = "a field's name is empty";
  if (len > PSP_FIELD_NAME_MAX) *why = "a field's name is longer than 1500 bytes";
  if (len >= 4 && psp_text_starts(name, "__") && psp_text_ends(name, "__"))
    *why = "names of the form __x__ are Firestore's own";
  if (!psp_name_utf8(name, len)) *why = "a field's name is not UTF-8";
  return *why == NULL;
}

static const char *text_rule(const psprobe_value *value) {
  const char *data = value->as.text.data;
  size_t len = value->as.text.len;
  if (len > PSP_VALUE_TEXT_MAX) return "longer than 1048487 bytes";
  if (value->type != PSPROBE_VALUE_BYTES && !psp_utf8_valid(data, len)) return "not UTF-8";
  if (value->type == PSPROBE_VALUE_REFERENCE && !psp_name_is_document(data, len))
    return "a reference is a document's full name, "
           "projects/P/databases/D/documents/COLLECTION/ID";
  return NULL;
}

/* The rule that a value without items breaks, or NULL. */
static const char *scalar_rule(const psprobe_value *value) {
  switch (value->type) {
    case PSPROBE_VALUE_TIMESTAMP: {
      psprobe_timestamp t = value->as.timestamp;
      if (t.seconds < TIMESTAMP_MIN || t.seconds > TIMESTAMP_MAX)
        return "a timestamp is in the years 0001 to 9999";
      return t.nanos < 0 || t.nanos > 999999999 ? "nanoseconds are 0 to 999999999" : NULL;
    }
    case PSPROBE_VALUE_GEO_POINT:
      if (!(fabs(value->as.geo.latitude) <= 90)) return "a latitude is -90 to 90";
      return !(fabs(value->as.geo.longitude) <= 180) ? "a longitude is -180 to 180" : NULL;
    case PSPROBE_VALUE_STRING:
    case PSPROBE_VALUE_BYTES:
    case PSPROBE_VALUE_REFERENCE:
      return text_rule(value);
    default:
      return NULL;
  }
}

static psprobe_code check_items(const psprobe_value *list, const place *at, int depth,
                                psprobe_error *error);

static psprobe_code check_one(const psprobe_value *value, const place *at, int depth,
                              psprobe_error *error) {
  const char *rule = scalar_rule(value);
  if (rule != NULL) return refuse(error, at, rule);
  if (!is_list(value)) return PSPROBE_OK;
  if (depth >= PSP_VALUE_DEPTH)
    return refuse(error, at, "arrays and maps are nested more than 20 deep");
  return check_items(value, at, depth + 1, error);
}

static psprobe_code check_items(const psprobe_value *list, const place *at, int depth,
                                psprobe_error *error) {
  size_t count = psprobe_value_count(list);
  for (size_t i = 0; i < count; i++) {
    place here = {at, NULL, i};
    const psprobe_value *item = psprobe_value_at(list, i, &here.key);
    const char *why = NULL;
    if (here.key != NULL && !psp_field_name_check(here.key, &why)) return refuse(error, &here, why);
    if (here.key == NULL && item->type == PSPROBE_VALUE_ARRAY)
      return refuse(error, &here, "an array cannot stand directly in an array: put a map between");
    psprobe_code code = check_one(item, &here, depth, error);
    if (code != PSPROBE_OK) return code;
  }
  return PSPROBE_OK;
}

psprobe_code psp_fields_check(const psprobe_value *fields, psprobe_error *error) {
  if (fields == NULL || fields->type != PSPROBE_VALUE_MAP)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "a document's fields are a map, not %s",
                    fields != NULL ? psp_value_type_name(fields->type) : "nothing");
  return check_items(fields, NULL, 0, error);
}

psprobe_code psp_value_check(const psprobe_value *value, psprobe_error *error) {
  if (value == NULL) return refuse(error, NULL, "there is none");
  return check_one(value, NULL, 0, error);
}
