/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "doctor/parts.h"

static void a_finding_is_a_line_and_what_mends_it(void **state) {
  (void)state;
  static const char *const mend[] = {"chmod 600 key.json", "true"};
  psprobe_finding finding = {.check = "credentials.key",
                             .state = PSPROBE_DOCTOR_FAILED,
                             .text = "key.json is open",
                             .mend = mend,
                             .mend_count = 2};
  char *text = psprobe_finding_text(&finding, false);
  assert_string_equal(text,
                      "failed   credentials.key       key.json is open\n"
                      "         mend: chmod 600 key.json\n"
                      "               true\n");
  free(text);
  finding.mend_count = 0;
  finding.state = PSPROBE_DOCTOR_OK;
  text = psprobe_finding_text(&finding, true);
  assert_string_equal(text, "\033[32mok     \033[0m  credentials.key       key.json is open\n");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_finding_is_a_line_and_what_mends_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
