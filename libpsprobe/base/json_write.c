/* SPDX-License-Identifier: MIT */
/** @file Writing JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/json_check.h"
#include "base/text.h"
#include "base/utf8.h"

static bool in_array(const psp_json_writer *w) {
  return w->depth > 0 && w->kind[w->depth - 1] == '[';
}

/* An array that is the whole document has its items on lines of their own (streamed answers). */
static bool in_stream(const psp_json_writer *w) {
  return w->depth == 1 && in_array(w);
}

static void new_line(psp_json_writer *w) {
  psp_buf_char(w->buf, '\n');
  for (int i = 0; i < w->depth; i++)
    if (w->kind[i] == '{') psp_buf_add(w->buf, "  ", 2);
}

static void before_value(psp_json_writer *w) {
  if (w->after_key) {
    w->after_key = false;
  } else if (in_array(w)) {
    if (w->comma) psp_buf_char(w->buf, ',');
    if (w->pretty && in_stream(w))
      new_line(w);
    else if (w->pretty && w->comma)
      psp_buf_char(w->buf, ' ');
  }
  w->comma = true;
}

static void begin(psp_json_writer *w, char kind) {
  before_value(w);
  psp_buf_char(w->buf, kind);
  if (w->depth >= (int)sizeof w->kind) {
    w->buf->failed = true; /* deeper than anything that we read or make */
    return;
  }
  w->kind[w->depth++] = (unsigned char)kind;
  w->comma = false;
}

static void end(psp_json_writer *w, char kind) {
  bool line = w->pretty && (kind == '}' || in_stream(w));
  if (w->depth > 0) w->depth--;
  if (line) new_line(w);
  psp_buf_char(w->buf, kind);
  w->comma = true;
  if (w->pretty && w->depth == 0) psp_buf_char(w->buf, '\n');
}

void psp_json_begin_object(psp_json_writer *w) {
  begin(w, '{');
}
void psp_json_end_object(psp_json_writer *w) {
  end(w, '}');
}
void psp_json_begin_array(psp_json_writer *w) {
  begin(w, '[');
}
void psp_json_end_array(psp_json_writer *w) {
  end(w, ']');
}

/* U+2028 and U+2029, which end a line in JavaScript: Google's servers escape them. */
static bool ends_line(const char *text, size_t n) {
  return n == 3 && memcmp(text, "\xE2\x80", 2) == 0 && ((unsigned char)text[2] & 0xFE) == 0xA8;
}

/* Whether a character of `n` bytes (0: there is none) stands in a string as it is. */
static bool is_plain(const psp_json_writer *w, const char *text, size_t n) {
  unsigned char c = (unsigned char)text[0];
  if (n == 1) return c >= 0x20 && c != '"' && c != '\\' && (c != '/' || !w->escape_slash);
  return n > 0 && !(w->pretty && ends_line(text, n));
}

/* What stands for a character that does not. */
static void put_escape(psp_json_writer *w, const char *text, size_t n) {
  static const char plain[] = "\"\\/\b\f\n\r\t", letters[] = "\"\\/bfnrt";
  const char *known = n != 1 || text[0] == '\0' ? NULL : strchr(plain, text[0]);
  if (known != NULL) {
    psp_buf_char(w->buf, '\\');
    psp_buf_char(w->buf, letters[known - plain]);
  } else if (n > 0) {
    psp_buf_printf(w->buf, "\\u%04x", psp_utf8_code(text, n));
  } else {
    psp_buf_text(w->buf, "\xEF\xBF\xBD"); /* U+FFFD: what we write is always valid */
  }
}

static void quoted(psp_json_writer *w, const char *text, size_t len) {
  psp_buf_char(w->buf, '"');
  size_t done = 0, i = 0;
  while (i < len) {
    size_t n = psp_utf8_char(text + i, len - i);
    if (!is_plain(w, text + i, n)) {
      psp_buf_add(w->buf, text + done, i - done);
      put_escape(w, text + i, n);
      done = i + (n > 0 ? n : 1);
    }
    i += n > 0 ? n : 1;
  }
  if (len > done) psp_buf_add(w->buf, text + done, len - done);
  psp_buf_char(w->buf, '"');
}

void psp_json_put_key(psp_json_writer *w, const char *key) {
  if (w->comma) psp_buf_char(w->buf, ',');
  if (w->pretty) new_line(w);
  /* A name from a parsed document may hold the form that stands for \u0000. */
  if (strstr(key, PSP_JSON_ZERO) == NULL) {
    quoted(w, key, strlen(key));
  } else {
    psp_buf name = {0};
    for (const char *zero; (zero = strstr(key, PSP_JSON_ZERO)) != NULL; key = zero + 2)
      psp_buf_add(&name, key, (size_t)(zero - key)), psp_buf_char(&name, '\0');
    psp_buf_text(&name, key);
    if (name.failed) w->buf->failed = true;
    quoted(w, name.data, name.failed ? 0 : name.len);
    psp_buf_free(&name);
  }
  psp_buf_text(w->buf, w->pretty ? ": " : ":");
  w->comma = false;
  w->after_key = true;
}

void psp_json_put_text(psp_json_writer *w, const char *text, size_t len) {
  before_value(w);
  quoted(w, text, len);
}

