/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/answer.h"

#define MAX 1000

/* Feeds `text` in pieces of `piece` bytes. @return the last state; MORE when it is all used up */
static psp_http_answer_state feed(psp_http_answer *a, const char *text, size_t len, size_t piece) {
  psp_http_answer_state state = PSP_ANSWER_MORE;
  for (size_t at = 0; at < len && state == PSP_ANSWER_MORE; at += piece) {
    psp_buf_add(&a->in, text + at, piece < len - at ? piece : len - at);
    state = psp_http_answer_parse(a);
  }
  return state;
}

typedef struct good_case {
  const char *text;
  int status;
  const char *body;
  bool keep_alive, ends; /* by the end of the connection */
} good_case;

static const good_case good[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true, false},
    {"HTTP/1.1 200 OK\r\ncontent-length:5 \r\n\r\nhello", 200, "hello", true, false},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", true, false},
    {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", true, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true, false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", true, false},
    {"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, "ok", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true, false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 200, "ok", false,
     false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\nok", 200, "ok", false,
     false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nok", 200, "ok", true,
     false},
    {"HTTP/1.1 200 OK\r\n\r\nto the end", 200, "to the end", false, true},
    {"HTTP/1.0 200 OK\r\n\r\n", 200, "", false, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200, "hello",
     true, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
     "3;name=\"v\"\r\nabc\r\nA \r\n0123456789\r\n000\r\nTrailer: x\r\nOther: y\r\n\r\n",
     200, "abc0123456789", true, false},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "2\r\n\r\n1\r\nx\r\n0\r\n\r\n",
     200, "x", false, false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
     201, "x", true, false},
    {"HTTP/1.1 599 Strange\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd", 599, "\xff\xfe\xfd", true,
     false},
};

/* Each answer whole, byte by byte, and in every other piece size. */
static void test_good(void **state) {
  (void)state;
  psp_http_answer a = {0};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    const good_case *c = &good[i];
    for (size_t piece = 1; piece <= strlen(c->text); piece++) {
      psp_http_answer_begin(&a, false, MAX);
      psp_http_answer_state s = feed(&a, c->text, strlen(c->text), piece);
      if (s != (c->ends ? PSP_ANSWER_MORE : PSP_ANSWER_DONE))
        fail_msg("case %zu in pieces of %zu: %d %s", i, piece, s, a.why ? a.why : "");
      if (c->ends) assert_int_equal(psp_http_answer_end(&a), PSP_ANSWER_DONE);
      psp_http_response response = psp_http_answer_response(&a);
      assert_int_equal(response.status, c->status);
      assert_int_equal(response.body_len, strlen(c->body));
      assert_string_equal(response.body, c->body);
      assert_int_equal(a.keep_alive, c->keep_alive);
    }
  }
  psp_http_answer_free(&a);
}

static void test_headers(void **state) {
  (void)state;
  static const char text[] =
      "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Empty:\r\n"
      "RETRY-AFTER:  7 \r\nContent-Length: 4\r\n\r\nbody";
  psp_http_answer a = {0};
  psp_http_answer_begin(&a, false, MAX);
  assert_int_equal(feed(&a, text, sizeof text - 1, 10), PSP_ANSWER_DONE);
  psp_http_response response = psp_http_answer_response(&a);
  assert_int_equal(response.header_count, 4);
  assert_string_equal(psp_http_header(&response, "date"), "Sun, 06 Nov 1994 08:49:37 GMT");
  assert_string_equal(psp_http_header(&response, "x-empty"), "");
  assert_string_equal(psp_http_header(&response, "retry-after"), "7");
  assert_string_equal(response.body, "body");
  /* To HEAD the same has no body, and to a request before it no more headers than its own. */
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
  psp_http_answer_begin(&a, true, MAX);
  assert_int_equal(feed(&a, head, sizeof head - 1, 100), PSP_ANSWER_DONE);
  response = psp_http_answer_response(&a);
  assert_int_equal(response.header_count, 1);
  assert_int_equal(response.body_len, 0);
  assert_string_equal(response.body, "");
  assert_true(a.keep_alive);
  psp_http_answer_free(&a);
}

