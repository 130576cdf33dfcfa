/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/client/transfer.h"
#include "http/url.h"

static void test_head_split(void **state) {
  (void)state;
  char head[] =
      "HTTP/1.1 200 OK\r\n"
      "Content-Type: text/plain\r\n"
      "X-EMPTY:\r\n"
      "X-Spaces: \t a b \t \r\n"
      "no colon here\r\n"
      ": no name\r\n"
      "X-Colons: a:b:c\r\n"
      "Set-Cookie: 1\r\n"
      "Set-Cookie: 2\r\n"
      "Bare: newline\n"
      "\r\n";
  static const psp_header want[] = {{"content-type", "text/plain"},
                                    {"x-empty", ""},
                                    {"x-spaces", "a b"},
                                    {"x-colons", "a:b:c"},
                                    {"set-cookie", "1"},
                                    {"set-cookie", "2"},
                                    {"bare", "newline"}};
  psp_header headers[16];
  assert_int_equal(psp_head_split(head, headers, 16), 7);
  for (int i = 0; i < 7; i++) {
    assert_string_equal(headers[i].name, want[i].name);
    assert_string_equal(headers[i].value, want[i].value);
  }
  char few[] = "A: 1\r\nB: 2\r\nC: 3";
  assert_int_equal(psp_head_split(few, headers, 2), 2);
  char last[] = "A: 1\r\nB: 2\r\nC: 3";
  assert_int_equal(psp_head_split(last, headers, 16), 3);
  assert_string_equal(headers[2].value, "3");
  char nothing[] = "";
  assert_int_equal(psp_head_split(nothing, headers, 16), 0);
}

static void test_authority(void **state) {
  (void)state;
  static const struct {
    const char *url, *want;
  } cases[] = {
      {"http://host", "host"},
      {"https://host:1/a:b", "host:1"},
      {"http://[::1]:2/", "[::1]:2"},
      {"HTTP://Host?q", "Host"},
      {"nonsense", ""},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t len;
    const char *got = psp_http_url_authority(cases[i].url, &len);
    assert_int_equal(len, strlen(cases[i].want));
    assert_memory_equal(got, cases[i].want, len);
  }
}

static void test_loopback(void **state) {
  (void)state;
  static const char *const yes[] = {
      "http://localhost", "http://LocalHost:80/",    "https://a.b.localhost/",
      "http://127.0.0.1", "http://127.255.1.2:8080", "http://[::1]:80/",
      "http://[::1]"};
  static const char *const no[] = {
      "http://localhost.example.com", "http://notlocalhost", "http://128.0.0.1",
      "http://127.0.0.1.example.com", "http://[::2]/",       "http://[::1:2]/",
      "http://example.com/localhost", "http://12.7.0.1",     "http://metadata.google.internal"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    if (!psp_http_url_is_loopback(yes[i])) fail_msg("%s is not", yes[i]);
  }
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
    if (psp_http_url_is_loopback(no[i])) fail_msg("%s is", no[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_head_split),
                                     cmocka_unit_test(test_authority),
                                     cmocka_unit_test(test_loopback)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
