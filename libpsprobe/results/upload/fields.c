/* SPDX-License-Identifier: MIT */
#include "results/upload/fields.h"

#include <string.h>

#define BILLION INT64_C(1000000000)

void psp_field_put(psprobe_value *map, const char *key, psprobe_value *value, bool *good) {
  *good = psprobe_value_set(map, key, value) && *good;
}

psprobe_value *psp_fields_finish(psprobe_value *map, bool good) {
  if (good) return map;
  psprobe_value_free(map);
  return NULL;
}

psprobe_value *psp_field_time(int64_t wall_ns) {
  psprobe_timestamp value = {.seconds = wall_ns / BILLION, .nanos = (int32_t)(wall_ns % BILLION)};
  if (value.nanos < 0) {
    value.nanos += (int32_t)BILLION;
    value.seconds--;
  }
  return psprobe_value_timestamp(value);
}

psprobe_value *psp_field_known(bool known, int64_t number) {
  return known ? psprobe_value_integer(number) : psprobe_value_null();
}

psprobe_value *psp_field_text(const char *text) {
  return text != NULL ? psprobe_value_string(text) : psprobe_value_null();
}

int64_t psp_field_number(const psprobe_value *map, const char *key, int64_t otherwise) {
  psprobe_value_get_integer(psprobe_value_find(map, key), &otherwise);
  return otherwise;
}

const char *psp_field_string(const psprobe_value *map, const char *key) {
  const psprobe_value *value = psprobe_value_find(map, key);
  const char *text = NULL;
  size_t len = 0;
  if (psprobe_value_get_type(value) != PSPROBE_VALUE_STRING) return NULL;
  return psprobe_value_get_text(value, &text, &len) && strlen(text) == len ? text : NULL;
}

int64_t psp_field_moment(const psprobe_value *map, const char *key) {
  psprobe_timestamp value;
  if (!psprobe_value_get_timestamp(psprobe_value_find(map, key), &value)) return 0;
  if (value.seconds >= INT64_MAX / BILLION || value.seconds <= -(INT64_MAX / BILLION)) return 0;
  return value.seconds * BILLION + value.nanos;
}
