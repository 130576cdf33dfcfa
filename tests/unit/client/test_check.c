/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/parts.h"

typedef bool check_fn(const char *text, const char **why);

typedef struct check_case {
  const char *text;
  const char *why; /* a part of the reason; NULL: accepted */
} check_case;

static void run(check_fn *check, const check_case *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const char *why = NULL;
    bool good = check(cases[i].text, &why);
    if (good != (cases[i].why == NULL))
      fail_msg("\"%s\" was %s", cases[i].text, good ? "accepted" : "refused");
    if (!good && strstr(why, cases[i].why) == NULL)
      fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].text, why, cases[i].why);
  }
}
#define RUN(check, cases) run(check, cases, sizeof(cases) / sizeof *(cases))

static void test_project(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"my-project-1", NULL},
      {"example.com:pp", NULL},
      {"P", NULL},
      {"UPPER-X", NULL},
      {"", "empty"},
      {" ", "6 to 30"},
      {"a b", "6 to 30"},
      {"projects/p", "6 to 30"},
      {"p\n", "6 to 30"},
      {"p?x", "6 to 30"},
      {"p%2F", "6 to 30"},
      {"pr\xc3\xb6j", "6 to 30"},
      {"demo-p", NULL},
      {"a\"b", "begins with a letter"},
  };
  RUN(psp_project_check, cases);
}

static void test_database(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"(default)", NULL},        {"results-eu", NULL},   {"", "database id"},
      {"(other)", "database id"}, {"a/b", "database id"}, {"a b", "database id"},
  };
  RUN(psp_database_check, cases);
}

static void test_emulator(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"127.0.0.1:8085", NULL},
      {"localhost:1", NULL},
      {"emulator_1.internal:65535", NULL},
      {"[::1]:8085", NULL},
      {"http://localhost:8085", "without http://"},
      {"localhost", "port is missing"},
      {"localhost:", "a number from 1"},
      {"localhost:0", "a number from 1"},
      {"localhost:65536", "a number from 1"},
      {"localhost:80x", "a number from 1"},
      {"localhost:8085/", "without a path"},
      {":8085", "host:port"},
      {"::1:8085", "host:port"},
      {"[]:8085", "host:port"},
      {"[::1:8085", "host:port"},
      {"a b:8085", "host:port"},
      {"user@host:8085", "host:port"},
      {"", "port is missing"},
  };
  RUN(psp_emulator_host_check, cases);
}

static void test_endpoint(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"https://europe-west1-pubsub.googleapis.com", NULL},
      {"https://pubsub.googleapis.com/", NULL},
      {"https://proxy.example:8443/pubsub", NULL},
      {"http://127.0.0.1:8080", NULL},
      {"http://localhost:8080", NULL},
      {"http://[::1]:8080", NULL},
      {"http://pubsub.googleapis.com", "https"},
      {"http://127.0.0.1.evil.example", "https"},
      {"http://localhost.evil.example", "https"},
      {"https://user:pw@pubsub.googleapis.com", "user"},
      {"https://pubsub.googleapis.com?x=1", "query"},
      {"https://pubsub.googleapis.com#x", "f"},
      {"pubsub.googleapis.com", "http"},
      {"ftp://pubsub.googleapis.com", "http"},
      {"", "http"},
  };
  RUN(psp_endpoint_check, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_project),
      cmocka_unit_test(test_database),
      cmocka_unit_test(test_emulator),
      cmocka_unit_test(test_endpoint),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