void psp_json_put_string(psp_json_writer *w, const char *text) {
  if (text == NULL)
    psp_json_put_null(w);
  else
    psp_json_put_text(w, text, strlen(text));
}

void psp_json_put_member(psp_json_writer *w, const char *name, const char *text) {
  if (text == NULL) return;
  psp_json_put_key(w, name);
  psp_json_put_string(w, text);
}

void psp_json_put_base64(psp_json_writer *w, const void *data, size_t len) {
  psp_buf encoded = {0};
  psp_base64_encode(&encoded, data, len);
  if (encoded.failed) w->buf->failed = true;
  psp_json_put_text(w, encoded.data, encoded.len); /* escape_slash counts here too */
  psp_buf_free(&encoded);
}

void psp_json_put_raw(psp_json_writer *w, const char *json, size_t len) {
  before_value(w);
  psp_buf_add(w->buf, json, len);
}

void psp_json_put_int64(psp_json_writer *w, int64_t value) {
  before_value(w);
  psp_buf_printf(w->buf, "%lld", (long long)value);
}

void psp_json_put_int64_text(psp_json_writer *w, int64_t value) {
  before_value(w);
  psp_buf_printf(w->buf, "\"%lld\"", (long long)value);
}

void psp_json_put_bool(psp_json_writer *w, bool value) {
  before_value(w);
  psp_buf_text(w->buf, value ? "true" : "false");
}

void psp_json_put_known(psp_json_writer *w, bool there, int64_t value) {
  if (there)
    psp_json_put_int64(w, value);
  else
    psp_json_put_null(w);
}

void psp_json_put_null(psp_json_writer *w) {
  before_value(w);
  psp_buf_text(w->buf, "null");
}

/* The fewest digits (`least` or more) that read back the same: d.ddde±xx, taken apart. */
static int shortest(double value, int least, char digits[24], int *exponent) {
  char text[48];
  for (int precision = least - 1; precision < 17; precision++) {
    snprintf(text, sizeof text, "%.*e", precision, value);
    if (strtod(text, NULL) == value) break;
  }
  int count = 0;
  char *at = text;
  for (; *at != 'e'; at++) /* sign and the locale's decimal point fall away */
    if (*at >= '0' && *at <= '9') digits[count++] = *at;
  *exponent = (int)strtol(at + 1, NULL, 10);
  digits[count] = '\0';
  return count;
}

/* `digits` with the decimal point after `whole` of them; at least one decimal where asked. */
static void put_digits(psp_buf *buf, const char *digits, int count, int whole, bool decimal) {
  if (whole <= 0) psp_buf_char(buf, '0');
  for (int i = 0; i < whole; i++)
    psp_buf_char(buf, i < count ? digits[i] : '0');
  if (count > whole || decimal) psp_buf_char(buf, '.');
  for (int i = whole; i < 0; i++)
    psp_buf_char(buf, '0');
  for (int i = whole < 0 ? 0 : whole; i < count; i++)
    psp_buf_char(buf, digits[i]);
  if (count <= whole && decimal) psp_buf_char(buf, '0');
}

void psp_json_put_double(psp_json_writer *w, double value) {
  before_value(w);
  if (isnan(value) || isinf(value)) {
    psp_buf_text(w->buf, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return;
  }
  char digits[24];
  int exponent;
  /* Java calls the least double 4.9E-324, where one digit would do. */
  int least = w->pretty && fabs(value) == 5e-324 ? 2 : 1;
  int count = shortest(value, least, digits, &exponent);
  if (signbit(value)) psp_buf_char(w->buf, '-');
  /* Google's servers print as Java's Double.toString: 1.0, 0.001, 1.0E7, 1.0E-4 (observed). */
  bool plain =
      w->pretty ? value == 0 || (exponent >= -3 && exponent < 7) : exponent >= -5 && exponent < 17;
  put_digits(w->buf, digits, count, plain ? exponent + 1 : 1, w->pretty);
  if (!plain) psp_buf_printf(w->buf, w->pretty ? "E%d" : "e%d", exponent);
}

void psp_json_begin_error(psp_json_writer *w, int http_status, psprobe_code code,
                          const char *message) {
  psp_json_begin_object(w);
  psp_json_begin_object_member(w, "error");
  psp_json_put_int64_member(w, "code", http_status);
  psp_json_put_member(w, "message", message);
  psp_json_put_member(w, "status", psprobe_code_name(code));
}

void psp_json_put_error(psp_json_writer *w, int http_status, psprobe_code code,
                        const char *message) {
  psp_json_begin_error(w, http_status, code, message);
  psp_json_end_object(w);
  psp_json_end_object(w);
}

void psp_json_put_int64_member(psp_json_writer *w, const char *name, int64_t number) {
  psp_json_put_key(w, name);
  psp_json_put_int64(w, number);
}

void psp_json_put_bool_member(psp_json_writer *w, const char *name, bool value) {
  psp_json_put_key(w, name);
  psp_json_put_bool(w, value);
}

void psp_json_begin_object_member(psp_json_writer *w, const char *name) {
  psp_json_put_key(w, name);
  psp_json_begin_object(w);
}

void psp_json_begin_array_member(psp_json_writer *w, const char *name) {
  psp_json_put_key(w, name);
  psp_json_begin_array(w);
}
