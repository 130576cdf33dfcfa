/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/adc.h"
#include "base/text.h"

static void test_ini(void **state) {
  (void)state;
  static const struct {
    const char *text, *value;
  } cases[] = {
      {"[core]\nproject = p\n", "p"},
      {"[core]\nproject=p", "p"},
      {"[core]\r\nproject = p \r\n", "p"},
      {" [core] \n  project : p\n", "p"},
      {"[core]\nprojects = q\nproject = p\n", "p"},
      {"[core]\nproject =\n", NULL},
      {"[core]\nproject\n", NULL},
      {"project = p\n[core]\n", NULL},
      {"[core2]\nproject = p\n", NULL},
      {"[core]\n[other]\nproject = p\n", NULL},
      {"", NULL},
      {"[core]\n# project = q\nproject = p", "p"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *value = psp_gcloud_ini_get(cases[i].text, "core", "project");
    if (!psp_text_equal(value, cases[i].value)) fail_msg("%s: %s", cases[i].text, value);
    free(value);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ini),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
