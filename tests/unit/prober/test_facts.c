/* SPDX-License-Identifier: MIT */
/** @file What the headers of an answer tell, header by header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "prober/facts.h"

#define LONG_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static psp_told take(const char *name, const char *value) {
  psp_told told;
  psp_told_init(&told);
  psp_told_take(&told, name, value);
  return told;
}

static void test_all_of_them(void **state) {
  (void)state;
  static const char *const lines[][2] = {
      {"Host", "x"},
      {"psprobe-cold", "1"},
      {"PSPROBE-HANDLED-NS", "5"},
      {"Psprobe-Instance", "rev-00001.a_B"},
      {"Psprobe-Invocation", "7"},
      {"Psprobe-Age-Ns", "1"},
      {"Psprobe-Ready-Ns", "10600000"},
      {"Psprobe-Delivery-Attempt", "2"},
      {"Psprobe-Published", "2026-11-30T09:00:00.123456789Z"},
      {"Psprobe-Arrived-Ns", "1796000000000000001"},
      {"Psprobe-Sent-Ns", "1796000000000000002"},
      {"Psprobe-Exchange", "1 2 3 4"},
      {"Psprobe-Else", "1"},
  };
  psp_told told;
  psp_told_init(&told);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
    psp_told_take(&told, lines[i][0], lines[i][1]);
  assert_int_equal(told.wrong, 0);
  assert_true(told.cold && told.any);
  assert_int_equal(told.handled_ns, 5);
  assert_string_equal(told.facts.instance, "rev-00001.a_B");
  assert_int_equal(told.facts.invocation, 7);
  assert_int_equal(told.facts.age_ns, 1);
  assert_int_equal(told.facts.ready_ns, 10600000);
  assert_int_equal(told.facts.delivery_attempt, 2);
  assert_int_equal(told.facts.published_wall_ns, INT64_C(1796029200123456789));
  assert_int_equal(told.facts.arrived_wall_ns, INT64_C(1796000000000000001));
  assert_int_equal(told.facts.sent_wall_ns, INT64_C(1796000000000000002));
  for (int i = 0; i < PSPROBE_STAMPS; i++)
    assert_int_equal(told.facts.exchange_wall_ns[i], i + 1);
}

/* Not of its form: that fact is absent, and counted; the rest stands. */
static void test_not_of_its_form(void **state) {
  (void)state;
  static const char *const lines[][2] = {
      {"Psprobe-Cold", "yes"},
      {"Psprobe-Cold", ""},
      {"Psprobe-Handled-Ns", "-1"},
      {"Psprobe-Handled-Ns", "86400000000001"},
      {"Psprobe-Instance", ""},
      {"Psprobe-Instance", "a b"},
      {"Psprobe-Instance", "\xC3\xA4"},
      {"Psprobe-Instance", LONG_64 "a"},
      {"Psprobe-Invocation", "0"},
      {"Psprobe-Invocation", "4294967296"},
      {"Psprobe-Invocation", "+1"},
      {"Psprobe-Age-Ns", "-1"},
      {"Psprobe-Age-Ns", "1.5"},
      {"Psprobe-Ready-Ns", "9223372036854775808"},
      {"Psprobe-Delivery-Attempt", "1x"},
      {"Psprobe-Published", "1969-12-31T23:59:59Z"},
      {"Psprobe-Published", "2300-01-01T00:00:00Z"},
      {"Psprobe-Published", "yesterday"},
      {"Psprobe-Arrived-Ns", "9223372036854775808"},
      {"Psprobe-Sent-Ns", " 1"},
      {"Psprobe-Exchange", "1 2 3"},
      {"Psprobe-Exchange", "1 2 3 4 5"},
      {"Psprobe-Exchange", "1  2 3 4"},
      {"Psprobe-Exchange", "1 2 3 4 "},
      {"Psprobe-Exchange", "1 2 3 99999999999999999999999999"},
      {"Psprobe-Exchange", "1 2 3 -4"},
  };
  psp_told nothing;
  psp_told_init(&nothing);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    psp_told told = take(lines[i][0], lines[i][1]);
    if (told.wrong != 1 || told.any || told.cold || told.handled_ns != -1 ||
        memcmp(&told.facts, &nothing.facts, sizeof told.facts) != 0)
      fail_msg("%s: %s", lines[i][0], lines[i][1]);
  }
  psp_told longest = take("Psprobe-Instance", LONG_64);
  assert_int_equal(longest.wrong, 0);
  assert_string_equal(longest.facts.instance, LONG_64);
}

static void test_told_twice_is_not_told(void **state) {
  (void)state;
  psp_told told = take("Psprobe-Invocation", "3");
  psp_told_take(&told, "Psprobe-Age-Ns", "4");
  psp_told_take(&told, "Psprobe-invocation", "3");
  psp_told_take(&told, "Psprobe-Invocation", "5");
  assert_int_equal(told.wrong, 2);
  assert_int_equal(told.facts.invocation, 0);
  assert_int_equal(told.facts.age_ns, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_all_of_them),
      cmocka_unit_test(test_not_of_its_form),
      cmocka_unit_test(test_told_twice_is_not_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