static void test_leftovers(void **state) {
  (void)state;
  static const char *const texts[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nmore",
      "HTTP/1.1 204 OK\r\n\r\nok",
  };
  psp_http_answer a = {0};
  for (size_t i = 0; i < 3; i++) {
    psp_http_answer_begin(&a, false, MAX);
    assert_int_equal(feed(&a, texts[i], strlen(texts[i]), 1000), PSP_ANSWER_DONE);
    assert_false(a.keep_alive); /* whose bytes these are nobody knows */
    assert_string_equal(psp_http_answer_response(&a).body, i < 2 ? "ok" : "");
  }
  psp_http_answer_free(&a);
}

static void test_bad(void **state) {
  (void)state;
  static const struct {
    const char *text;
    psp_http_answer_state state;
    const char *why;
  } cases[] = {
      {"SSH-2.0-OpenSSH\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"H", PSP_ANSWER_MORE, NULL},
      {"HX", PSP_ANSWER_BROKEN, "no HTTP"},
      {"\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/2 200\r\n\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/1.1 20 OK\r\n\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/1.1 2000 OK\r\n\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/1.1 099 OK\r\n\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/1.1200 OK\r\n\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/1.\r\n\r\n", PSP_ANSWER_BROKEN, "no HTTP"},
      {"HTTP/1.1 101 Switching\r\n\r\n", PSP_ANSWER_BROKEN, "protocol"},
      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", PSP_ANSWER_BROKEN, "number"},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", PSP_ANSWER_BROKEN, "number"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", PSP_ANSWER_BROKEN,
       "number"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", PSP_ANSWER_BROKEN,
       "two"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n", PSP_ANSWER_BROKEN, "number"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", PSP_ANSWER_TOO_LARGE, NULL},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", PSP_ANSWER_BROKEN,
       "Transfer-Encoding"},
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      {CHUNKED "zz\r\n", PSP_ANSWER_BROKEN, "size"},
      {CHUNKED "\r\n", PSP_ANSWER_BROKEN, "size"},
      {CHUNKED "-1\r\n", PSP_ANSWER_BROKEN, "size"},
      {CHUNKED "5x\r\n", PSP_ANSWER_BROKEN, "size"},
      {CHUNKED "ffffffffffffffff\r\n", PSP_ANSWER_BROKEN, "size"},
      {CHUNKED "fffffffffffffff\r\n", PSP_ANSWER_TOO_LARGE, NULL},
      {CHUNKED "3e9\r\n", PSP_ANSWER_TOO_LARGE, NULL},
      {CHUNKED "2\r\nabcd\r\n", PSP_ANSWER_BROKEN, "longer"},
      {CHUNKED "2\r\nab", PSP_ANSWER_MORE, NULL},
      {CHUNKED "0\r\nTrailer: x\r\n", PSP_ANSWER_MORE, NULL},
  };
  psp_http_answer a = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    for (size_t piece = 1; piece < 100; piece += piece < 5 ? 1 : 31) {
      psp_http_answer_begin(&a, false, MAX);
      psp_http_answer_state s = feed(&a, cases[i].text, strlen(cases[i].text), piece);
      if (s != cases[i].state)
        fail_msg("%s in pieces of %zu: %d %s", cases[i].text, piece, s, a.why ? a.why : "");
      if (cases[i].why && !strstr(a.why, cases[i].why)) fail_msg("%s: %s", cases[i].text, a.why);
    }
  }
  static const char zero[] = "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n";
  psp_http_answer_begin(&a, false, MAX);
  assert_int_equal(feed(&a, zero, sizeof zero - 1, 7), PSP_ANSWER_BROKEN);
  psp_http_answer_free(&a);
}

