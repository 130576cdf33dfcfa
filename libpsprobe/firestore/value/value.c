/* SPDX-License-Identifier: MIT */
#include "firestore/value/value.h"

#include <stdlib.h>
#include <string.h>

psprobe_value *psp_value_new(psprobe_value_type type) {
  psprobe_value *value = calloc(1, sizeof *value);
  if (value != NULL) value->type = type;
  return value;
}

psprobe_value *psp_value_new_text(psprobe_value_type type, const void *data, size_t len) {
  if (data == NULL && len > 0) return NULL;
  psprobe_value *value = psp_value_new(type);
  if (value == NULL) return NULL;
  char *copy = len < SIZE_MAX ? malloc(len + 1) : NULL;
  if (copy == NULL) {
    free(value);
    return NULL;
  }
  if (len > 0) memcpy(copy, data, len);
  copy[len] = '\0';
  value->as.text.data = copy;
  value->as.text.len = len;
  return value;
}

psprobe_value *psprobe_value_null(void) {
  return psp_value_new(PSPROBE_VALUE_NULL);
}

psprobe_value *psprobe_value_boolean(bool boolean) {
  psprobe_value *value = psp_value_new(PSPROBE_VALUE_BOOLEAN);
  if (value != NULL) value->as.boolean = boolean;
  return value;
}

psprobe_value *psprobe_value_integer(int64_t integer) {
  psprobe_value *value = psp_value_new(PSPROBE_VALUE_INTEGER);
  if (value != NULL) value->as.integer = integer;
  return value;
}

psprobe_value *psprobe_value_double(double number) {
  psprobe_value *value = psp_value_new(PSPROBE_VALUE_DOUBLE);
  if (value != NULL) value->as.number = number;
  return value;
}

psprobe_value *psprobe_value_timestamp(psprobe_timestamp timestamp) {
  psprobe_value *value = psp_value_new(PSPROBE_VALUE_TIMESTAMP);
  if (value != NULL) value->as.timestamp = timestamp;
  return value;
}

psprobe_value *psprobe_value_string(const char *text) {
  return text != NULL ? psp_value_new_text(PSPROBE_VALUE_STRING, text, strlen(text)) : NULL;
}

psprobe_value *psprobe_value_string_n(const char *text, size_t len) {
  return psp_value_new_text(PSPROBE_VALUE_STRING, text, len);
}

psprobe_value *psprobe_value_bytes(const void *data, size_t len) {
  return psp_value_new_text(PSPROBE_VALUE_BYTES, data, len);
}

psprobe_value *psprobe_value_reference(const char *name) {
  return name != NULL ? psp_value_new_text(PSPROBE_VALUE_REFERENCE, name, strlen(name)) : NULL;
}

psprobe_value *psprobe_value_geo_point(double latitude, double longitude) {
  psprobe_value *value = psp_value_new(PSPROBE_VALUE_GEO_POINT);
  if (value != NULL) {
    value->as.geo.latitude = latitude;
    value->as.geo.longitude = longitude;
  }
  return value;
}

psprobe_value *psprobe_value_array(void) {
  return psp_value_new(PSPROBE_VALUE_ARRAY);
}

psprobe_value *psprobe_value_map(void) {
  return psp_value_new(PSPROBE_VALUE_MAP);
}

static bool is_text(psprobe_value_type type) {
  return type == PSPROBE_VALUE_STRING || type == PSPROBE_VALUE_BYTES ||
         type == PSPROBE_VALUE_REFERENCE;
}

static bool is_list(psprobe_value_type type) {
  return type == PSPROBE_VALUE_ARRAY || type == PSPROBE_VALUE_MAP;
}

/* Frees what a list holds but not its items, which must be gone. */
static void list_clear(psp_value_list *list) {
  free(list->items);
  free(list->keys);
  free(list->index);
  memset(list, 0, sizeof *list);
}

