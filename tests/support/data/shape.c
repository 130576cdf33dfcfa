/* SPDX-License-Identifier: MIT */
#include "shape.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What stands between the quotes after one of these is masked as a whole. */
static const char *const tokens[] = {"\"nextPageToken\": \"", "\"transaction\": \"",
                                     "\"messageId\": \"",     "\"message_id\": \"",
                                     "\"messageId\":\"",      "\"message_id\":\""};

static size_t digits(const char *text, const char *end) {
  size_t n = 0;
  while (text + n < end && isdigit((unsigned char)text[n]))
    n++;
  return n;
}

/* The length of a time like 2026-11-24T22:18:56.900849Z, or 0. */
static size_t time_length(const char *text, const char *end) {
  static const char form[] = "dddd-dd-ddTdd:dd:dd";
  size_t n = 0;
  for (; form[n]; n++)
    if (text + n >= end || (form[n] == 'd' ? !isdigit((unsigned char)text[n]) : text[n] != form[n]))
      return 0;
  if (text + n < end && text[n] == '.') n += 1 + digits(text + n + 1, end);
  return text + n < end && text[n] == 'Z' ? n + 1 : 0;
}

/* Ids in "messageIds": ["1", "2"]. */
static const char *mask_ids(psp_buf *out, const char *at, const char *end) {
  while (at < end && *at != ']') {
    size_t n = digits(at, end);
    if (n) psp_buf_text(out, "N");
    if (!n) psp_buf_char(out, *at);
    at += n ? n : 1;
  }
  return at;
}

static const char *mask_one(psp_buf *out, const char *at, const char *end) {
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
    size_t len = strlen(tokens[i]);
    if ((size_t)(end - at) < len || memcmp(at, tokens[i], len) != 0) continue;
    psp_buf_text(out, tokens[i]);
    psp_buf_text(out, "TOKEN");
    const char *quote = memchr(at + len, '"', (size_t)(end - at) - len);
    return quote != NULL ? quote : end;
  }
  static const char ids[] = "\"messageIds\": [";
  if ((size_t)(end - at) > sizeof ids && memcmp(at, ids, sizeof ids - 1) == 0) {
    psp_buf_text(out, ids);
    return mask_ids(out, at + sizeof ids - 1, end);
  }
  size_t n = time_length(at, end);
  if (n) {
    psp_buf_text(out, "TIME");
    return at + n;
  }
  n = digits(at, end);
  /* Long numbers in brackets are database versions; after a colon, ack ids and ports. */
  bool version = n >= 1 && at[-1] == '(' && at + n < end && at[n] == ')';
  bool counter = n >= 1 && at[-1] == ':' && at + n < end && (at[n] == '"' || at[n] == '/');
  if (version || counter) {
    psp_buf_text(out, "N");
    return at + n;
  }
  psp_buf_add(out, at, n ? n : 1);
  return at + (n ? n : 1);
}

psp_buf test_shape(const char *body, size_t len) {
  psp_buf out = {0};
  const char *end = body + len;
  psp_buf_text(&out, "");
  for (const char *at = body; at < end;)
    if (at == body)
      psp_buf_char(&out, *at++); /* so that there is always a byte before */
    else
      at = mask_one(&out, at, end);
  assert_false(out.failed);
  return out;
}

void test_same_shape(const char *what, const char *got, size_t got_len, const char *expected,
                     size_t expected_len) {
  psp_buf a = test_shape(got, got_len), b = test_shape(expected, expected_len);
  bool same = a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
  if (!same)
    print_error("%s:\n--- got\n%.*s\n--- expected\n%.*s\n", what, (int)got_len, got,
                (int)expected_len, expected);
  psp_buf_free(&a);
  psp_buf_free(&b);
  assert_true(same);
}
