/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/sources/metadata.h"
#include "keys.h"

static void test_detection(void **state) {
  (void)state;
  psp_detection detection;
  const char *why;
  static const struct {
    const char *wish, *name;
    psp_detection detection;
  } cases[] = {
      {"none", NULL, PSP_DETECT_NONE},
      {"assume-present", NULL, PSP_DETECT_PRESENT},
      {"ping-only", NULL, PSP_DETECT_PING},
      {"ping-only", "K_SERVICE", PSP_DETECT_PING},
      {"none", "K_SERVICE", PSP_DETECT_NONE},
      {"", "K_SERVICE", PSP_DETECT_PRESENT},
      {"", "CLOUD_RUN_JOB", PSP_DETECT_PRESENT},
      {"", "FUNCTION_NAME", PSP_DETECT_PRESENT},
      {"", "CLOUD_RUN_WORKER_POOL", PSP_DETECT_PRESENT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    setenv("METADATA_SERVER_DETECTION", cases[i].wish, 1);
    if (cases[i].name != NULL) setenv(cases[i].name, "x", 1);
    assert_int_equal(psp_metadata_detection(&detection, &why, NULL), PSPROBE_OK);
    assert_int_equal(detection, cases[i].detection);
    if (cases[i].name != NULL) unsetenv(cases[i].name);
  }
  setenv("METADATA_SERVER_DETECTION", "bogus", 1);
  assert_int_equal(psp_metadata_detection(&detection, &why, NULL), PSPROBE_INVALID_ARGUMENT);
}

static void test_metadata_host(void **state) {
  (void)state;
  const char *host;
  bool named;
  assert_int_equal(psp_metadata_find_host(&host, &named, NULL), PSPROBE_OK);
  assert_false(named);
  assert_string_equal(host, "169.254.169.254");
  setenv("GCE_METADATA_HOST", "metadata.test:8080", 1);
  assert_int_equal(psp_metadata_find_host(&host, &named, NULL), PSPROBE_OK);
  assert_string_equal(host, "metadata.test:8080");
  assert_true(named);
  setenv("GCE_METADATA_IP", "10.0.0.1", 1);
  assert_int_equal(psp_metadata_find_host(&host, &named, NULL), PSPROBE_OK);
  assert_string_equal(host, "10.0.0.1");
  static const char *const broken[] = {"http://x", "x/y", "x?y", "x#y", "a@b", "x y", "x\r\ny"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    psprobe_error error;
    setenv("GCE_METADATA_IP", broken[i], 1);
    assert_int_equal(psp_metadata_find_host(&host, &named, &error), PSPROBE_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "GCE_METADATA_IP must be host or host:port"));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_detection, test_auth_setup),
      cmocka_unit_test_setup(test_metadata_host, test_auth_setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
