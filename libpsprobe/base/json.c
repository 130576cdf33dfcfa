/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* A psp_json is a cJSON; only this file knows. */
static const cJSON *in(const psp_json *json) {
  return (const cJSON *)(const void *)json;
}
static const psp_json *out_of(const cJSON *json) {
  return (const psp_json *)(const void *)json;
}

psprobe_code psp_json_parse(const char *text, size_t len, const char *what, psp_json **json,
                            psprobe_error *error) {
  psp_buf changed = {0};
  psp_json_fault fault;
  static const psp_json_rules rules = {.depth = PSP_JSON_DEPTH};
  if (!psp_json_check(text, len, &rules, &changed, &fault)) {
    psp_buf_free(&changed);
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s is not good JSON: at byte %zu, %s", what,
                    fault.at, fault.why);
  }
  cJSON *tree = NULL;
  if (changed.len > 0 && !changed.failed)
    tree = cJSON_ParseWithLengthOpts(changed.data, changed.len, NULL, 0);
  else if (!changed.failed)
    tree = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
  psp_buf_free(&changed);
  if (tree == NULL) return psp_fail_memory(error, what);
  *json = (psp_json *)(void *)tree;
  return PSPROBE_OK;
}

void psp_json_free(psp_json *json) {
  cJSON_Delete((cJSON *)(void *)json);
}

/* The spelling of a number that is kept as text, or NULL; the others are short integers. */
static const char *spelled_number(const psp_json *json) {
  static const size_t mark = sizeof PSP_JSON_NUMBER - 1;
  if (!cJSON_IsString(in(json))) return NULL;
  const char *text = in(json)->valuestring;
  return strncmp(text, PSP_JSON_NUMBER, mark) == 0 ? text + mark : NULL;
}

bool psp_json_is_object(const psp_json *json) {
  return cJSON_IsObject(in(json));
}
bool psp_json_is_array(const psp_json *json) {
  return cJSON_IsArray(in(json));
}
bool psp_json_is_bool(const psp_json *json) {
  return cJSON_IsBool(in(json));
}
bool psp_json_is_null(const psp_json *json) {
  return cJSON_IsNull(in(json));
}

bool psp_json_is_string(const psp_json *json) {
  return cJSON_IsString(in(json)) && spelled_number(json) == NULL;
}

bool psp_json_is_number(const psp_json *json) {
  return cJSON_IsNumber(in(json)) || spelled_number(json) != NULL;
}

const psp_json *psp_json_get(const psp_json *object, const char *key) {
  const psp_json *found = NULL;
  if (!psp_json_is_object(object)) return NULL;
  for (const psp_json *item = psp_json_first(object); item != NULL; item = psp_json_next(item))
    if (psp_text_equal(psp_json_key(item), key)) found = item;
  return found;
}

const psp_json *psp_json_get2(const psp_json *object, const char *key, const char *other) {
  const psp_json *found = psp_json_get(object, key);
  return found != NULL ? found : psp_json_get(object, other);
}

size_t psp_json_count(const psp_json *json) {
  size_t count = 0;
  for (const psp_json *item = psp_json_first(json); item != NULL; item = psp_json_next(item))
    count++;
  return count;
}

const psp_json *psp_json_first(const psp_json *json) {
  return json == NULL ? NULL : out_of(in(json)->child);
}

const psp_json *psp_json_next(const psp_json *item) {
  return item == NULL ? NULL : out_of(in(item)->next);
}

const char *psp_json_key(const psp_json *member) {
  if (member == NULL) return NULL;
  return in(member)->string != NULL ? in(member)->string : "";
}

const char *psp_json_string(const psp_json *json) {
  if (!psp_json_is_string(json)) return NULL;
  const char *text = in(json)->valuestring;
  return strstr(text, PSP_JSON_ZERO) == NULL ? text : NULL;
}

bool psp_json_text(const psp_json *json, psp_buf *out) {
  if (!psp_json_is_string(json)) return false;
  const char *text = in(json)->valuestring;
  for (const char *zero; (zero = strstr(text, PSP_JSON_ZERO)) != NULL; text = zero + 2) {
    psp_buf_add(out, text, (size_t)(zero - text));
    psp_buf_char(out, '\0');
  }
  psp_buf_text(out, text);
  return !out->failed;
}

bool psp_json_int64(const psp_json *json, int64_t *out) {
  const char *text = spelled_number(json);
  if (text == NULL) text = psp_json_string(json);
  if (text != NULL && psp_parse_int64(text, INT64_MIN, INT64_MAX, out)) return true;
  if (text != NULL && strpbrk(text, ".eE") == NULL) return false; /* whole, but out of range */
  double value;
  if (!psp_json_is_number(json) || !psp_json_double(json, &value)) return false;
  if (!(value >= -0x1p63 && value < 0x1p63) || value != trunc(value)) return false;
  *out = (int64_t)value;
  return true;
}

static bool read_double(const char *text, double *out) {
  if (text[0] == '\0' || psp_json_number_length(text, strlen(text)) != strlen(text)) return false;
  double value = psp_json_number(text);
  if (!isfinite(value)) return false;
  *out = value;
  return true;
}

bool psp_json_double(const psp_json *json, double *out) {
  const char *text = spelled_number(json);
  if (text != NULL) return read_double(text, out);
  text = psp_json_string(json);
  if (text == NULL) {
    if (!cJSON_IsNumber(in(json))) return false;
    *out = in(json)->valuedouble;
  } else if (strcmp(text, "NaN") == 0) {
    *out = (double)NAN;
  } else if (strcmp(text, "Infinity") == 0) {
    *out = (double)INFINITY;
  } else if (strcmp(text, "-Infinity") == 0) {
    *out = -(double)INFINITY;
  } else {
    return read_double(text, out);
  }
  return true;
}

bool psp_json_bool(const psp_json *json, bool *out) {
  if (!psp_json_is_bool(json)) return false;
  *out = cJSON_IsTrue(in(json));
  return true;
}

/* Objects and arrays; recursion ends with the depth that the reader allows. */
static void put_children(psp_json_writer *w, const psp_json *json) {
  bool object = psp_json_is_object(json);
  for (const psp_json *item = psp_json_first(json); item != NULL; item = psp_json_next(item)) {
    if (object) psp_json_put_key(w, psp_json_key(item));
    psp_json_put_json(w, item);
  }
}

void psp_json_put_json(psp_json_writer *w, const psp_json *json) {
  const char *number = spelled_number(json);
  bool truth = false;
  if (psp_json_is_object(json)) {
    psp_json_begin_object(w);
    put_children(w, json);
    psp_json_end_object(w);
  } else if (psp_json_is_array(json)) {
    psp_json_begin_array(w);
    put_children(w, json);
    psp_json_end_array(w);
  } else if (number != NULL) {
    psp_json_put_raw(w, number, strlen(number));
  } else if (psp_json_is_string(json)) {
    psp_buf text = {0};
    if (!psp_json_text(json, &text)) w->buf->failed = true;
    psp_json_put_text(w, text.data, text.len);
    psp_buf_free(&text);
  } else if (psp_json_is_number(json)) {
    psp_json_put_int64(w, (int64_t)in(json)->valuedouble);
  } else if (psp_json_bool(json, &truth)) {
    psp_json_put_bool(w, truth);
  } else {
    psp_json_put_null(w);
  }
}