/* Frees a value whose items are gone. */
static void free_one(psprobe_value *value) {
  if (is_text(value->type)) free(value->as.text.data);
  if (is_list(value->type)) list_clear(&value->as.list);
  free(value);
}

/* A caller can nest deeper than the stack goes, so this walks instead of calling itself: the place
 * that the item under way had in its list holds the way back. */
void psprobe_value_free(psprobe_value *value) {
  psprobe_value *parent = NULL;
  while (value != NULL) {
    if (is_list(value->type) && value->as.list.count > 0) {
      psp_value_list *list = &value->as.list;
      psprobe_value *item = list->items[--list->count];
      list->items[list->count] = parent;
      if (list->keys != NULL) free(list->keys[list->count]);
      parent = value;
      value = item;
      continue;
    }
    free_one(value);
    value = parent;
    if (parent != NULL) parent = parent->as.list.items[parent->as.list.count];
  }
}

psprobe_value_type psprobe_value_get_type(const psprobe_value *value) {
  return value != NULL ? value->type : PSPROBE_VALUE_NULL;
}

static bool is(const psprobe_value *value, psprobe_value_type type) {
  return value != NULL && value->type == type;
}

bool psprobe_value_get_boolean(const psprobe_value *value, bool *out) {
  if (!is(value, PSPROBE_VALUE_BOOLEAN)) return false;
  *out = value->as.boolean;
  return true;
}

bool psprobe_value_get_integer(const psprobe_value *value, int64_t *out) {
  if (!is(value, PSPROBE_VALUE_INTEGER)) return false;
  *out = value->as.integer;
  return true;
}

bool psprobe_value_get_double(const psprobe_value *value, double *out) {
  if (!is(value, PSPROBE_VALUE_DOUBLE)) return false;
  *out = value->as.number;
  return true;
}

bool psprobe_value_get_timestamp(const psprobe_value *value, psprobe_timestamp *out) {
  if (!is(value, PSPROBE_VALUE_TIMESTAMP)) return false;
  *out = value->as.timestamp;
  return true;
}

bool psprobe_value_get_text(const psprobe_value *value, const char **text, size_t *len) {
  if (!is(value, PSPROBE_VALUE_STRING) && !is(value, PSPROBE_VALUE_REFERENCE)) return false;
  *text = value->as.text.data;
  if (len != NULL) *len = value->as.text.len;
  return true;
}

bool psprobe_value_get_bytes(const psprobe_value *value, const void **data, size_t *len) {
  if (!is(value, PSPROBE_VALUE_BYTES)) return false;
  *data = value->as.text.data;
  *len = value->as.text.len;
  return true;
}

bool psprobe_value_get_geo_point(const psprobe_value *value, double *latitude, double *longitude) {
  if (!is(value, PSPROBE_VALUE_GEO_POINT)) return false;
  *latitude = value->as.geo.latitude;
  *longitude = value->as.geo.longitude;
  return true;
}

const char *psp_value_type_name(psprobe_value_type type) {
  static const char *const names[] = {[PSPROBE_VALUE_NULL] = "a null",
                                      [PSPROBE_VALUE_BOOLEAN] = "a boolean",
                                      [PSPROBE_VALUE_INTEGER] = "an integer",
                                      [PSPROBE_VALUE_DOUBLE] = "a double",
                                      [PSPROBE_VALUE_TIMESTAMP] = "a timestamp",
                                      [PSPROBE_VALUE_STRING] = "a string",
                                      [PSPROBE_VALUE_BYTES] = "bytes",
                                      [PSPROBE_VALUE_REFERENCE] = "a reference",
                                      [PSPROBE_VALUE_GEO_POINT] = "a geo point",
                                      [PSPROBE_VALUE_ARRAY] = "an array",
                                      [PSPROBE_VALUE_MAP] = "a map"};
  return (unsigned)type < sizeof names / sizeof *names ? names[type] : "nothing known";
}
