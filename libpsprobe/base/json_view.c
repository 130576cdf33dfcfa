/* SPDX-License-Identifier: MIT */
#include "base/json_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_check.h"
#include "base/text.h"
#include "base/utf8.h"

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    p++;
  return p;
}

/* The next one to four bytes of a string's text, unescaped; moves `p` on. */
static size_t unescape(const char **p, char out[4]) {
  const char *c = *p;
  if (*c != '\\') {
    out[0] = *c;
    *p = c + 1;
    return 1;
  }
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (c[1] != 'u') {
    out[0] = to[strchr(from, c[1]) - from];
    *p = c + 2;
    return 1;
  }
  int code = psp_json_hex4(c + 2);
  *p = c + 6;
  if (code >= 0xd800 && code < 0xdc00) { /* the check saw to it that the other half follows */
    code = 0x10000 + ((code - 0xd800) << 10) + (psp_json_hex4(c + 8) - 0xdc00);
    *p = c + 12;
  }
  return psp_utf8_put((uint32_t)code, out);
}

static const char *skip_string(const char *p) {
  for (p++; *p != '"'; p++)
    if (*p == '\\') p++;
  return p + 1;
}

/* Past one value of a checked text. */
static const char *skip_value(const char *p) {
  if (*p == '"') return skip_string(p);
  if (*p == '{' || *p == '[') {
    int depth = 0;
    do {
      if (*p == '"') {
        p = skip_string(p);
        continue;
      }
      if (*p == '{' || *p == '[') depth++;
      if (*p == '}' || *p == ']') depth--;
      p++;
    } while (depth > 0);
    return p;
  }
  /* A number or a word: a comma, a bracket or white space comes after it. */
  while (*p != ',' && *p != '}' && *p != ']' && *p > ' ')
    p++;
  return p;
}

static psp_view view_at(const char *p) {
  psp_view view = {.at = p};
  switch (*p) {
    case '{':
      view.type = PSP_VIEW_OBJECT;
      break;
    case '[':
      view.type = PSP_VIEW_ARRAY;
      break;
    case '"':
      view.type = PSP_VIEW_STRING;
      break;
    case 't':
      view.type = PSP_VIEW_TRUE;
      break;
    case 'f':
      view.type = PSP_VIEW_FALSE;
      break;
    case 'n':
      view.type = PSP_VIEW_NULL;
      break;
    default:
      view.type = PSP_VIEW_NUMBER;
      break;
  }
  view.len = (size_t)(skip_value(p) - p);
  return view;
}

/* To the next item: false at the closing bracket. */
static bool advance(psp_view list, psp_view_cursor *cursor) {
  const char *end = list.at + list.len - 1; /* the bracket */
  const char *p = cursor->at != NULL ? cursor->at : list.at + 1;
  p = skip_space(p, end);
  if (p < end && *p == ',') p = skip_space(p + 1, end);
  cursor->at = p;
  return p < end;
}

bool psp_view_next(psp_view array, psp_view_cursor *cursor, psp_view *item) {
  if (array.type != PSP_VIEW_ARRAY || !advance(array, cursor)) return false;
  *item = view_at(cursor->at);
  cursor->at += item->len;
  return true;
}

bool psp_view_next_member(psp_view object, psp_view_cursor *cursor, psp_view *name,
                          psp_view *value) {
  if (object.type != PSP_VIEW_OBJECT || !advance(object, cursor)) return false;
  const char *end = object.at + object.len;
  *name = view_at(cursor->at);
  const char *p = skip_space(cursor->at + name->len, end);
  p = skip_space(p + 1, end); /* the colon */
  *value = view_at(p);
  cursor->at = p + value->len;
  return true;
}

psp_view psp_view_get(psp_view object, const char *name) {
  psp_view_cursor cursor = {0};
  psp_view key, value;
  while (psp_view_next_member(object, &cursor, &key, &value))
    if (psp_view_equals(key, name)) return value;
  return (psp_view){0};
}

/* The unescaped bytes of a string, one by one. */
typedef struct byte_reader {
  const char *p, *end;
  char bytes[4];
  size_t count, next;
} byte_reader;

static byte_reader read_bytes(psp_view string) {
  return (byte_reader){.p = string.at + 1, .end = string.at + string.len - 1};
}

