/* SPDX-License-Identifier: MIT */
#include "base/json_check.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"

/* An integer of so many characters is exact in a double (2^53 has 16 digits). */
#define EXACT_DIGITS 15

typedef struct checker {
  const char *text;
  size_t len, at;
  const psp_json_rules *rules;
  psp_buf *out;  /* may be NULL */
  size_t copied; /* bytes of text that are in out, in their new form */
  unsigned depth;
  char open[PSP_JSON_DEPTH];
  const char *why;
} checker;

static bool fault(checker *c, const char *why) {
  c->why = why;
  return false;
}

static int peek(const checker *c) {
  return c->at < c->len ? (unsigned char)c->text[c->at] : -1;
}

static void skip_space(checker *c) {
  while (c->at < c->len && strchr(" \t\r\n", c->text[c->at]) != NULL && c->text[c->at] != '\0')
    c->at++;
}

/* Puts `prefix` and `suffix` around [from, c->at) when that is kept, or `prefix` in its place. */
static void rewrite(checker *c, size_t from, const char *prefix, bool keep, const char *suffix) {
  if (c->out == NULL) return;
  psp_buf_add(c->out, c->text + c->copied, from - c->copied);
  psp_buf_text(c->out, prefix);
  if (keep) psp_buf_add(c->out, c->text + from, c->at - from);
  psp_buf_text(c->out, suffix);
  c->copied = c->at;
}

/* Past the digits at `at`. */
static size_t skip_digits(const char *text, size_t len, size_t at) {
  while (at < len && text[at] >= '0' && text[at] <= '9')
    at++;
  return at;
}

size_t psp_json_number_length(const char *text, size_t len) {
  size_t from = len > 0 && text[0] == '-', at = skip_digits(text, len, from);
  if (at == from) return 0;
  if (text[from] == '0') at = from + 1;
  if (at < len && text[at] == '.') {
    from = at + 1;
    if ((at = skip_digits(text, len, from)) == from) return 0;
  }
  if (at < len && (text[at] | 0x20) == 'e') {
    from = at + 1;
    if (from < len && (text[from] == '+' || text[from] == '-')) from++;
    if ((at = skip_digits(text, len, from)) == from) return 0;
  }
  return at;
}

double psp_json_number(const char *text) {
  /* The program's locale may have another decimal point. The C locale is the C library's own: this
   * allocates nothing. */
  locale_t plain = newlocale(LC_ALL_MASK, "C", NULL);
  double value = strtod_l(text, NULL, plain);
  freelocale(plain);
  return value;
}

static bool check_number(checker *c) {
  size_t from = c->at, n = psp_json_number_length(c->text + from, c->len - from);
  if (n == 0) return fault(c, "a value is missing, or not a number");
  c->at += n;
  if (skip_digits(c->text, c->len, c->at) > c->at) return fault(c, "a number with a leading zero");
  if (c->out == NULL) return true;
  bool whole = true;
  for (size_t i = from; i < c->at; i++)
    if (strchr(".eE", c->text[i]) != NULL) whole = false;
  if (!whole || n > EXACT_DIGITS) rewrite(c, from, "\"" PSP_JSON_NUMBER, true, "\"");
  return true;
}

