/* SPDX-License-Identifier: MIT */
/** @file Field paths: quoted and unquoted segments. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shown.h"
#include "firestore/path.h"

static bool plain_first(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool plain(char c) {
  return plain_first(c) || (c >= '0' && c <= '9');
}

/* Reads a name without quotes. @return what comes after it, or NULL */
static const char *read_plain(const char *at, psp_buf *name) {
  const char *from = at;
  if (!plain_first(*at)) return NULL;
  while (plain(*at))
    at++;
  psp_buf_add(name, from, (size_t)(at - from));
  return at;
}

/* Reads a name from its opening backquote on. @return what comes after the closing one, or NULL */
static const char *read_quoted(const char *at, psp_buf *name) {
  for (at++; *at != '`'; at++) {
    if (*at == '\\' && *++at != '`' && *at != '\\') return NULL;
    if (*at == '\0') return NULL;
    psp_buf_char(name, *at);
  }
  return at + 1;
}

static psprobe_code bad_path(psprobe_error *error, const char *path, const char *rule) {
  return psp_setting_refuse(error, "field path", path, "%s", rule);
}

/* One name after the other, each zero-terminated. @return the rule broken, or NULL */
static const char *read_names(const char *path, psp_buf *names) {
  const char *at = path, *why = NULL;
  for (;;) {
    size_t start = names->len;
    at = *at == '`' ? read_quoted(at, names) : read_plain(at, names);
    if (at == NULL || (*at && *at != '.'))
      return "names other than [a-zA-Z_][a-zA-Z_0-9]* stand in backquotes, "
             "with \\` and \\\\ for ` and \\ in them";
    psp_buf_char(names, '\0');
    if (names->failed) return NULL;
    if (!psp_field_name_check(names->data + start, &why) && strcmp(path, "__name__") != 0)
      return why;
    if (*at == '\0')
      return names->len - 1 > PSP_FIELD_NAME_MAX ? "it is longer than 1500 bytes" : NULL;
    at++;
  }
}

psprobe_code psp_field_path_parse(const char *path, psp_buf *names, psprobe_error *error) {
  psp_buf own = {0};
  if (path == NULL) return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "no field path was given");
  const char *rule = read_names(path, &own);
  psprobe_code code = PSPROBE_OK;
  if (rule != NULL) code = bad_path(error, path, rule);
  if (rule == NULL && names != NULL) psp_buf_add(names, own.data, own.len);
  if (rule == NULL && (own.failed || (names != NULL && names->failed)))
    code = psp_fail_memory(error, "a field path");
  psp_buf_free(&own);
  return code;
}

void psp_field_path_quote(psp_buf *out, const char *name) {
  const char *at = name;
  if (plain_first(*at))
    while (plain(*at))
      at++;
  if (at != name && *at == '\0') {
    psp_buf_text(out, name);
    return;
  }
  psp_buf_char(out, '`');
  for (at = name; *at; at++) {
    if (*at == '`' || *at == '\\') psp_buf_char(out, '\\');
    psp_buf_char(out, *at);
  }
  psp_buf_char(out, '`');
}

/* What the names that psp_field_path_parse gave lead to in a map, or NULL. */
static const psprobe_value *find_names(const psprobe_value *map, const psp_buf *names) {
  for (size_t at = 0; map != NULL && at < names->len; at += strlen(names->data + at) + 1)
    map = psprobe_value_find(map, names->data + at);
  return map;
}

psprobe_code psp_value_find_path(const psprobe_value *map, const char *path,
                                 const psprobe_value **found, psprobe_error *error) {
  psp_buf names = {0};
  psprobe_code code = psp_field_path_parse(path, &names, error);
  if (code == PSPROBE_OK) *found = find_names(map, &names);
  psp_buf_free(&names);
  return code;
}
