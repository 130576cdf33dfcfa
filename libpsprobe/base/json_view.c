/* SPDX-License-Identifier: MIT */
#include "base/json_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    p++;
  return p;
}

static unsigned hex4(const char *p) {
  unsigned value = 0;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

static size_t put_utf8(unsigned c, char out[4]) {
  if (c < 0x80) {
    out[0] = (char)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (char)(0xc0 | c >> 6);
    out[1] = (char)(0x80 | (c & 63));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 63));
    out[2] = (char)(0x80 | (c & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | c >> 18);
  out[1] = (char)(0x80 | (c >> 12 & 63));
  out[2] = (char)(0x80 | (c >> 6 & 63));
  out[3] = (char)(0x80 | (c & 63));
  return 4;
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
  unsigned code = hex4(c + 2);
  *p = c + 6;
  if (code >= 0xd800 && code < 0xdc00) { /* the check saw to it that the other half follows */
    code = 0x10000 + ((code - 0xd800) << 10) + (hex4(c + 8) - 0xdc00);
    *p = c + 12;
  }
  return put_utf8(code, out);
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

bool psp_view_same(psp_view a, psp_view b) {
  if (a.type != PSP_VIEW_STRING || b.type != PSP_VIEW_STRING) return false;
  byte_reader x = read_bytes(a), y = read_bytes(b);
  int byte;
  do {
    byte = next_byte(&x);
    if (byte != next_byte(&y)) return false;
  } while (byte >= 0);
  return true;
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
  /* Not strtod: it reads the decimal point of the program's locale. Exact to what times and
   * lifetimes need: 19 digits, and a scale. */
  const char *p = number.at, *end = number.at + number.len;
  bool negative = *p == '-';
  if (negative) p++;
  uint64_t digits = 0;
  long scale = 0, exponent = 0;
  bool point = false;
  for (; p < end && *p != 'e' && *p != 'E'; p++) {
    if (*p == '.') {
      point = true;
    } else if (digits < UINT64_MAX / 10 - 1) {
      digits = digits * 10 + (uint64_t)(*p - '0');
      if (point) scale--;
    } else if (!point) {
      scale++;
    }
  }
  if (p < end) {
    p++;
    bool down = *p == '-';
    if (*p == '-' || *p == '+') p++;
    for (; p < end; p++)
      if (exponent < 100000) exponent = exponent * 10 + (*p - '0');
    if (down) exponent = -exponent;
  }
  double value = digits == 0 ? 0 : (double)digits * pow(10, (double)(scale + exponent));
  *out = negative ? -value : value;
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
