/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "doctor/parts.h"

static void count_each(void *arg, const psprobe_finding *finding) {
  ++*(int *)arg;
  assert_non_null(finding->text);
}

static void findings_are_kept_and_shown_as_json(void **state) {
  (void)state;
  int heard = 0;
  psprobe_diagnosis *found = calloc(1, sizeof *found);
  psp_doctor d = {.found = found, .each = count_each, .arg = &heard};
  psp_doctor_mend(&d, "gcloud %s", "one");
  psp_doctor_mend(&d, "two");
  psp_doctor_found(&d, PSPROBE_DOCTOR_FAILED, "topic", "projects/p/topics/t", "bad\nnews \x01 %s",
                   "\xE2\x80\xAEhere \xC3\xA9");
  for (int i = 0; i < 100; i++)
    psp_doctor_found(&d, PSPROBE_DOCTOR_OK, "topic.publish", NULL, "%d", i);
  assert_false(d.failed);
  assert_int_equal(heard, 101);
  assert_int_equal(psprobe_diagnosis_count(found, PSPROBE_DOCTOR_OK), 100);
  assert_int_equal(psprobe_diagnosis_count(found, PSPROBE_DOCTOR_WARNING), 0);
  char *text = psprobe_diagnosis_json(found);
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text, strlen(text), "it", &json, NULL), PSPROBE_OK);
  int64_t number;
  assert_true(psp_json_int64(psp_json_get(json, "schema"), &number));
  assert_int_equal(number, 1);
  assert_true(psp_json_is_null(psp_json_get(json, "project")));
  assert_true(psp_json_int64(psp_json_get(psp_json_get(json, "counts"), "failed"), &number));
  assert_int_equal(number, 1);
  const psp_json *first = psp_json_first(psp_json_get(json, "findings"));
  assert_string_equal(psp_json_string(psp_json_get(first, "check")), "topic");
  assert_string_equal(psp_json_string(psp_json_get(first, "state")), "failed");
  assert_string_equal(psp_json_string(psp_json_get(first, "resource")), "projects/p/topics/t");
  assert_string_equal(psp_json_string(psp_json_get(first, "text")),
                      "bad\\x0Anews \\x01 \\xE2\\x80\\xAEhere \xC3\xA9");
  const psp_json *mend = psp_json_get(first, "mend");
  assert_int_equal(psp_json_count(mend), 2);
  assert_string_equal(psp_json_string(psp_json_first(mend)), "gcloud one");
  /* They are of that finding alone. */
  assert_int_equal(psp_json_count(psp_json_get(psp_json_next(first), "mend")), 0);
  psp_json_free(json);
  free(text);
  psprobe_diagnosis_free(found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(findings_are_kept_and_shown_as_json),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
