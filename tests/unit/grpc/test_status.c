/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "grpc/status.h"

static void test_read(void **state) {
  (void)state;
  static const struct {
    const char *number, *text, *message;
    psprobe_code code;
  } cases[] = {{"0", NULL, "", PSPROBE_OK},
               {"5", "a%20b%C3%A9%25", "a b\xc3\xa9%", PSPROBE_NOT_FOUND},
               {"14", "50% of %zz %4", "50% of %zz %4", PSPROBE_UNAVAILABLE},
               {"3", "a%00b%0A", "a?b\n", PSPROBE_INVALID_ARGUMENT},
               {"17", "x", "x", PSPROBE_UNKNOWN},
               {"-1", "x", "x", PSPROBE_UNKNOWN},
               {"", "x", "x", PSPROBE_UNKNOWN},
               {"99999999999999999999", "x", "x", PSPROBE_UNKNOWN}};
  psp_buf text = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    psp_fields fields = {0};
    psp_rpc_status status;
    assert_false(psp_rpc_status_read(&fields, &text, &status));
    psp_fields_add(&fields, "grpc-status", cases[i].number, strlen(cases[i].number));
    if (cases[i].text != NULL)
      psp_fields_add(&fields, "grpc-message", cases[i].text, strlen(cases[i].text));
    psp_fields_add(&fields, "grpc-status-details-bin", "\0\1", 2);
    assert_true(psp_rpc_status_read(&fields, &text, &status));
    assert_int_equal(status.code, cases[i].code);
    assert_string_equal(status.message, cases[i].message);
    assert_int_equal(status.details_len, 2);
    assert_true(status.from_peer);
    psp_fields_clear(&fields);
  }
  psp_buf_free(&text);
}

static void test_write(void **state) {
  (void)state;
  psp_buf out = {0};
  psp_rpc_message_write(&out, "5 % of \xc3\xa9\n");
  assert_string_equal(out.data, "5 %25 of %C3%A9%0A");
  psp_buf_free(&out);
}

/* http-grpc-status-mapping.md and PROTOCOL-HTTP2.md, "Errors". */
static void test_mappings(void **state) {
  (void)state;
  static const int http[][2] = {{400, PSPROBE_INTERNAL},          {401, PSPROBE_UNAUTHENTICATED},
                                {403, PSPROBE_PERMISSION_DENIED}, {404, PSPROBE_UNIMPLEMENTED},
                                {429, PSPROBE_UNAVAILABLE},       {502, PSPROBE_UNAVAILABLE},
                                {503, PSPROBE_UNAVAILABLE},       {504, PSPROBE_UNAVAILABLE},
                                {500, PSPROBE_UNKNOWN},           {302, PSPROBE_UNKNOWN}};
  for (size_t i = 0; i < sizeof http / sizeof *http; i++)
    assert_int_equal(psp_rpc_code_from_http(http[i][0]), http[i][1]);
  static const int resets[][2] = {{0, PSPROBE_INTERNAL},           {1, PSPROBE_INTERNAL},
                                  {7, PSPROBE_UNAVAILABLE},        {8, PSPROBE_CANCELLED},
                                  {10, PSPROBE_INTERNAL},          {11, PSPROBE_RESOURCE_EXHAUSTED},
                                  {12, PSPROBE_PERMISSION_DENIED}, {99, PSPROBE_UNKNOWN}};
  for (size_t i = 0; i < sizeof resets / sizeof *resets; i++)
    assert_int_equal(psp_rpc_code_from_reset((uint32_t)resets[i][0]), resets[i][1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_write),
                                     cmocka_unit_test(test_mappings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
