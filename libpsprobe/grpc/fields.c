/* SPDX-License-Identifier: MIT */
#include "grpc/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/text.h"

#define EACH 32 /* beside name and value */

static bool add(psp_fields *fields, const char *name, size_t name_len, const void *value,
                size_t len) {
  psp_rpc_field *field = malloc(sizeof *field + name_len + len + 2);
  if (field == NULL) return false;
  char *room = field->name + name_len + 1;
  memcpy(field->name, name, name_len);
  field->name[name_len] = 0;
  if (len > 0) memcpy(room, value, len);
  room[len] = 0;
  field->value = room;
  field->len = len;
  field->next = NULL;
  if (fields->last != NULL)
    fields->last->next = field;
  else
    fields->first = field;
  fields->last = field;
  fields->size += name_len + len + EACH;
  return true;
}

bool psp_fields_add(psp_fields *fields, const char *name, const void *value, size_t len) {
  return add(fields, name, strlen(name), value, len);
}

bool psp_field_is_binary(const char *name) {
  return psp_text_ends(name, "-bin");
}

static bool take_binary(psp_fields *fields, const char *name, size_t name_len, const char *value,
                        size_t len) {
  psp_buf bytes = {0};
  bool good = psp_base64_decode(&bytes, value, len);
  bool ok = !bytes.failed && (!good || add(fields, name, name_len, bytes.data, bytes.len));
  psp_buf_free(&bytes);
  return ok;
}

bool psp_fields_take(psp_fields *fields, const char *name, size_t name_len, const char *value,
                     size_t len) {
  if (name_len < 4 || memcmp(name + name_len - 4, "-bin", 4) != 0)
    return add(fields, name, name_len, value, len);
  bool ok = true;
  while (ok) {
    const char *comma = len > 0 ? memchr(value, ',', len) : NULL;
    size_t one = comma != NULL ? (size_t)(comma - value) : len;
    while (one > 0 && *value == ' ') {
      value++;
      one--;
      len--;
    }
    ok = take_binary(fields, name, name_len, value, one);
    if (comma == NULL) break;
    value = comma + 1;
    len -= one + 1;
  }
  return ok;
}

const psp_rpc_field *psp_fields_get(const psp_fields *fields, const char *name) {
  const psp_rpc_field *field = fields->first;
  while (field != NULL && strcmp(field->name, name) != 0)
    field = field->next;
  return field;
}

void psp_fields_clear(psp_fields *fields) {
  for (psp_rpc_field *field = fields->first, *next; field != NULL; field = next) {
    next = field->next;
    explicit_bzero((char *)field->name, strlen(field->name) + field->len + 1); /* tokens */
    free(field);
  }
  *fields = (psp_fields){0};
}

/* What this floor writes itself, or what has no place in HTTP/2 (RFC 9113, 8.2.2). */
static bool is_ours(const char *name) {
  static const char *const ours[] = {
      "te",         "content-type", "content-length", "connection",        "proxy-connection",
      "keep-alive", "upgrade",      "user-agent",     "transfer-encoding", "host"};
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (name[0] == ours[i][0] && strcmp(name, ours[i]) == 0) return true;
  return psp_text_starts(name, "grpc-");
}

static bool is_name(const char *name) {
  const char *at = name;
  while ((*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == '.' ||
         *at == '-')
    at++;
  return at != name && *at == 0;
}

bool psp_field_check(const char *name, const void *value, size_t len) {
  if (!is_name(name) || is_ours(name)) return false;
  if (psp_field_is_binary(name)) return true;
  const char *text = value;
  for (size_t i = 0; i < len; i++)
    if (text[i] < ' ' || text[i] > '~') return false;
  return len == 0 || (text[0] != ' ' && text[len - 1] != ' ');
}
