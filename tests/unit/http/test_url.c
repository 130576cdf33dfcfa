/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/url.h"

static void test_good(void **state) {
  (void)state;
  static const char *const urls[] = {
      "http://localhost",
      "http://localhost/",
      "HTTPS://Example.COM",
      "https://pubsub.googleapis.com/v1/projects/p/topics/t:publish",
      "http://127.0.0.1:8080/cloud_function/abc?x=1&y=%20",
      "http://[::1]:8080",
      "http://[2001:db8::1]/a",
      "https://host?query",
      "http://a-b.c_d:1",
      "http://h:65535/p@q:r",
  };
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    const char *why = NULL;
    if (!psp_http_url_check(urls[i], &why)) fail_msg("%s: %s", urls[i], why);
    assert_null(why);
  }
}

static void test_bad(void **state) {
  (void)state;
  static const struct {
    const char *url, *word;
  } cases[] = {
      {NULL, "http://"},
      {"", "http://"},
      {"localhost:8080", "http://"},
      {"/path", "http://"},
      {"ftp://host/", "http://"},
      {"file:///etc/passwd", "http://"},
      {"http:/host", "http://"},
      {"http//host", "http://"},
      {" http://host", "http://"},
      {"http://", "host"},
      {"http:///path", "host"},
      {"http://:8080", "host"},
      {"http://?q", "host"},
      {"https://user@host/", "user"},
      {"https://user:password@host/", "user"},
      {"http://host:", "port"},
      {"http://host:0", "port"},
      {"http://host:65536", "port"},
      {"http://host:999999", "port"},
      {"http://host:80a/", "port"},
      {"http://host:-1", "port"},
      {"http://::1/", "host"},
      {"http://[::1", "IPv6"},
      {"http://[::1]8080", "IPv6"},
      {"http://[]", "IPv6"},
      {"http://[::zz]", "IPv6"},
      {"http://[1.2.3.4]", "IPv6"},
      {"http://[11111111111111111111111111111111111111111111111111111::1]", "IPv6"},
      {"http://ho st/", "printable"},
      {"http://host/a b", "printable"},
      {"http://host/\r\nX: y", "printable"},
      {"http://h\xc3\xb6st/", "printable"},
      {"http://host/#part", "fragment"},
      {"http://ho%73t/", "character"},
      {"http://a,b/", "character"},
      {"http://host\\@other/", "user"},
      {"http://host\\other/", "character"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *why = NULL;
    if (psp_http_url_check(cases[i].url, &why)) fail_msg("%s passes", cases[i].url);
    if (why == NULL || strstr(why, cases[i].word) == NULL) fail_msg("%s: %s", cases[i].url, why);
    assert_false(psp_http_url_check(cases[i].url, NULL));
  }
}

static void test_origin(void **state) {
  (void)state;
  static const struct {
    const char *url;
    size_t len;
  } cases[] = {{"https://a.example", 17},       {"https://a.example/", 17},
               {"https://a.example/b?c=d", 17}, {"https://a.example?c", 17},
               {"http://[::1]:8080/x", 17},     {"http://127.0.0.1:80", 19}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(psp_http_url_origin_len(cases[i].url), cases[i].len);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                     cmocka_unit_test(test_origin)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
