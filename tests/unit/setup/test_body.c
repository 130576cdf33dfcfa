/* SPDX-License-Identifier: MIT */
/** @file Whether what is there is what is to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "setup/parts.h"

static psp_json *parse(const char *text) {
  psp_json *json = NULL;
  assert_int_equal(psp_json_parse(text, strlen(text), "it", &json, NULL), PSPROBE_OK);
  return json;
}

static void what_is_wanted_is_there_or_not(void **state) {
  (void)state;
  static const struct {
    const char *wanted, *found;
    bool has;
  } cases[] = {
      {"{\"a\":1}", "{\"a\":1,\"more\":2}", true}, /* Google adds members of its own */
      {"{\"a\":1}", "{\"a\":\"1\"}", true},        /* int64 is text in proto3's JSON */
      {"{\"a\":1}", "{\"a\":2}", false},
      {"{\"a\":1}", "{}", false},
      {"{\"a\":0}", "{}", true}, /* proto3 leaves out what is 0, false, "" and empty */
      {"{\"a\":0}", "{\"a\":1}", false},
      {"{\"a\":false}", "{}", true},
      {"{\"a\":false}", "{\"a\":true}", false},
      {"{\"a\":true}", "{}", false},
      {"{\"a\":{}}", "{}", true},
      {"{\"a\":{}}", "{\"a\":{\"b\":1}}", true},
      {"{\"a\":{\"b\":\"x\"}}", "{\"a\":{\"b\":\"x\",\"c\":1}}", true},
      {"{\"a\":{\"b\":\"x\"}}", "{\"a\":\"x\"}", false},
      {"{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"x\",\"y\"]}", true},
      {"{\"a\":[\"x\",\"y\"]}", "{\"a\":[\"y\",\"x\"]}", false}, /* arguments have an order */
      {"{\"a\":[\"x\"]}", "{\"a\":[\"x\",\"y\"]}", false},
      {"{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1,\"c\":2}]}", true},
      {"{\"a\":\"x\"}", "{\"a\":null}", false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_json *wanted = parse(cases[i].wanted), *found = parse(cases[i].found);
    if (psp_setup_has(found, wanted) != cases[i].has)
      fail_msg("%s in %s", cases[i].wanted, cases[i].found);
    psp_json_free(wanted);
    psp_json_free(found);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_wanted_is_there_or_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