int psp_json_hex4(const char *digits) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    int digit = psp_hex_digit(digits[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

/* The unit of a \u escape at `at`, or -1. */
static int unit_at(const checker *c, size_t at) {
  bool there = c->len - at >= 6 && c->text[at] == '\\' && c->text[at + 1] == 'u';
  return there ? psp_json_hex4(c->text + at + 2) : -1;
}

static bool check_unit(checker *c) {
  size_t from = c->at;
  int unit = unit_at(c, from);
  c->at += unit < 0 ? 2 : 6;
  if (unit < 0) return fault(c, "a bad \\u escape");
  if (unit == 0 && c->rules->no_zero) return fault(c, "a zero byte in a string");
  if (unit == 0) rewrite(c, from, PSP_JSON_ZERO, false, "");
  if (unit < 0xD800 || unit > 0xDFFF) return true;
  int low = unit < 0xDC00 ? unit_at(c, c->at) : -1;
  if (low < 0xDC00 || low > 0xDFFF) return fault(c, "half a surrogate pair");
  c->at += 6;
  return true;
}

static bool check_escape(checker *c) {
  int kind = c->len - c->at > 1 ? c->text[c->at + 1] : -1;
  if (kind == 'u') return check_unit(c);
  c->at++;
  if (kind <= 0 || strchr("\"\\/bfnrt", kind) == NULL) return fault(c, "a bad escape");
  c->at++;
  return true;
}

/* One character or escape of a string. */
static bool check_char(checker *c) {
  int byte = peek(c);
  if (byte < 0) return fault(c, "the text ends inside a string");
  if (byte < 0x20) return fault(c, "a control character in a string");
  if (byte == '\\') return check_escape(c);
  size_t n = psp_utf8_char(c->text + c->at, c->len - c->at);
  c->at += n;
  return n > 0 || fault(c, "bad UTF-8");
}

/* Past what needs no second look, as nearly all. */
static void skip_plain(checker *c) {
  const char *p = c->text + c->at, *end = c->text + c->len;
  while (p < end && (unsigned char)(*p - 0x20) < 0x60 && *p != '"' && *p != '\\')
    p++;
  c->at = (size_t)(p - c->text);
}

static bool check_string(checker *c) {
  if (peek(c) != '"') return fault(c, "a member's name is missing");
  c->at++;
  for (skip_plain(c); peek(c) != '"'; skip_plain(c))
    if (!check_char(c)) return false;
  c->at++;
  return true;
}

static bool check_word(checker *c, const char *word) {
  size_t n = strlen(word);
  if (c->len - c->at < n || memcmp(c->text + c->at, word, n) != 0)
    return fault(c, "a value is missing");
  c->at += n;
  return true;
}

static bool check_scalar(checker *c) {
  switch (peek(c)) {
    case -1:
      return fault(c, "the text ends too soon");
    case '"':
      return check_string(c);
    case 't':
      return check_word(c, "true");
    case 'f':
      return check_word(c, "false");
    case 'n':
      return check_word(c, "null");
    default:
      return check_number(c);
  }
}

/* A member's name, colon and the space around. */
static bool check_key(checker *c) {
  if (!check_string(c)) return false;
  skip_space(c);
  if (peek(c) != ':') return fault(c, "a colon is missing");
  c->at++;
  skip_space(c);
  return true;
}

/* Closes what ends here. True: a further item or member follows, and its value is next. */
static bool close_or_next(checker *c, bool *failed) {
  while (c->depth > 0) {
    skip_space(c);
    char kind = c->open[c->depth - 1];
    int byte = peek(c);
    if (byte == (kind == '{' ? '}' : ']')) {
      c->at++;
      c->depth--;
      continue;
    }
    if (byte != ',') {
      *failed = !fault(c, byte < 0 ? "the text ends too soon" : "a comma is missing");
      return false;
    }
    c->at++;
    skip_space(c);
    *failed = kind == '{' && !check_key(c);
    return !*failed;
  }
  return false;
}

/* One value; of an object or array its opening, and whether it is empty. */
static bool check_value(checker *c, bool *opened) {
  int byte = peek(c);
  *opened = byte == '{' || byte == '[';
  if (!*opened) return check_scalar(c);
  if (c->depth == c->rules->depth) return fault(c, "nested too deep");
  c->open[c->depth++] = (char)byte;
  c->at++;
  skip_space(c);
  if (peek(c) == (byte == '{' ? '}' : ']')) {
    c->at++;
    c->depth--;
    *opened = false;
    return true;
  }
  return byte == '[' || check_key(c);
}

static bool check_all(checker *c) {
  bool opened = false, failed = false;
  skip_space(c);
  if (c->rules->object && peek(c) != '{') return fault(c, "no JSON object");
  do {
    if (!check_value(c, &opened)) return false;
  } while (opened || close_or_next(c, &failed));
  if (failed) return false;
  skip_space(c);
  return c->at == c->len || fault(c, "something follows the value");
}

bool psp_json_check(const char *text, size_t len, const psp_json_rules *rules, psp_buf *out,
                    psp_json_fault *where) {
  checker c = {.text = text, .len = len, .rules = rules, .out = out};
  bool good = check_all(&c);
  where->at = c.at;
  where->why = c.why;
  if (good && c.copied > 0) psp_buf_add(out, text + c.copied, len - c.copied);
  return good;
}
