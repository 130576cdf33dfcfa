/* SPDX-License-Identifier: MIT */
/** @file The strict check that comes before any view: see view.h. */
#include <string.h>

#include "base/json_view.h"
#include "base/text.h"

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
    p++;
  return p;
}

typedef struct checker {
  const char *p, *end;
  const char *why;
  int depth;
} checker;

static bool refuse(checker *c, const char *why) {
  if (c->why == NULL) c->why = why;
  return false;
}

static bool check_hex4(checker *c, unsigned *code) {
  if (c->end - c->p < 4) return refuse(c, "a broken escape");
  *code = 0;
  for (int i = 0; i < 4; i++) {
    char x = *c->p++;
    if (x >= '0' && x <= '9')
      *code = *code << 4 | (unsigned)(x - '0');
    else if ((x >= 'a' && x <= 'f') || (x >= 'A' && x <= 'F'))
      *code = *code << 4 | (unsigned)((x | 0x20) - 'a' + 10);
    else
      return refuse(c, "a broken escape");
  }
  return true;
}

static bool check_escape(checker *c) {
  if (c->p == c->end) return refuse(c, "a broken escape");
  char kind = *c->p++;
  if (kind != 'u')
    return (kind != 0 && strchr("\"\\/bfnrt", kind) != NULL) || refuse(c, "a broken escape");
  unsigned code = 0;
  if (!check_hex4(c, &code)) return false;
  if (code == 0) return refuse(c, "a zero byte in a string");
  if (code >= 0xdc00 && code < 0xe000) return refuse(c, "half a surrogate pair");
  if (code >= 0xd800 && code < 0xdc00) {
    if (c->end - c->p < 2 || c->p[0] != '\\' || c->p[1] != 'u')
      return refuse(c, "half a surrogate pair");
    c->p += 2;
    if (!check_hex4(c, &code)) return false;
    if (code < 0xdc00 || code >= 0xe000) return refuse(c, "half a surrogate pair");
  }
  return true;
}

static bool check_string(checker *c) {
  if (c->p == c->end || *c->p != '"') return refuse(c, "a name or text in quotes is missing");
  for (c->p++; c->p < c->end;) {
    unsigned char byte = (unsigned char)*c->p++;
    if (byte == '"') return true;
    if (byte < 0x20) return refuse(c, "a control character in a string");
    if (byte == '\\' && !check_escape(c)) return false;
  }
  return refuse(c, "a string without end");
}

static bool check_digits(checker *c) {
  const char *from = c->p;
  while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
    c->p++;
  return c->p > from || refuse(c, "a broken number");
}

static bool check_number(checker *c) {
  if (*c->p == '-') c->p++;
  const char *from = c->p;
  if (!check_digits(c)) return false;
  if (*from == '0' && c->p - from > 1) return refuse(c, "a number with a leading zero");
  if (c->p < c->end && *c->p == '.') {
    c->p++;
    if (!check_digits(c)) return false;
  }
  if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
    c->p++;
    if (c->p < c->end && (*c->p == '+' || *c->p == '-')) c->p++;
    if (!check_digits(c)) return false;
  }
  return true;
}

static bool check_word(checker *c, const char *word) {
  size_t len = strlen(word);
  if ((size_t)(c->end - c->p) < len || memcmp(c->p, word, len) != 0)
    return refuse(c, "something that is no JSON value");
  c->p += len;
  return true;
}

static bool check_value(checker *c);

/* Items up to the closing bracket; of an object, with their names. */
static bool check_list(checker *c, char close) {
  if (++c->depth > PSP_VIEW_DEPTH) return refuse(c, "nested too deep");
  c->p = skip_space(c->p + 1, c->end);
  bool empty = c->p < c->end && *c->p == close;
  while (!empty) {
    if (close == '}') {
      if (!check_string(c)) return false;
      c->p = skip_space(c->p, c->end);
      if (c->p == c->end || *c->p != ':') return refuse(c, "a colon is missing");
      c->p = skip_space(c->p + 1, c->end);
    }
    if (!check_value(c)) return false;
    c->p = skip_space(c->p, c->end);
    if (c->p == c->end) return refuse(c, "cut short");
    if (*c->p == close) break;
    if (*c->p != ',') return refuse(c, "a comma or bracket is missing");
    c->p = skip_space(c->p + 1, c->end);
  }
  c->p++;
  c->depth--;
  return true;
}

static bool check_value(checker *c) {
  if (c->p == c->end) return refuse(c, "cut short");
  switch (*c->p) {
    case '{':
      return check_list(c, '}');
    case '[':
      return check_list(c, ']');
    case '"':
      return check_string(c);
    case 't':
      return check_word(c, "true");
    case 'f':
      return check_word(c, "false");
    case 'n':
      return check_word(c, "null");
    default:
      if (*c->p == '-' || (*c->p >= '0' && *c->p <= '9')) return check_number(c);
      return refuse(c, "something that is no JSON value");
  }
}

static bool check_names(psp_view object, const char **why) {
  psp_view names[PSP_VIEW_MEMBERS];
  size_t count = 0;
  psp_view_cursor cursor = {0};
  psp_view name, value;
  while (psp_view_next_member(object, &cursor, &name, &value)) {
    if (count == PSP_VIEW_MEMBERS) {
      *why = "too many members";
      return false;
    }
    for (size_t i = 0; i < count; i++) {
      if (psp_view_same(names[i], name)) {
        *why = "a name that is there twice";
        return false;
      }
    }
    names[count++] = name;
  }
  return true;
}

bool psp_view_object(const char *text, size_t len, psp_view *object, const char **why) {
  *object = (psp_view){0};
  if (!psp_utf8_valid(text, len)) {
    *why = "bytes that are not UTF-8";
    return false;
  }
  checker c = {.p = skip_space(text, text + len), .end = text + len};
  const char *from = c.p;
  bool good = c.p < c.end && *c.p == '{' ? check_list(&c, '}') : refuse(&c, "no JSON object");
  const char *past = c.p;
  if (good && skip_space(past, c.end) != c.end) good = refuse(&c, "text after the object");
  psp_view made = {.type = PSP_VIEW_OBJECT, .at = from, .len = (size_t)(past - from)};
  if (good) good = check_names(made, &c.why);
  if (good)
    *object = made;
  else
    *why = c.why;
  return good;
}
