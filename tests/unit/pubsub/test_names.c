/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <psprobe/pubsub.h>

#include "pubsub/names.h"

static void test_check(void **state) {
  (void)state;
  char long_name[257];
  memset(long_name, 'a', sizeof long_name);
  long_name[256] = '\0';
  const struct {
    const char *name, *rule; /* rule NULL: fine */
  } cases[] = {
      {"probes", NULL},
      {"abc", NULL},
      {long_name + 1, NULL},
      {"A-z_0.9~+%", NULL},
      {"notgoog", NULL},
      {"Goog", NULL},
      {NULL, "no topic is named"},
      {"", "no topic is named"},
      {"ab", "3 to 255 characters, this one has 2"},
      {long_name, "3 to 255 characters, this one has 256"},
      {"1abc", "begins with a letter"},
      {"-abc", "begins with a letter"},
      {"googles", "\"goog\""},
      {"a b c", "character 2 is none of them"},
      {"abc:d", "character 4"},
      {"abc/d", "character 4"},
      {"abc\n", "character 4"},
      {"abc\xC3\xA9", "character 4"},
      {"https://me:hush@h", "\"https://***@h\""},
      {"{\"private_key\": \"hush\"}", "(JSON (a key?), not shown)"},
      {"projects/p/hush?token=hush", "character 9"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psprobe_error error = {0};
    psprobe_code code = psprobe_pubsub_name_check("topic", cases[i].name, &error);
    assert_int_equal(code, cases[i].rule != NULL ? PSPROBE_INVALID_ARGUMENT : PSPROBE_OK);
    assert_int_equal(error.code, code);
    if (cases[i].rule != NULL && strstr(error.message, cases[i].rule) == NULL)
      fail_msg("\"%s\" does not hold \"%s\"", error.message, cases[i].rule);
  }
  assert_int_equal(psprobe_pubsub_name_check("topic", "x", NULL), PSPROBE_INVALID_ARGUMENT);
}

static void test_full_names(void **state) {
  (void)state;
  const struct {
    psp_pubsub_kind kind;
    const char *name, *full; /* full NULL: refused */
  } cases[] = {
      {PSP_TOPIC, "probes", "projects/demo/topics/probes"},
      {PSP_SUBSCRIPTION, "probes", "projects/demo/subscriptions/probes"},
      {PSP_TOPIC, "projects/other/topics/probes", "projects/other/topics/probes"},
      {PSP_TOPIC, "projects/example.com:p/topics/abc", "projects/example.com:p/topics/abc"},
      {PSP_TOPIC, "projects/other/subscriptions/probes", NULL},
      {PSP_SUBSCRIPTION, "projects/other/topics/probes", NULL},
      {PSP_TOPIC, "projects//topics/probes", NULL},
      {PSP_TOPIC, "projects/other/topics/", NULL},
      {PSP_TOPIC, "projects/other/topics/ab", NULL},
      {PSP_TOPIC, "projects/other/topics/abc/def", NULL},
      {PSP_TOPIC, "/projects/other/topics/abc", NULL},
      {PSP_TOPIC, "projects/a?b/topics/abc", NULL},
      {PSP_TOPIC, "projects/a b/topics/abc", NULL},
      {PSP_TOPIC, "projects/../topics/abc", NULL},
      {PSP_TOPIC, "topics/abc", NULL},
      {PSP_TOPIC, "", NULL},
      {PSP_TOPIC, NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_buf full = {0};
    psprobe_error error = {0};
    psprobe_code code = psp_pubsub_full_name(cases[i].kind, "demo", cases[i].name, &full, &error);
    if (cases[i].full != NULL) {
      assert_int_equal(code, PSPROBE_OK);
      assert_string_equal(full.data, cases[i].full);
    } else {
      assert_int_equal(code, PSPROBE_INVALID_ARGUMENT);
      assert_int_equal(full.len, 0);
      assert_non_null(strstr(error.message, psp_pubsub_kind_name(cases[i].kind)));
    }
    psp_buf_free(&full);
  }
}

static void test_paths(void **state) {
  (void)state;
  psp_buf path = {0};
  psp_pubsub_path(&path, "projects/p/topics/a%b%%+~", ":publish");
  assert_string_equal(path.data, "/v1/projects/p/topics/a%25b%25%25+~:publish");
  psp_buf_reset(&path);
  psp_pubsub_path(&path, "projects/p/topics/abc", "");
  assert_string_equal(path.data, "/v1/projects/p/topics/abc");
  psp_buf_free(&path);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_check),
      cmocka_unit_test(test_full_names),
      cmocka_unit_test(test_paths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
