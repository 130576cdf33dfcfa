/* SPDX-License-Identifier: MIT */
#include "base/json_check.h"

#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

/* An integer of so many characters is exact in a double (2^53 has 16 digits). */
#define EXACT_DIGITS 15

typedef struct checker {
  const char *text;
  size_t len, at;
  psp_buf *out;
  size_t copied; /* bytes of text that are in out, in their new form */
  int depth;
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
  psp_buf_add(c->out, c->text + c->copied, from - c->copied);
  psp_buf_text(c->out, prefix);
  if (keep) psp_buf_add(c->out, c->text + from, c->at - from);
  psp_buf_text(c->out, suffix);
  c->copied = c->at;
}

static bool is_digit(const char *text, size_t len, size_t at) {
  return at < len && text[at] >= '0' && text[at] <= '9';
}

size_t psp_json_number_length(const char *text, size_t len) {
  size_t at = len > 0 && text[0] == '-';
  if (!is_digit(text, len, at)) return 0;
  if (text[at] == '0') {
    at++;
  } else {
    while (is_digit(text, len, at))
      at++;
  }
  if (at < len && text[at] == '.') {
    if (!is_digit(text, len, ++at)) return 0;
    while (is_digit(text, len, at))
      at++;
  }
  if (at < len && (text[at] == 'e' || text[at] == 'E')) {
    at++;
    if (at < len && (text[at] == '+' || text[at] == '-')) at++;
    if (!is_digit(text, len, at)) return 0;
    while (is_digit(text, len, at))
      at++;
  }
  return at;
}

static bool check_number(checker *c) {
  size_t from = c->at, n = psp_json_number_length(c->text + from, c->len - from);
  if (n == 0) return fault(c, "not a number");
  c->at += n;
  if (is_digit(c->text, c->len, c->at)) return fault(c, "a number with a leading zero");
  bool whole = true;
  for (size_t i = from; i < c->at; i++)
    if (strchr(".eE", c->text[i]) != NULL) whole = false;
  if (!whole || n > EXACT_DIGITS) rewrite(c, from, "\"" PSP_JSON_NUMBER, true, "\"");
  return true;
}

/* The four digits of a \u escape at `at`, or -1. */
static int hex4(const checker *c, size_t at) {
  int value = 0;
  if (c->len - at < 4) return -1;
  for (size_t i = at; i < at + 4; i++) {
    char d = c->text[i];
    int digit = d >= '0' && d <= '9'   ? d - '0'
                : d >= 'a' && d <= 'f' ? d - 'a' + 10
                : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

static bool check_escape(checker *c) {
  size_t from = c->at++;
  int kind = peek(c);
  if (kind <= 0 || strchr("\"\\/bfnrtu", kind) == NULL) return fault(c, "a bad escape");
  c->at++;
  if (kind != 'u') return true;
  int unit = hex4(c, c->at);
  if (unit < 0) return fault(c, "a bad \\u escape");
  c->at += 4;
  if (unit == 0) {
    rewrite(c, from, PSP_JSON_ZERO, false, "");
  } else if (unit >= 0xD800 && unit <= 0xDBFF) {
    bool second = c->len - c->at >= 6 && c->text[c->at] == '\\' && c->text[c->at + 1] == 'u';
    int low = second ? hex4(c, c->at + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return fault(c, "half a surrogate pair");
    c->at += 6;
  } else if (unit >= 0xDC00 && unit <= 0xDFFF) {
    return fault(c, "half a surrogate pair");
  }
  return true;
}

static bool check_string(checker *c) {
  if (peek(c) != '"') return fault(c, "a member's name is missing");
  c->at++;
  for (;;) {
    int byte = peek(c);
    if (byte < 0) return fault(c, "the text ends inside a string");
    if (byte == '"') break;
    if (byte < 0x20) return fault(c, "a control character in a string");
    if (byte == '\\') {
      if (!check_escape(c)) return false;
      continue;
    }
    size_t n = psp_utf8_char(c->text + c->at, c->len - c->at);
    if (n == 0) return fault(c, "bad UTF-8");
    c->at += n;
  }
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
  if (c->depth == PSP_JSON_DEPTH) return fault(c, "nested too deep");
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
  do {
    if (!check_value(c, &opened)) return false;
  } while (opened || close_or_next(c, &failed));
  if (failed) return false;
  skip_space(c);
  return c->at == c->len || fault(c, "something follows the value");
}

bool psp_json_check(const char *text, size_t len, psp_buf *out, psp_json_fault *where) {
  checker c = {.text = text, .len = len, .out = out};
  bool good = check_all(&c);
  where->at = c.at;
  where->why = c.why;
  if (good && c.copied > 0) psp_buf_add(out, text + c.copied, len - c.copied);
  return good;
}
