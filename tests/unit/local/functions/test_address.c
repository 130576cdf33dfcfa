/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "local/functions/address.h"

static void test_lines(void **state) {
  (void)state;
  static const struct {
    const char *line, *url; /* url NULL: none of this machine */
  } cases[] = {
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
      {"Listening on http://127.0.0.1:8080.", "http://127.0.0.1:8080"},
      {"\x1b[36mhttp://127.0.0.1:8080\x1b[0m", "http://127.0.0.1:8080"},
      {"ready (http://localhost:80)", "http://localhost:80"},
      {"{\"url\":\"http://127.0.0.1:80/\"}", "http://127.0.0.1:80"},
      {"url=http://127.0.0.1:80; ok", "http://127.0.0.1:80"},
      {"HTTP://127.0.0.1:80\r", "http://127.0.0.1:80"},
      {"http://0.0.0.0:80", "http://127.0.0.1:80"},
      {"http://[::]:80/", "http://127.0.0.1:80"},
      {"http://[::1]:80/", "http://[::1]:80"},
      {"See http://docs.example/start first: http://127.0.0.1:7", "http://127.0.0.1:7"},
      {"http://docs.example:80/", NULL},
      {"...http://127.0.0.1:80...", "http://127.0.0.1:80"},
      {"<http://127.0.0.1:80?x=1>", "http://127.0.0.1:80"},
      {"http://127.0.0.1:80#x", "http://127.0.0.1:80"},
      {"xhttp://127.0.0.1:80/", NULL},
      {"web+http://127.0.0.1:80/", NULL},
      {"http://127.0.0.1:80@docs.example/", NULL},
      {"http://127.0.0.1:80x/", NULL},
      {"http://127.0.0.1:80:81/", NULL},
      {"http://me@127.0.0.1:80/", NULL},
      {"http://127.0.0.1:80%20/", NULL},
      {"http://127.0.0.1/", NULL},
      {"http://127.0.0.1:0", NULL},
      {"http://127.0.0.1:65536", NULL},
      {"http://127.0.0.1:123456", NULL},
      {"http://[::1:80", NULL},
      {"https://127.0.0.1:80", NULL},
      {"http://", NULL},
      {"", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *at = cases[i].line;
    psp_address address;
    bool found = psp_address_next(&at, &address);
    if (found != (cases[i].url != NULL)) fail_msg("%s", cases[i].line);
    if (found) assert_string_equal(address.url, cases[i].url);
    if (found) assert_false(psp_address_next(&at, &address));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
