/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "local/broker/endpoint.h"

static void test_urls(void **state) {
  (void)state;
  static const struct {
    const char *endpoint, *url; /* url NULL: refused */
  } cases[] = {
      {"http://127.0.0.1:80", "http://127.0.0.1:80"},
      {"https://h.example/a?token=x%20y&z=%2F", "https://h.example/a?token=x%20y&z=%2F"},
      {"http://user:pw@127.0.0.1:80/", "http://127.0.0.1:80/"},
      {"http://a@b@127.0.0.1/", "http://127.0.0.1/"},
      {"http://127.0.0.1/mail/a@b", "http://127.0.0.1/mail/a@b"},
      {"http://127.0.0.1/#frag", "http://127.0.0.1/"},
      {"http://127.0.0.1#frag", "http://127.0.0.1"},
      {"http://127.0.0.1/a b", "http://127.0.0.1/a%20b"},
      {"http://127.0.0.1/\xc3\xbc", "http://127.0.0.1/%C3%BC"},
      {"http://127.0.0.1/a\r\nHost: x", "http://127.0.0.1/a%0D%0AHost:%20x"},
      {"http://127.0.0.1?x=1", "http://127.0.0.1?x=1"},
      {"HTTP://127.0.0.1/", NULL},
      {" http://127.0.0.1/", NULL},
      {"ftp://127.0.0.1/", NULL},
      {"http://", NULL},
      {"http://user@", NULL},
      {"http://a b/", NULL},
      {"http://h:99999/", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf url = {0};
    bool ok = psp_endpoint_url(&url, cases[i].endpoint);
    if (ok != (cases[i].url != NULL)) fail_msg("%s", cases[i].endpoint);
    if (ok) assert_string_equal(url.data, cases[i].url);
    psp_buf_free(&url);
  }
}

static void test_headers(void **state) {
  (void)state;
  static const struct {
    const char *name, *value;
    bool goes;
  } cases[] = {
      {"tenant", "acme", true},
      {"Content-Type", "text/plain", true},
      {"note", "a\tb", true},
      {"note", "\xc3\xbc", true},
      {"empty", "", true},
      {"note",
       "a\x01"
       "b",
       false},
      {"note", "a\x7f", false},
      {"note", "a\r\nb: c", false},
      {"bad name", "x", false},
      {"", "x", false},
      {"\xc3\xbc", "x", false},
      {"content-LENGTH", "5", false},
      {"Host", "other.example", false},
      {"Transfer-Encoding", "chunked", false},
      {"connection", "close", false},
      {"x-goog-pubsub-message-id", "77", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (psp_endpoint_header(cases[i].name, cases[i].value) != cases[i].goes)
      fail_msg("%s: %s", cases[i].name, cases[i].value);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_urls), cmocka_unit_test(test_headers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
