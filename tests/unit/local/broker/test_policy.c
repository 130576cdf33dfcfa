/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "local/broker/policy.h"

#define TOPIC "projects/p/topics/topic"

static psprobe_code read_policy(const char *text, psp_policy *policy, psprobe_error *error) {
  psp_json *json;
  assert_int_equal(psp_json_parse(text, strlen(text), "test", &json, NULL), PSPROBE_OK);
  *policy = (psp_policy){0};
  bool read = psp_policy_decode(json, policy);
  psp_json_free(json);
  return read ? psp_policy_check(policy, error) : PSPROBE_UNKNOWN;
}

static psprobe_code set(psp_policies *policies, const char *text, psprobe_error *error) {
  psp_policy policy;
  assert_int_equal(read_policy(text, &policy, error), PSPROBE_OK);
  psprobe_code code = psp_policies_set(policies, TOPIC, &policy, error);
  psp_policy_free(&policy);
  return code;
}

static void assert_policy(const psp_policies *policies, const char *text) {
  psp_buf got = {0};
  psp_json_writer w = {.buf = &got};
  psp_policy_encode(&w, psp_policies_get(policies, TOPIC));
  assert_string_equal(got.data, text);
  psp_buf_free(&got);
}

/* Read, changed, written back: refused to whoever was slower. */
static void test_etags(void **state) {
  (void)state;
  psp_policies policies = {0};
  psprobe_error error = {0};
  assert_policy(&policies, "{\"etag\":\"ACAB\"}");
  assert_int_equal(set(&policies, "{\"etag\":\"AAAA\"}", &error), PSPROBE_ABORTED);
  assert_int_equal(set(&policies,
                       "{\"etag\":\"ACAB\",\"version\":1,\"bindings\":[{\"role\":"
                       "\"roles/pubsub.editor\",\"members\":[\"user:a@b.c\"]}]}",
                       &error),
                   PSPROBE_OK);
  assert_policy(&policies,
                "{\"version\":1,\"bindings\":[{\"role\":\"roles/pubsub.editor\","
                "\"members\":[\"user:a@b.c\"]}],\"etag\":\"AAAAAAAAAAE=\"}");
  assert_int_equal(set(&policies, "{\"etag\":\"ACAB\"}", &error), PSPROBE_ABORTED);
  assert_non_null(strstr(error.message, "concurrent policy changes"));
  assert_int_equal(set(&policies, "{}", &error), PSPROBE_OK); /* without an etag: over all */
  assert_policy(&policies, "{\"etag\":\"AAAAAAAAAAI=\"}");
  psp_policies_drop(&policies, TOPIC);
  psp_policies_drop(&policies, TOPIC);
  assert_policy(&policies, "{\"etag\":\"ACAB\"}");
  set(&policies, "{}", &error);
  psp_policies_free(&policies);
}

static void test_check(void **state) {
  (void)state;
  static const struct {
    const char *policy;
    psprobe_code code;
  } cases[] = {
      {"{\"bindings\":[{\"role\":\"roles/x\",\"members\":[\"allUsers\",\"group:g\"]}]}",
       PSPROBE_OK},
      {"{\"bindings\":[{\"role\":\"viewer\"}]}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":[{}]}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":[5]}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":{}}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":[{\"role\":\"roles/x\",\"members\":[\"nobody\"]}]}",
       PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":[{\"role\":\"roles/x\",\"members\":[\"user:\"]}]}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":[{\"role\":\"roles/x\",\"members\":[5]}]}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bindings\":[{\"role\":\"roles/x\",\"condition\":{}}]}", PSPROBE_INVALID_ARGUMENT},
      {"{\"version\":3,\"bindings\":[{\"role\":\"roles/x\",\"condition\":{}}]}", PSPROBE_OK},
      {"{\"version\":2}", PSPROBE_INVALID_ARGUMENT},
      {"{\"bogus\":2}", PSPROBE_UNKNOWN},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_policy policy;
    psprobe_error error = {0};
    psprobe_code code = read_policy(cases[i].policy, &policy, &error);
    if (code != cases[i].code) print_error("%s\n", cases[i].policy);
    assert_int_equal(code, cases[i].code);
    psp_policy_free(&policy);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_etags), cmocka_unit_test(test_check)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
