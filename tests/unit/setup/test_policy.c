/* SPDX-License-Identifier: MIT */
/** @file Policies edited: what others have put into them stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup/parts.h"

#define OWNER "{\"role\":\"r/owner\",\"members\":[\"user:o\"]}"
#define IF    "{\"role\":\"r/a\",\"members\":[\"m:1\"],\"condition\":{\"expression\":\"x\"}}"

/* What becomes of `policy` when m:1 and m:2 get (or lose) r/a, and m:1 r/b. */
static void edit(const char *policy, bool take_away, const char *want) {
  static const psp_grant grants[] = {{"r/a", NULL}, {"r/a", NULL}, {"r/b", NULL}};
  static const char *const members[] = {"m:1", "m:2", "m:1"};
  psp_json *json = NULL;
  psp_buf body = {0};
  assert_int_equal(psp_json_parse(policy, strlen(policy), "policy", &json, NULL), PSPROBE_OK);
  psp_policy_body(json, grants, members, 3, take_away, &body);
  assert_string_equal(body.data, want);
  psp_buf_free(&body);
  psp_json_free(json);
}

static void members_are_added_once(void **state) {
  (void)state;
  edit("{}", false,
       "{\"policy\":{\"bindings\":[{\"role\":\"r/a\",\"members\":[\"m:1\",\"m:2\"]},{\"role\":\"r/"
       "b\",\"members\":[\"m:1\"]}]}}");
  edit(
      "{\"etag\":\"e\",\"bindings\":[" OWNER ",{\"role\":\"r/a\",\"members\":[\"m:1\"]}]}", false,
      "{\"policy\":{\"etag\":\"e\",\"bindings\":[" OWNER
      ",{\"role\":\"r/a\",\"members\":[\"m:1\",\"m:2\"]},{\"role\":\"r/b\",\"members\":[\"m:1\"]}]}"
      "}");
}

/* "r/a on a condition" is not "r/a": it neither has our member nor takes it. */
static void a_condition_makes_it_another_binding(void **state) {
  (void)state;
  edit(
      "{\"version\":3,\"bindings\":[" IF "]}", false,
      "{\"policy\":{\"version\":3,\"bindings\":[" IF
      ",{\"role\":\"r/a\",\"members\":[\"m:1\",\"m:2\"]},{\"role\":\"r/b\",\"members\":[\"m:1\"]}]}"
      "}");
  edit("{\"version\":3,\"bindings\":[" IF "]}", true,
       "{\"policy\":{\"version\":3,\"bindings\":[" IF "]}}");
}

static void members_are_taken_away_alone(void **state) {
  (void)state;
  edit(
      "{\"auditConfigs\":[1],\"bindings\":[{\"role\":\"r/"
      "a\",\"members\":[\"m:1\",\"user:x\",\"m:2\"]"
      ",\"future\":true},{\"role\":\"r/b\",\"members\":[\"m:1\"]},{\"role\":\"r/b\",\"members\":["
      "\"m:2\"]}," OWNER "]}",
      true,
      "{\"policy\":{\"auditConfigs\":[1],\"bindings\":[{\"role\":\"r/a\",\"members\":[\"user:x\"],"
      "\"future\":true},{\"role\":\"r/b\",\"members\":[\"m:2\"]}," OWNER "]}}");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(members_are_added_once),
      cmocka_unit_test(a_condition_makes_it_another_binding),
      cmocka_unit_test(members_are_taken_away_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