/* -1 at the end. */
static int next_byte(byte_reader *r) {
  if (r->next == r->count) {
    if (r->p == r->end) return -1;
    r->count = unescape(&r->p, r->bytes);
    r->next = 0;
  }
  return (unsigned char)r->bytes[r->next++];
}

bool psp_view_equals(psp_view string, const char *text) {
  if (string.type != PSP_VIEW_STRING) return false;
  size_t raw = string.len - 2;
  if (memchr(string.at + 1, '\\', raw) == NULL) /* nothing is escaped, as nearly always */
    return strncmp(text, string.at + 1, raw) == 0 && text[raw] == 0;
  byte_reader r = read_bytes(string);
  int byte;
  while ((byte = next_byte(&r)) >= 0)
    if (byte != (unsigned char)*text++) return false;
  return *text == 0;
}

/* Two strings that are equal after unescaping. */
static bool same(psp_view a, psp_view b) {
  if (a.type != PSP_VIEW_STRING || b.type != PSP_VIEW_STRING) return false;
  byte_reader x = read_bytes(a), y = read_bytes(b);
  int byte;
  do {
    byte = next_byte(&x);
    if (byte != next_byte(&y)) return false;
  } while (byte >= 0);
  return true;
}

/* No name twice: two readers of such an object may take different ones. NULL: it is so. */
static const char *fault_in_names(psp_view object) {
  psp_view names[PSP_VIEW_MEMBERS], name, value;
  psp_view_cursor cursor = {0};
  for (size_t count = 0; psp_view_next_member(object, &cursor, &name, &value); count++) {
    if (count == PSP_VIEW_MEMBERS) return "too many members";
    for (size_t i = 0; i < count; i++)
      if (same(names[i], name)) return "a name that is there twice";
    names[count] = name;
  }
  return NULL;
}

bool psp_view_object(const char *text, size_t len, psp_view *object, const char **why) {
  static const psp_json_rules rules = {.depth = PSP_VIEW_DEPTH, .object = true, .no_zero = true};
  psp_json_fault fault;
  const char *found = NULL;
  *object = (psp_view){0};
  if (!psp_json_check(text, len, &rules, NULL, &fault)) {
    found = fault.why;
  } else {
    psp_view made = view_at(skip_space(text, text + len));
    found = fault_in_names(made);
    if (found == NULL) *object = made;
  }
  if (found != NULL) *why = found;
  return found == NULL;
}

size_t psp_view_length(psp_view string) {
  if (string.type != PSP_VIEW_STRING) return 0;
  size_t len = 0;
  const char *p = string.at + 1, *end = string.at + string.len - 1;
  char bytes[4];
  while (p < end)
    len += unescape(&p, bytes);
  return len;
}

bool psp_view_string(psp_view string, char *out, size_t size) {
  if (string.type != PSP_VIEW_STRING) return false;
  const char *p = string.at + 1, *end = string.at + string.len - 1;
  size_t len = 0;
  while (p < end) {
    char bytes[4];
    size_t n = unescape(&p, bytes);
    if (len + n >= size) return false;
    memcpy(out + len, bytes, n);
    len += n;
  }
  if (len >= size) return false;
  out[len] = 0;
  return true;
}

char *psp_view_strdup(psp_view string) {
  if (string.type != PSP_VIEW_STRING) return NULL;
  size_t size = psp_view_length(string) + 1;
  char *copy = malloc(size);
  if (copy != NULL) psp_view_string(string, copy, size);
  return copy;
}

bool psp_view_number(psp_view number, double *out) {
  if (number.type != PSP_VIEW_NUMBER) return false;
  *out = psp_json_number(number.at); /* a comma, a bracket or white space comes after it */
  return true;
}

bool psp_view_int64(psp_view value, int64_t *out) {
  if (value.type == PSP_VIEW_STRING) {
    char digits[24];
    return psp_view_string(value, digits, sizeof digits) &&
           psp_parse_int64(digits, INT64_MIN, INT64_MAX, out);
  }
  double number;
  /* 2^53: beyond it not every whole number is there. */
  if (!psp_view_number(value, &number) || number != floor(number) ||
      fabs(number) > 9007199254740992)
    return false;
  *out = (int64_t)number;
  return true;
}
