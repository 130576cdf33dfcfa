/* SPDX-License-Identifier: MIT */
#include "local/proto_fields.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/timestamp.h"
#include "local/broker/settings.h"

bool psp_field_is(const char *key, const char *name) {
  if (strcmp(key, name) == 0) return true;
  for (; *name; name++) {
    if (isupper((unsigned char)*name) && *key++ != '_') return false;
    if (*key++ != tolower((unsigned char)*name)) return false;
  }
  return *key == '\0';
}

/* As many as a table has at most; what is said twice counts as it was said last. */
#define MAX_FIELDS 24

bool psp_fields_read(const psp_json *json, const psp_field *fields, void *out) {
  const psp_json *last[MAX_FIELDS] = {0};
  if (!psp_json_is_object(json)) return false;
  for (const psp_json *member = psp_json_first(json); member != NULL;
       member = psp_json_next(member)) {
    size_t i = 0;
    while (fields[i].name != NULL && !psp_field_is(psp_json_key(member), fields[i].name))
      i++;
    if (fields[i].name == NULL || i == MAX_FIELDS) return false;
    last[i] = member;
  }
  for (size_t i = 0; i < MAX_FIELDS && fields[i].name != NULL; i++) {
    if (fields[i].read == NULL || last[i] == NULL || psp_json_is_null(last[i])) continue;
    if (!fields[i].read(last[i], (char *)out + fields[i].offset)) return false;
  }
  return true;
}

/* Texts, and what proto3's reader takes for one: numbers and booleans as they are written. */
static char *text_of(const psp_json *json) {
  const char *plain = psp_json_string(json);
  if (plain != NULL) return psp_strdup(plain);
  if (!psp_json_is_number(json) && !psp_json_is_bool(json)) return NULL;
  psp_buf buf = {0};
  psp_json_writer writer = {.buf = &buf};
  psp_json_put_json(&writer, json);
  return psp_buf_take(&buf, NULL);
}

bool psp_read_text(const psp_json *json, void *out) {
  char *text = text_of(json), **to = out;
  if (text == NULL) return false;
  free(*to);
  *to = *text ? text : NULL;
  if (!*text) free(text);
  return true;
}

bool psp_read_int32(const psp_json *json, void *out) {
  int64_t value;
  if (!psp_json_int64(json, &value) || value < INT32_MIN || value > INT32_MAX) return false;
  *(int *)out = (int)value;
  return true;
}

bool psp_read_bool(const psp_json *json, void *out) {
  const char *text = psp_json_string(json);
  if (text == NULL) return psp_json_bool(json, out);
  *(bool *)out = strcmp(text, "true") == 0;
  return *(bool *)out || strcmp(text, "false") == 0;
}

bool psp_read_span(const psp_json *json, void *out) {
  const char *text = psp_json_string(json);
  return text != NULL && psp_span_parse(text, out);
}

bool psp_read_moment(const psp_json *json, void *out) {
  int64_t seconds, *ns = out;
  int32_t nanos;
  const char *text = psp_json_string(json);
  if (text == NULL || !psp_timestamp_parse(text, strlen(text), &seconds, &nanos)) return false;
  *ns = psp_span_ns((psp_span){true, seconds, nanos});
  return true;
}

bool psp_read_pairs(const psp_json *json, void *out) {
  if (!psp_json_is_object(json)) return false;
  for (const psp_json *member = psp_json_first(json); member != NULL;
       member = psp_json_next(member)) {
    char *value = text_of(member);
    bool put = value != NULL && psp_pairs_put(out, psp_json_key(member), value);
    free(value);
    if (!put) return false;
  }
  return true;
}

bool psp_read_json(const psp_json *json, void *out) {
  psp_buf buf = {0};
  psp_json_writer writer = {.buf = &buf};
  psp_json_put_json(&writer, json);
  char *text = psp_buf_take(&buf, NULL), **to = out;
  if (text == NULL) return false;
  free(*to);
  *to = text;
  return true;
}

bool psp_read_part(const psp_json *json, void *out) {
  *(const psp_json **)out = json;
  return true;
}