/* Wherever an answer stops, it is broken, unless its end is the connection's. */
static void test_cut_off(void **state) {
  (void)state;
  psp_http_answer a = {0};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    if (good[i].ends) continue;
    for (size_t len = 0; len < strlen(good[i].text); len++) {
      psp_http_answer_begin(&a, false, MAX);
      psp_http_answer_state s = feed(&a, good[i].text, len, 3);
      if (s == PSP_ANSWER_DONE) continue; /* 304 with a length: done before its end */
      assert_int_equal(s, PSP_ANSWER_MORE);
      if (psp_http_answer_end(&a) != PSP_ANSWER_BROKEN) fail_msg("case %zu, %zu bytes", i, len);
      assert_non_null(a.why);
    }
  }
  psp_http_answer_free(&a);
}

static void test_endless(void **state) {
  (void)state;
  psp_http_answer a = {0};
  psp_http_answer_begin(&a, false, MAX);
  psp_buf_text(&a.in, "HTTP/1.1 200 OK\r\n");
  psp_http_answer_state s;
  size_t lines = 0;
  while ((s = psp_http_answer_parse(&a)) == PSP_ANSWER_MORE && lines++ < 1000000)
    psp_buf_text(&a.in, "X-Y: 01234567890123456789\r\n");
  assert_int_equal(s, PSP_ANSWER_TOO_LARGE);

  psp_http_answer_begin(&a, false, SIZE_MAX);
  psp_buf_text(&a.in, CHUNKED "5;");
  lines = 0;
  while ((s = psp_http_answer_parse(&a)) == PSP_ANSWER_MORE && lines++ < 1000000)
    psp_buf_text(&a.in, "name=value;");
  assert_int_equal(s, PSP_ANSWER_BROKEN);

  psp_http_answer_begin(&a, false, MAX);
  psp_buf_text(&a.in, "HTTP/1.1 200 OK\r\n\r\n");
  lines = 0;
  while ((s = psp_http_answer_parse(&a)) == PSP_ANSWER_MORE && lines++ < 1000000)
    psp_buf_text(&a.in, "0123456789");
  assert_int_equal(s, PSP_ANSWER_TOO_LARGE);

  /* Interim answers without end. */
  psp_http_answer_begin(&a, false, MAX);
  for (int i = 0; i < 10000; i++)
    psp_buf_text(&a.in, "HTTP/1.1 100 Continue\r\n\r\n");
  assert_int_equal(psp_http_answer_parse(&a), PSP_ANSWER_BROKEN);
  psp_http_answer_free(&a);
}

/* Large chunked bodies in odd pieces come out right, and the buffer does not keep what is decoded.
 */
static void test_large_chunks(void **state) {
  (void)state;
  psp_buf text = {0}, want = {0};
  uint64_t random = 88172645463325252u;
  psp_buf_text(&text, CHUNKED);
  for (int i = 0; i < 300; i++) {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    size_t len = (size_t)(random % 3000) + 1;
    psp_buf_printf(&text, "%zx\r\n", len);
    for (size_t k = 0; k < len; k++) {
      psp_buf_char(&text, (char)('a' + (k + (size_t)i) % 26));
      psp_buf_char(&want, (char)('a' + (k + (size_t)i) % 26));
    }
    psp_buf_text(&text, "\r\n");
  }
  psp_buf_text(&text, "0\r\n\r\n");
  psp_http_answer a = {0};
  static const size_t pieces[] = {1, 7, 1000, 4096, 1 << 20};
  for (size_t i = 0; i < 5; i++) {
    psp_http_answer_begin(&a, false, 1 << 20);
    assert_int_equal(feed(&a, text.data, text.len, pieces[i]), PSP_ANSWER_DONE);
    assert_int_equal(a.in.len, want.len);
    assert_memory_equal(a.in.data, want.data, want.len);
    assert_true(a.keep_alive);
  }
  psp_http_answer_free(&a);
  psp_buf_free(&text);
  psp_buf_free(&want);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good),         cmocka_unit_test(test_headers),
      cmocka_unit_test(test_leftovers),    cmocka_unit_test(test_bad),
      cmocka_unit_test(test_cut_off),      cmocka_unit_test(test_endless),
      cmocka_unit_test(test_large_chunks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
